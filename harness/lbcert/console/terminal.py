"""A person's terminal, tied to the terminal of a program in the lab."""

from __future__ import annotations

import os
import select
import signal
import termios
import tty
from typing import Any

from ..loop import READ, WRITE, Loop
from ..topology.program import set_size

_CHUNK = 65536


def interactive() -> bool:
    """Whether a person sits at both ends, so that a program needs a terminal of its own."""
    return os.isatty(0) and os.isatty(1)


def size(fd: int = 1) -> list[int]:
    """Rows and columns of the person's terminal; one that does not know says 0."""
    found = os.get_terminal_size(fd)
    return [found.lines or 24, found.columns or 80]


def environment() -> dict[str, str]:
    """What a program on a terminal wants to know of ours; nothing else of our environment goes into a lab."""
    names = ("TERM", "COLORTERM")
    return {"PS1": r"\h:\w\$ ", **{name: os.environ[name] for name in names if name in os.environ}}


class Bridge:
    """Passes bytes both ways, Ctrl-C and Ctrl-Z among them, and follows the size, until it is closed."""

    def __init__(self, loop: Loop, far: int):
        self._loop, self._far = loop, far
        self._pending = b""
        self.hung_up = False
        """whether the person's terminal is gone"""
        self._near, self._out = 0, 1
        self._saved = termios.tcgetattr(self._near)
        self._resized: Any = signal.signal(signal.SIGWINCH, lambda *_: set_size(self._far, size()))
        os.set_blocking(far, False)
        tty.setraw(self._near)
        loop.watch(self._near, READ, lambda _events: self._typed())
        loop.watch(far, READ, self._heard)

    def _typed(self) -> None:
        try:
            data = os.read(self._near, _CHUNK)
        except OSError:
            data = b""
        if not data:
            self.hung_up = True
            self._loop.forget(self._near)
            return
        self._pending += data
        self._flush()

    def _flush(self) -> None:
        try:
            while self._pending:
                self._pending = self._pending[os.write(self._far, self._pending) :]
        except BlockingIOError:
            pass
        except OSError:
            self._pending = b""
        if self._pending:
            # A program that does not read is typed to no further, as on any terminal.
            self._loop.forget(self._near)
            self._loop.watch(self._far, READ | WRITE, self._heard)
        elif not self.hung_up:
            self._loop.watch(self._near, READ, lambda _events: self._typed())
            self._loop.watch(self._far, READ, self._heard)

    def _heard(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & ~WRITE and not self._pass():
            self._loop.forget(self._far)

    def _pass(self) -> bool:
        """Show what the program wrote; False when nobody holds the terminal's other end any more."""
        try:
            data = os.read(self._far, _CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        view = memoryview(data)
        while view:
            view = view[os.write(self._out, view) :]
        return bool(data)

    def close(self) -> None:
        """Show the rest, and give the person's terminal back as it was."""
        try:
            while self._readable() and self._pass():
                pass
        finally:
            for fd in (self._near, self._far):
                self._loop.forget(fd)
            signal.signal(signal.SIGWINCH, self._resized)
            termios.tcsetattr(self._near, termios.TCSADRAIN, self._saved)
            os.close(self._far)

    def _readable(self) -> bool:
        poll = select.poll()
        poll.register(self._far, select.POLLIN)
        return any(events & select.POLLIN for _, events in poll.poll(0))
