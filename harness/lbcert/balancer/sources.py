"""Where connections to servers come from: addresses of ours, and the ports that may be used on them."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass, field

from .address import Address, parse_host
from .document import Field

IP_BIND_ADDRESS_NO_PORT = 24
"""linux/in.h: the port is chosen when the destination is known, so that one port may serve several (ip(7))"""
_PENDING = (0, errno.EINPROGRESS)
_TAKEN = (errno.EADDRINUSE, errno.EADDRNOTAVAIL)


class Exhausted(OSError):
    """No address of ours has a free port for this destination."""


@dataclass(frozen=True, slots=True)
class Sources:
    """`addresses`: none to leave the choice to the kernel. `ports`: first and last; None for those of the kernel."""

    addresses: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None


@dataclass
class Origin:
    """Starts connections. A port serves one connection to one destination at a time, as the kernel has it."""

    sources: Sources | None
    _turn: dict[Address, int] = field(default_factory=dict)

    def start(self, destination: Address) -> socket.socket:
        """A socket on its way to `destination`; Exhausted if no port is left, another OSError if it cannot be tried."""
        addresses = [host for host in (self.sources.addresses if self.sources else ()) if (":" in host) == (":" in destination.host)]
        for host in addresses or [""]:
            for port in self._ports(destination):
                sock = socket.socket(destination.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                code = _begin(sock, host, port, destination)
                if code in _PENDING:
                    return sock
                sock.close()
                if code not in _TAKEN:
                    raise OSError(code, os.strerror(code))
        raise Exhausted(errno.EADDRNOTAVAIL, "no source port left")

    def _ports(self, destination: Address):
        if self.sources is None or self.sources.ports is None:
            yield 0
            return
        first, last = self.sources.ports
        count = last - first + 1
        # The next one each time: a port that was just left may still be in TIME_WAIT.
        begin = self._turn.get(destination, 0)
        for step in range(count):
            self._turn[destination] = (begin + step + 1) % count
            yield first + (begin + step) % count


def _begin(sock: socket.socket, host: str, port: int, destination: Address) -> int:
    """Binds if need be, and begins to connect; the error number."""
    if host or port:
        try:
            # Else a port in use with one destination could not be bound for another; connect finds out about real clashes.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if not port:
                sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((host, port))
        except OSError as error:
            return error.errno or errno.EADDRNOTAVAIL
    return sock.connect_ex((destination.host, destination.port))


def read_addresses(value: Field) -> tuple[str, ...]:
    """`["10.10.2.20", "10.10.2.21"]`"""
    hosts: list[str] = []
    for item in value.sequence():
        address = parse_host(item.text())
        if address is None:
            item.wrong(f"{item.text()[:60]!r} is not a numeric address", 'write "192.0.2.10", in quotes')
        if address.host in hosts:
            item.wrong(f"{address.host} is listed twice", "keep one of them")
        hosts.append(address.host)
    if not hosts:
        value.wrong("no address is listed", "add one, or remove the key")
    return tuple(hosts)


def read_ports(value: Field) -> tuple[int, int]:
    """`20000-20199`: the first and the last port."""
    first, dash, last = value.text().partition("-")
    if not (dash and first.isascii() and first.isdigit() and last.isascii() and last.isdigit()) or len(value.text()) > 11:
        value.wrong(f"{value.text()[:40]!r} is no range of ports", "write it as 20000-20199")
    if not 1024 <= int(first) <= int(last) <= 65_535:
        value.wrong(f"{value.text()} is no range of ports", "write two numbers from 1024 to 65535, the smaller one first")
    return int(first), int(last)
