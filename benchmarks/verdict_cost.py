"""What a verdict costs as users grow: time and memory of checks over histories of 1,000, 10,000 and 100,000 users.

The histories are made up, event for event as a lab writes them, with three servers that behave. Each size has a process of
its own. Time must grow with users and no faster. Ten times the users take ten times as long if it does, more where the smaller
history fits into the caches of the processor and the larger does not, and a hundred times if it grows with the square: the
bound lies between.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

from _figures import Figures

from lbcert.clients.rdp import connection_request
from lbcert.evidence import checks
from lbcert.evidence.finding import Finding
from lbcert.evidence.history import Event, History
from lbcert.verdicts import Verdict

SIZES = (1_000, 10_000, 100_000)
TIMES = 3
FASTER_THAN = 30.0
"""times as long for ten times the users, at most: as far from linear (10) as from quadratic (100)"""
_ZERO, _SECOND = 1_700_000_000_000_000_000, 1_000_000_000
_SERVERS = ("ts1", "ts2", "ts3")
_DECLARES = {"health_check": {"inter": 2.0, "fall": 3, "rise": 2, "timeout": 2.0, "kind": "tcp"}}


class Story:
    """A history in the making; its clock goes on by a millisecond with each visit."""

    def __init__(self, users: int):
        self.random = random.Random(users)
        self.users = [f"user{number:06d}" for number in range(users)]
        self.home = {user: self.random.choice(_SERVERS) for user in self.users}
        self.events: list[Event] = [
            {"t": _ZERO, "who": "harness", "kind": "setup", "servers": list(_SERVERS), "declares": _DECLARES}
        ]
        self.now, self.count = _ZERO, 0
        self.connections = dict.fromkeys(_SERVERS, 0)

    def visit(self, user: str, server: str, label: str = "") -> None:
        self.count += 1
        self.now += _SECOND // 1000
        self.connections[server] += 1
        number, port, t = self.connections[server], 32768 + self.count % 28000, self.now
        source = f"10.{self.count >> 16 & 255}.{self.count >> 8 & 255}.{self.count & 255}"
        packet = connection_request(user).hex()
        held = label == "held"
        self.events += [
            {"t": t + 200, "who": server, "kind": "accept", "conn": number, "peer": ["192.168.0.1", port],
             "local": [server, 3389]},
            {"t": t + 300, "who": server, "kind": "request", "conn": number, "bytes": packet, "rest": 0},
            {"t": t + 600, "who": "client", "kind": "visit", "visit": self.count, "user": user, "label": label, "source": source,
             "port": port, "started": t, "outcome": "answered", "answered": t + 500, "server": server, "conn": number & 0xFFF,
             "sent": packet, "answer": "0300000b06d00000100100", "held": held},
            {"t": t, "who": "capture", "kind": "flow", "link": "client:eth0", "client": source, "cport": port, "server": "vip",
             "sport": 3389, "syns": 1, "syn": t, "synack": t + 50, "data_to_server": t + 100, "data_to_client": t + 500},
        ]  # fmt: skip

    def add(self, seconds: float, who: str, kind: str, **facts: Any) -> None:
        self.now += int(seconds * _SECOND)
        self.events.append({"t": self.now, "who": who, "kind": kind, **facts})

    def several(self, labels: tuple[str, ...], dead: str | None = None) -> None:
        """All users once for each label, in an order of its own; with a dead server, on one of the others."""
        living = [server for server in _SERVERS if server != dead]
        for label in labels:
            for user in self.random.sample(self.users, len(self.users)):
                home = self.home[user]
                self.visit(user, living[self.count % 2] if home == dead else home, label)


def persistence(story: Story) -> None:
    story.several(("", ""))


def a_crash(story: Story) -> None:
    story.add(1, "lab", "fault", fault="crash", server="ts1")
    story.several(("during",), "ts1")
    for name in ("busy", "over", "quiet", "end"):
        story.add(4, "harness", "mark", name=name)


def sessions_cut(story: Story) -> None:
    story.several(("held",))
    story.add(1, "lab", "fault", fault="dark", server="ts1")
    dead = {(event["source"], event["port"]) for event in story.events if event["kind"] == "visit" and event["server"] == "ts1"}
    for event in story.events:
        if event["kind"] == "flow" and (event["client"], event["cport"]) in dead:
            event["rst_to_client"] = story.now + 12 * _SECOND
    for name in ("busy", "over", "quiet", "end"):
        story.add(4, "harness", "mark", name=name)


CHECKS: dict[str, tuple[Callable[[Story], None], Callable[[History], Finding]]] = {
    "RDP-PERSIST-01, two visits of each user": (persistence, lambda history: checks.one_server_per_user(history, visits_each=2)),
    "RDP-PERSIST-03": (lambda story: story.several(("names",)), checks.users_are_spread),
    "RDP-PARSE-01": (lambda story: story.several(("vector",)), checks.arrives_unchanged),
    "RDP-FAIL-01": (a_crash, checks.dead_server_is_left),
    "RDP-FAIL-05": (sessions_cut, lambda history: checks.sessions_are_cut(history, fault="dark")),
}


def judged(name: str, users: int, answer) -> None:
    """In a process of its own: (processor seconds of each judgement, KiB that history and judgement took at most)."""
    make, check = CHECKS[name]
    gc.freeze()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    story = Story(users)
    make(story)
    history = History(events=story.events)
    seconds = []
    for _ in range(TIMES):
        began = time.process_time()
        finding = check(history)
        seconds.append(time.process_time() - began)
        if finding.verdict is not Verdict.PASS:
            raise RuntimeError(f"{name}: {finding.verdict}, {finding.observed[:300]}")
    answer.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))


def measured(name: str, sizes: tuple[int, ...]) -> Iterator[tuple[int, list[float], int]]:
    context = multiprocessing.get_context("fork")
    for users in sizes:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=judged, args=(name, users, theirs))
        worker.start()
        theirs.close()
        yield users, *ours.recv()  # EOFError where the worker ended without an answer
        worker.join()


def main() -> None:
    figures = Figures(__doc__)
    sizes = SIZES[:2] if figures.quick else SIZES
    for name in CHECKS:
        before = None
        for users, seconds, size in measured(name, sizes):
            figures.add(f"{name}, {users:,} users", [one * 1000 for one in seconds], "ms")
            figures.add(f"{name}, {users:,} users: history and judgement in memory", size / 1024, "MiB")
            if before:
                times = min(seconds) / before
                figures.add(f"{name}, {users:,} users: times as long as with a tenth", times, "", at_most=FASTER_THAN)
            before = min(seconds)
    figures.save()


if __name__ == "__main__":
    main()
