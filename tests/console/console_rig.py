"""A terminal with `lbcert` in it, as a person has one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 40.0
"""s; a lab is up in one, on a machine that has nothing else to do"""
LBCERT = [sys.executable, "-m", "lbcert.cli"]


def lbcert(*words: str, **more) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal, to its end."""
    return subprocess.run([*LBCERT, *words], capture_output=True, text=True, timeout=PATIENCE, check=False, **more)


class Terminal:
    """One command on a terminal of 30 rows and 100 columns."""

    def __init__(self, *words: str):
        self.status: int | None = None
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(LBCERT[0], [*LBCERT, *words])
        self.resize(30, 100)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        self.seen = ""
        os.write(self.fd, text.encode())

    def read(self, pattern: str) -> str:
        """What came until a regular expression matched."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            assert time.monotonic() < deadline and self._more(deadline), f"{pattern!r} not in {self.seen!r}"
        return self.seen

    def _more(self, deadline: float) -> bool:
        if select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.seen += data.decode(errors="replace")
            return bool(data)
        return False

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while self._more(deadline):
            pass
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def end(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGTERM)
            self.wait()
        os.close(self.fd)
