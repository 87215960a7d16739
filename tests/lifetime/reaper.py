"""Runs a command, sends it a signal at a chosen moment, and tells what of it is left afterwards.

It is a process of its own, a "child subreaper" (prctl(2)): whatever the command started becomes our child when
its parent dies, so that everything that belongs to the command, and nothing else, is found by walking from child to
child. Usage: reaper.py SPECIFICATION, a JSON object with the keys of `Specification`; the answer is JSON on stdout.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
LOOK_EVERY = 0.005


@dataclass
class Specification:
    """What to run and when to disturb it."""

    command: list[str]
    cwd: str
    output: str
    """file for the command's output"""
    action: str = "none"
    """none, kill, stop-kill, int, term; or the name of a process of the command, which is killed instead of it"""
    after: float = 0.0
    """s after the beginning, or after `file` has got `lines` lines"""
    file: str = ""
    lines: int = 0
    leave_within: float = 5.0
    """s in which everything must be gone after the signal (after the command's own end if it is to end by itself)"""
    end_within: float = 60.0
    """s in which the command must have ended by itself"""


@dataclass
class Answer:
    """What came of it."""

    seconds: float = 0.0
    """how long the command ran"""
    disturbed: bool = False
    """whether it was still running when the moment came"""
    status: int | None = None
    left: list[str] = field(default_factory=list)
    """processes that outlived the deadline"""
    gone_after: float | None = None
    """s from the signal to the end of the last process"""
    processes: list[str] = field(default_factory=list)
    """names of those that ran at the moment of the signal"""
    mounts: list[str] = field(default_factory=list)
    interfaces: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    """entries of /run/netns"""


def descendants() -> dict[int, str]:
    """Everything below us that is not merely waiting to be reaped: pid -> name."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            name, rest = re.fullmatch(r"\d+ \((.*)\) (.*)", text, re.S).groups()
            state, parent = rest.split()[:2]
            if state != "Z":
                parents[int(entry)], names[int(entry)] = int(parent), name
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours and pid not in ours}:
        ours |= more
    return {pid: names[pid] for pid in ours if pid != os.getpid()}


def surroundings() -> dict[str, set[str]]:
    """What may outlive all processes. A namespace lives on in a process, in an open descriptor or in a mount only.

    Others may be at work on this machine, so only what looks like ours (or like a mounted namespace) counts.
    """
    named = Path("/run/netns")
    return {
        "mounts": {line for line in Path("/proc/self/mountinfo").read_text().splitlines() if re.search(r"lbcert| nsfs ", line)},
        "interfaces": {name for name in os.listdir("/sys/class/net") if re.fullmatch(r"(p|sw|eth)\d+", name)},
        "named": set(os.listdir(named)) if named.is_dir() else set(),
    }


class Reaper:
    """One command and its end."""

    def __init__(self, wanted: Specification):
        self.wanted = wanted
        self.answer = Answer()
        self.before = surroundings()
        with open(wanted.output, "wb") as output:
            self.process = subprocess.Popen(wanted.command, cwd=wanted.cwd, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        self.began = time.monotonic()

    def run(self) -> Answer:
        if self.wanted.action != "none":
            self.wait_for_the_moment()
            self.disturb()
        signalled = time.monotonic()
        by_itself = self.wanted.action not in ("kill", "stop-kill")
        self.wait_for_the_end(signalled + (self.wanted.end_within if by_itself else self.wanted.leave_within))
        self.wait_until_gone(time.monotonic() + self.wanted.leave_within, signalled)
        self.look_around()
        return self.answer

    def wait_for_the_moment(self) -> None:
        deadline = time.monotonic() + self.wanted.end_within
        while self.wanted.file and not self.ended() and time.monotonic() < deadline:
            path = Path(self.wanted.file)
            if path.exists() and path.read_bytes().count(b"\n") >= self.wanted.lines:
                break
            time.sleep(LOOK_EVERY)
        moment = self.wanted.after + (time.monotonic() if self.wanted.file else self.began)
        while not self.ended() and (left := moment - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY))

    def disturb(self) -> None:
        alive = descendants()
        self.answer.processes = sorted(alive.values())
        self.answer.disturbed = not self.ended()
        if not self.answer.disturbed:
            return
        if self.wanted.action == "stop-kill":
            os.kill(self.process.pid, signal.SIGSTOP)
        if self.wanted.action in ("kill", "stop-kill"):
            os.kill(self.process.pid, signal.SIGKILL)
        elif self.wanted.action in ("int", "term"):
            # As a terminal does: to the whole group.
            os.killpg(self.process.pid, signal.SIGINT if self.wanted.action == "int" else signal.SIGTERM)
        else:
            for pid, name in alive.items():
                if name == self.wanted.action:
                    os.kill(pid, signal.SIGKILL)

    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait_for_the_end(self, deadline: float) -> None:
        while not self.ended() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
        self.answer.seconds = time.monotonic() - self.began
        self.answer.status = self.process.returncode

    def wait_until_gone(self, deadline: float, signalled: float) -> None:
        while (alive := descendants()) and time.monotonic() < deadline:
            self.bury()
            time.sleep(LOOK_EVERY)
        self.bury()
        self.answer.left = sorted(alive.values())
        for pid in alive:
            os.kill(pid, signal.SIGKILL)
        self.answer.gone_after = None if alive else time.monotonic() - signalled

    def bury(self) -> None:
        """Reap the orphans that have ended."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def look_around(self) -> None:
        for name, now in surroundings().items():
            setattr(self.answer, name, sorted(now - self.before[name]))


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    print(json.dumps(asdict(Reaper(Specification(**json.loads(sys.argv[1]))).run())))


if __name__ == "__main__":
    main()
