"""The control socket of a lab that stays up: requests from the same user's other terminals.

One JSON message per request (`topology.channel`). A request for a program keeps its connection until the program
has ended, and the program ends when the connection does.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

from ..loop import READ
from ..topology.channel import Channel, ChannelClosed, TooManyFiles
from . import table
from .runtime import Place
from .standing import Refused, StandingLab

REPLY_PATIENCE = 30.0
"""s until a lab must have answered; a crashed server's restart is a part of it"""


class Control:
    """The lab's end. `serve` answers what has come in, outside of the loop, since a fault runs the loop itself."""

    def __init__(self, standing: StandingLab, place: Place):
        self._standing = standing
        self._loop = standing.lab.loop
        self._waiting: list[tuple[Channel, dict[str, Any], list[int]]] = []
        self._programs: dict[int, Channel] = {}
        self._open: set[Channel] = set()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(place.socket)
        self._listener.listen(16)
        self._listener.setblocking(False)
        self._loop.watch(self._listener.fileno(), READ, lambda _events: self._accept())

    def close(self) -> None:
        self._listener.close()
        for channel in list(self._open):
            channel.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        sock.setblocking(True)
        user = struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
        if user not in (0, os.geteuid()):
            sock.close()
            return
        channel = Channel(sock)
        self._open.add(channel)
        self._loop.watch(channel.fileno(), READ, lambda _events: self._read(channel))

    def _read(self, channel: Channel) -> None:
        try:
            message, fds = channel.receive()
        except (ChannelClosed, TooManyFiles, OSError):
            self._drop(channel)
            return
        except ValueError:
            message, fds = {}, []  # no JSON
        self._waiting.append((channel, message if isinstance(message, dict) else {}, fds))

    def _drop(self, channel: Channel) -> None:
        if channel not in self._open:
            return
        self._open.discard(channel)
        self._loop.forget(channel.fileno())
        channel.close()
        for pid in [pid for pid, theirs in self._programs.items() if theirs is channel]:
            del self._programs[pid]
            self._standing.hang_up(pid)

    def serve(self) -> None:
        """Answer the requests that have come in, and tell who waits for a program that it has ended."""
        waiting, self._waiting = self._waiting, []
        for channel, message, fds in waiting:
            try:
                reply, out = self._answer(channel, message, fds)
            except Refused as error:
                reply, out = {"refused": str(error)}, []
            finally:
                for fd in fds:
                    os.close(fd)
            self._send(channel, reply, out)
            for fd in out:
                os.close(fd)
        for pid, channel in list(self._programs.items()):
            if (status := self._standing.ended(pid)) is not None:
                del self._programs[pid]
                self._send(channel, {"ended": status})

    def _send(self, channel: Channel, message: dict[str, Any], fds: list[int] = ()) -> None:
        try:
            channel.send(message, fds)
        except (ChannelClosed, OSError):
            self._drop(channel)

    def _answer(self, channel: Channel, message: dict[str, Any], fds: list[int]) -> tuple[dict[str, Any], list[int]]:
        match message:
            case {"do": "fault", "server": str(server), "fault": str(fault), "ports": list(ports)}:
                if not all(isinstance(port, int) for port in ports):
                    raise Refused("a port is a number")
                return {"done": self._standing.disturb(server, fault, ports)}, []
            case {"do": "state"}:
                return {"done": "\n".join(table.state(self._standing))}, []
            case {"do": "program", "host": str(host), "argv": [str(), *_] as argv, "env": dict(env),
                  "terminal": None | [int(), int()] as terminal}:
                pid, end = self._standing.start(host, argv, env, terminal, fds)
                self._programs[pid] = channel
                return {"done": pid}, [] if end is None else [end]
            case {"do": "signal", "pid": int(pid), "number": int(number)} if self._programs.get(pid) is channel:
                self._standing.signal(pid, number)
                return {"done": pid}, []
        raise Refused("the lab does not know this request; is it another version of lbcert?")


class Remote:
    """Another terminal's end of it."""

    def __init__(self, place: Place):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            sock.connect(place.socket)
        except OSError:
            # Its lock is held, so it lives; it is about to listen or to end.
            raise Refused(f"lab {place.number} ({place.about}) does not answer: it is starting, or ending") from None
        sock.settimeout(REPLY_PATIENCE)
        self.channel = Channel(sock)

    def ask(self, do: str, fds: list[int] = (), **arguments: Any) -> tuple[Any, list[int]]:
        """Send one request; returns its answer and descriptors, raises Refused with the lab's reason."""
        try:
            self.channel.send({"do": do, **arguments}, list(fds))
            message, received = self.channel.receive()
        except TimeoutError:
            raise Refused(f"the lab does not answer within {REPLY_PATIENCE:g} s") from None
        except (ChannelClosed, OSError):
            raise Refused("the lab has ended") from None
        if "refused" in message:
            raise Refused(message["refused"])
        return message["done"], received

    def close(self) -> None:
        self.channel.close()
