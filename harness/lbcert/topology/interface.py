"""The one interface between labs and those who use them: a provider makes a lab, a `Broker` is pytest's end of it.

However a lab is made, it has a broker of ours inside (`broker.py`), which answers the same requests. So a provider has
little to say: whether it can work here, how to start a lab from a plan, and when one is gone. A lab ends when its
channel closes, on purpose or because pytest died; nothing else keeps it alive.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from .channel import MAX_FDS, Channel, ChannelClosed, TooManyFiles
from .plan import Plan

BUILD_PATIENCE = 20.0
"""s until a lab must stand; the harness's patience, no requirement"""
REPLY_PATIENCE = 15.0
"""s until the broker must have answered a request"""
RUN_PATIENCE = 20.0
"""s until a program of the product that is expected to end must have ended"""
_ENDED = "the lab ended by itself; its output is in harness.log of the run"


class LabError(Exception):
    """The lab could not do what was asked; one clear sentence."""


class Unavailable(Exception):
    """No lab can be made here; the message says why and what to do."""


class Provider(Protocol):
    """A way to make labs; one per pytest process. Made with the descriptor of a log, or None for no log."""

    shared: tuple[str, ...]
    """folders of this machine that every host of a lab sees at the same path"""

    def probe(self) -> None:
        """Find out whether labs can be made here; raises Unavailable with the reason and the ways on."""

    def start(self, plan: Plan, hosts: dict[str, str] | None = None, modules: Sequence[str] = ()) -> Broker:
        """Build a lab, in which `hosts` (name -> address) are known besides the plan's; raises LabError.

        `modules` of ours are loaded first: what few labs need, and none can load once it stands.
        """

    def wait_gone(self, number: int) -> None:
        """Wait until nothing is left of lab `number`, whose channel has been closed; raises LabError if it stays."""

    def alive(self) -> bool:
        """Whether `start` can work; a provider that was ended from outside is closed and made anew."""

    def close(self) -> None:
        """End whatever is left."""


