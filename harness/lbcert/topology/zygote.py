"""The process that labs are forked from: everything imported, no thread, no socket of pytest's but one.

pytest starts one per session. For each lab it forks a parent, which enters new namespaces and forks the
lab's PID 1, the broker. Labs end when pytest does, whatever killed it: the broker reads end-of-file from
pytest, and, as second string, each process of the chain asked the kernel to be killed with its parent.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from typing import NoReturn

from . import linux
from .channel import Channel, ChannelClosed

_NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWIPC
)
ROOT_RANGE = 0x70000000
"""First id of a lab of root's. The design said `0 0 65536`; but then "root" of the lab would own /proc/sys and
every file of the machine, so a lab gets 65,536 ids that nobody has, as containers do."""


class NoIdRange(Exception):
    """The user has no subordinate ids."""


class NotInstalled(Exception):
    """A package that the lab's servers need cannot be loaded."""


def subordinate_range(path: str, uid: int, name: str) -> tuple[int, int]:
    """The largest (first, count) that `path` (/etc/subuid, /etc/subgid) grants; NoIdRange without one."""
    best = (0, 0)
    try:
        with open(path) as file:
            rows = [line.strip().split(":") for line in file if line.count(":") == 2]
    except OSError:
        rows = []
    for owner, first, count in rows:
        if owner in (name, str(uid)) and first.isdigit() and count.isdigit() and int(count) > best[1]:
            best = (int(first), int(count))
    if best[1] < 65535:
        taken = [int(first) + int(count) for _, first, count in rows if first.isdigit() and count.isdigit()]
        free = max([100000, *taken])
        raise NoIdRange(
            f"{path} grants {name} no 65,536 subordinate ids, which a lab needs so that products can change user; "
            f"as root: usermod --add-subuids {free}-{free + 65535} --add-subgids {free}-{free + 65535} {name}"
        )
    return best


def _map_ids(pid: int) -> None:
    """Give the new user namespace of `pid` its 65,536 ids."""
    if os.geteuid() == 0:
        for kind in ("uid", "gid"):
            with open(f"/proc/{pid}/{kind}_map", "w") as file:
                file.write(f"0 {ROOT_RANGE} 65536")
        return
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())  # as in a container that was given a bare number
    for kind, own in (("uid", os.getuid()), ("gid", os.getgid())):
        first, _count = subordinate_range(f"/etc/sub{kind}", os.getuid(), name)
        command = [f"new{kind}map", str(pid), "0", str(own), "1", "1", str(first), "65535"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise NoIdRange(f"{command[0]} is missing; as root: apt-get install uidmap") from None
        if done.returncode:
            raise NoIdRange(f"{' '.join(command)}: {done.stderr.strip()}")


def _start_lab(message: dict, fds: list[int]) -> int:
    """Fork one lab; returns the pid of its parent process. Errors go to the lab's own channel."""
    missing = _load(message["modules"])
    ask_read, ask_write = os.pipe()
    answer_read, answer_write = os.pipe()
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            if missing is not None:
                raise missing
            os.close(ask_read)
            os.close(answer_write)
            _lab_parent(message, fds, ask_write, answer_read, zygote)
        except BaseException as error:
            _report(fds[0], error)
        os._exit(1)
    os.close(ask_write)
    os.close(answer_read)
    try:
        if os.read(ask_read, 1):
            _map_ids(pid)
            os.write(answer_write, b"m")
    except (NoIdRange, OSError) as error:
        _report(fds[0], error)
    finally:
        os.close(ask_read)
        os.close(answer_write)
    return pid


def _load(modules: list[str]) -> NotInstalled | None:
    """Import what the lab's servers need; what is wrong with that, if anything."""
    try:
        for name in modules:
            importlib.import_module(name)
    except ImportError as error:
        return NotInstalled(f"{error}: run `make setup`")
    return None


def _report(fd: int, error: BaseException) -> None:
    text = "".join(traceback.format_exception(error)) if not isinstance(error, (OSError, NoIdRange, NotInstalled)) else ""
    try:
        Channel(socket.socket(fileno=os.dup(fd))).send({"event": "failed", "error": str(error), "detail": text})
    except (ChannelClosed, OSError):
        pass


def _lab_parent(message: dict, fds: list[int], ask: int, answer: int, zygote: int) -> NoReturn:
    linux.die_with_parent()
    if os.getppid() != zygote:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    linux.set_name("lbcert-lab")
    linux.unshare(_NAMESPACES)
    os.write(ask, b"u")
    if not os.read(answer, 1):
        os._exit(1)
    os.setresgid(0, 0, 0)
    os.setgroups([])
    os.setresuid(0, 0, 0)
    linux.die_with_parent()
    child = os.fork()
    if child == 0:
        from . import broker, unshared

        os.close(ask)
        os.close(answer)
        linux.die_with_parent()
        linux.allow_inspection()
        broker.serve(Channel(socket.socket(fileno=fds[0])), message, unshared.make)
    keep = {ask, answer}
    for fd in fds:
        if fd not in keep:
            os.close(fd)
    os.waitpid(child, 0)
    os._exit(0)


def main() -> NoReturn:
    """Serve one pytest process over the descriptor named in argv until it is gone."""
    from . import broker, unshared  # noqa: F401  imports everything a lab needs, once

    linux.die_with_parent()
    linux.set_name("lbcert-zygote")
    control = Channel(socket.socket(fileno=int(sys.argv[1])))
    labs: dict[int, int] = {}
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        control.send({"ready": True})
        while True:
            readable, _, _ = select.select([control, wake_read], [], [])
            if wake_read in readable:
                os.read(wake_read, 4096)
            for pid in list(labs):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    control.send({"gone": labs.pop(pid)})
            if control in readable:
                message, fds = control.receive()
                pid = _start_lab(message, fds)
                labs[pid] = message["lab"]
                for fd in fds:
                    os.close(fd)
    except ChannelClosed:
        os._exit(0)


if __name__ == "__main__":
    main()
