"""JSON messages with file descriptors over a local socket pair.

SOCK_SEQPACKET keeps message borders and reports the peer's death as an empty read, which is what
the lab's life hangs on.
"""

from __future__ import annotations

import array
import json
import os
import socket
from typing import Any

MAX_MESSAGE = 180_000
"""bytes; below the default socket buffer of Linux (212,992)"""
MAX_FDS = 250
"""descriptors in one message; the kernel's SCM_MAX_FD is 253"""


class ChannelClosed(Exception):
    """The other end is gone."""


class TooManyFiles(Exception):
    """Descriptors were sent that this process has no room for; none of them was kept."""


class Channel:
    """One end of a message channel."""

    def __init__(self, sock: socket.socket):
        self.sock = sock

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(left), cls(right)

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, message: dict[str, Any], fds: list[int] | tuple[int, ...] = ()) -> None:
        """Send one message; raises ChannelClosed when nobody is there any more."""
        data = json.dumps(message).encode()
        if len(data) > MAX_MESSAGE:
            raise ValueError(f"message of {len(data)} bytes exceeds {MAX_MESSAGE}")
        try:
            socket.send_fds(self.sock, [data], list(fds))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChannelClosed from error

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """Wait for one message; raises ChannelClosed at the end, TooManyFiles where descriptors were lost."""
        # recv_fds asks for MAX_FDS integers of room; array keeps the descriptors close-on-exec via MSG_CMSG_CLOEXEC.
        room = socket.CMSG_LEN(MAX_FDS * array.array("i").itemsize)
        try:
            data, ancillary, flags, _address = self.sock.recvmsg(MAX_MESSAGE + 1, room, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError as error:
            raise ChannelClosed from error
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        if not data:
            raise ChannelClosed
        if flags & socket.MSG_CTRUNC:
            for fd in fds:
                os.close(fd)
            raise TooManyFiles("too many open files: raise the limit (ulimit -n)")
        return json.loads(data), list(fds)

    def close(self) -> None:
        self.sock.close()