class Broker:
    """pytest's end of one lab."""

    def __init__(self, provider: Provider, number: int, control: Channel):
        self.provider = provider
        self.number = number
        self.control = control
        self.on_event: Callable[[dict[str, Any]], None] = lambda event: None
        self.closed = False
        deadline = time.monotonic() + BUILD_PATIENCE
        while True:
            message, _ = self._receive(deadline)
            if message.get("event") == "built":
                return
            if message.get("event") == "failed":
                self.close()
                raise LabError(f"the lab could not be built: {message['error']}\n{message['detail']}".rstrip())

    def sees(self, path: Path) -> bool:
        """Whether a host finds this machine's file at the same path, so that it need not be copied in."""
        return str(path).startswith(self.provider.shared)

    def fileno(self) -> int:
        return self.control.fileno()

    def _receive(self, deadline: float) -> tuple[dict[str, Any], list[int]]:
        left = max(0.0, deadline - time.monotonic())
        if not readable(self.control, left):
            raise LabError("the lab's broker does not answer")
        try:
            return self.control.receive()
        except ChannelClosed:
            raise LabError(_ENDED) from None
        except TooManyFiles as error:
            raise LabError(str(error)) from None

    def pump(self) -> None:
        """Take in one event; call it when the channel is readable."""
        message, _ = self._receive(time.monotonic())
        self.on_event(message)

    def request(self, op: str, fds: list[int] | tuple[int, ...] = (), **arguments: Any) -> Any:
        return self.request_fds(op, fds, **arguments)[0]

    def request_fds(self, op: str, fds: list[int] | tuple[int, ...] = (), **arguments: Any) -> tuple[Any, list[int]]:
        """Ask the broker for `op` and wait for its reply; raises LabError with its reason if it refuses."""
        try:
            self.control.send({"op": op, **arguments}, fds)
        except ChannelClosed:
            raise LabError(_ENDED) from None
        deadline = time.monotonic() + REPLY_PATIENCE
        while True:
            message, received = self._receive(deadline)
            if "event" in message:
                self.on_event(message)
            elif "error" in message:
                raise LabError(f"{op}: {message['error']}")
            else:
                return message["reply"], received

    def mock(self, host: str, kind: str, config: dict[str, Any]) -> tuple[int, socket.socket]:
        """Start a mock server; returns its pid inside the lab and our end of its control stream."""
        ours, theirs = socket.socketpair()
        with theirs:
            reply = self.request("mock", [theirs.fileno()], host=host, kind=kind, config=config)
        ours.setblocking(False)
        return reply["pid"], ours

    def sockets(self, host: str, sources: Sequence[str | tuple[str, int]]) -> list[socket.socket]:
        """One non-blocking TCP socket of `host` per source address (or address and port), bound to it."""
        pairs = [(source, 0) if isinstance(source, str) else source for source in sources]
        made: list[socket.socket] = []
        for start in range(0, len(pairs), MAX_FDS):
            part = pairs[start : start + MAX_FDS]
            _, fds = self.request_fds("sockets", host=host, sources=part)
            # Told what they are, Python need not ask the kernel four times for each.
            made += [socket.socket(_family(source), socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP, fd)
                     for (source, _), fd in zip(part, fds, strict=True)]  # fmt: skip
        return made

    def put_files(self, host: str, files: dict[str, tuple[str | bytes, int]], directories: list[str] = ()) -> None:
        """Copy files into `host`: target path -> (path here, or the content itself; mode)."""
        entries = list(files.items())
        for start in range(0, max(1, len(entries)), 100):
            part = entries[start : start + 100]
            fds: list[int] = []
            try:
                for _, (source, _) in part:
                    fds.append(os.open(source, os.O_RDONLY) if isinstance(source, str) else _in_memory(source))
                described = [{"path": target, "mode": mode} for target, (_, mode) in part]
                self.request("files", fds, host=host, files=described, directories=list(directories))
            finally:
                for fd in fds:
                    os.close(fd)

    def unix(self, host: str, path: str) -> socket.socket:
        """A connection to a UNIX socket of `host`."""
        _, fds = self.request_fds("unix", host=host, path=path)
        return socket.socket(fileno=fds[0])

    def run(self, host: str, argv: list[str], cwd: str = "/", env: dict[str, str] | None = None) -> tuple[int, str]:
        """Run a program in `host` to its end; returns its status and what it wrote. LabError if it does not end."""
        exits: dict[int, int] = {}
        before = self.on_event

        def note(event: dict[str, Any]) -> None:
            if event["event"] == "exit":
                exits[event["pid"]] = event["status"]
            before(event)

        output = os.memfd_create("lbcert-output")
        self.on_event = note
        try:
            pid = self.request("spawn", [output], host=host, argv=argv, cwd=cwd, env=env)["pid"]
            deadline = time.monotonic() + RUN_PATIENCE
            while pid not in exits:
                if time.monotonic() > deadline:
                    self.kill(pid)
                    said = os.pread(output, 1 << 20, 0).decode(errors="replace").strip()[-1000:]
                    raise LabError(f"{argv[0]} did not end within {RUN_PATIENCE:g} s; until then it wrote: {said or 'nothing'}")
                self.request("tick")
            return exits[pid], os.pread(output, 1 << 20, 0).decode(errors="replace")
        finally:
            self.on_event = before
            os.close(output)

    def kill(self, pid: int) -> int:
        """SIGKILL, and wait until its sockets are closed; returns the time in ns."""
        return self.request("signal", pid=pid, number=int(signal.SIGKILL), wait=True)["t"]

    def close(self) -> None:
        """End the lab and wait until nothing of it is left."""
        if not self.closed:
            self.closed = True
            self.control.close()
            self.provider.wait_gone(self.number)


def _in_memory(content: bytes) -> int:
    """A file without a name."""
    fd = os.memfd_create("lbcert")
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(content)
    return fd


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def readable(channel: Channel, timeout: float) -> bool:
    """Whether something comes within `timeout` seconds; with poll, since descriptors above 1,023 are usual here."""
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    return bool(poll.poll(timeout * 1000))
