"""A program that a person starts in a host of the lab, as opposed to the product: with a terminal, or in a pipeline."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from typing import NoReturn

from . import linux

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""exit statuses of a program that could not be started, as shells have them"""


def open_terminal(size: list[int]) -> tuple[int, int]:
    """Both ends of a new terminal of the lab (ours, the program's); `size` is (rows, columns)."""
    ours, theirs = os.openpty()
    set_size(ours, size)
    return ours, theirs


def set_size(terminal: int, size: list[int] | tuple[int, int]) -> None:
    """Tell a terminal, and who runs in it, how many rows and columns it has."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))


def become(argv: list[str], env: dict[str, str], streams: list[int], terminal: bool) -> NoReturn:
    """Execute `argv` in place of this process, which leads a session of its own and is in the host already."""
    if terminal:
        # Job control and Ctrl-C need a controlling terminal.
        fcntl.ioctl(streams[0], termios.TIOCSCTTY, 0)
    for number, stream in enumerate([os.dup(stream) for stream in streams]):
        os.dup2(stream, number)
    os.closerange(3, max(3, *streams) + 4)
    os.chdir("/root")
    linux.no_new_privileges()
    environment = {"PATH": PATH, "HOME": "/root", "USER": "root", "LANG": "C.UTF-8", **env}
    try:
        os.execvpe(argv[0], argv, environment)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode(errors="replace"))
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)
