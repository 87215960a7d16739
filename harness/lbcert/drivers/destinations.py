"""The real servers of a product that cannot name them: users are sent through it, and the kernel notes where it connects.

Nothing is parsed and nobody is asked. In the scratch lab, where every address is the host's own, packet filter rules of
ours see each connection that the product opens.

1. The rules drop them, so every server is as well as any other. Each user is one connection under way to a server: these
   are the servers that take new users. The product is started anew for every few users, before it gives any of them up.
2. The rules reset them, so every server is dead. Whom the product tries now and did not try before is a backup.
"""

from __future__ import annotations

import ipaddress
import json
import select
import socket
import time
from collections.abc import Callable

from ..deadlines import PATIENCE
from ..topology.interface import Broker
from ..topology.plan import DUT_HOST
from . import callers
from .base import DriverError, Server

CALLERS = 700
"""users; a server that gets at least one user in 50 is missed with a chance of 0.98^700, which is below 1e-6"""
WAVE = 100
"""users of one process, each of whom takes up two of its connections until it ends"""
LAST = 20
"""users who find every server dead; the first of them is enough where the product tries all servers for each user"""

_NFT = "/usr/sbin/nft"
_SETS = {"four": ("ipv4_addr", "ip"), "six": ("ipv6_addr", "ip6")}
_TABLE = "lbcert_seen"

_PORTS = "10000-29999"
"""none that the kernel gives to users (ip_local_port_range)"""

_Seen = set[tuple[str, int, int]]
"""(address, port, source port) of connections that the product opened"""
Opening = Callable[[str], bytes]
"""a user's name -> the first bytes"""


def find(scratch: Broker, vip: tuple[str, int], restart: Callable[[], object], opening: Opening,
         keeps_port: bool = False, secure: bool = False) -> list[Server]:  # fmt: skip
    """Real servers behind `vip`, in order of their addresses, named by them; DriverError if users reach none.

    `restart` ends the product, if it runs, starts it, and returns when it accepts. `opening` is what users send first.
    `keeps_port`: the product connects from the client's own port. `secure`: users come over TLS.
    """
    callers.everywhere(scratch)
    active: set[tuple[str, int]] = set()
    for start in range(0, CALLERS, WAVE):
        restart()
        _watch(scratch, vip, "drop", keeps_port)
        active |= _first_choices(scratch, vip, range(start, start + WAVE), opening, secure)
    restart()
    _watch(scratch, vip, "reject with tcp reset", keeps_port)
    _all_refused(scratch, vip, range(CALLERS, CALLERS + LAST), opening, secure)
    tried = {(address, port) for address, port, _ in _seen(scratch)}
    ordered = sorted(active | tried, key=lambda server: (ipaddress.ip_address(server[0]).packed, server[1]))
    return [Server(address, address, port, (address, port) in active) for address, port in ordered]


def _watch(scratch: Broker, vip: tuple[str, int], then: str, keeps_port: bool) -> None:
    """Note every connection opened to anybody but the VIP and this host's own loopback, and do `then` with its packets."""
    family = "ip6" if ":" in vip[0] else "ip"
    sets = "\n".join(f"set {name} {{ type {kind} . inet_service . inet_service; flags dynamic; size 65535; }}"
                     for name, (kind, _) in _SETS.items())  # fmt: skip
    notes = "\n".join(f"add @{name} {{ {word} daddr . tcp dport . tcp sport }}" for name, (_, word) in _SETS.items())
    script = f"""add table inet {_TABLE}
delete table inet {_TABLE}
table inet {_TABLE} {{
{sets}
chain opened {{
{notes}
{then}
}}
chain out {{ type filter hook output priority 0;
ip daddr 127.0.0.0/8 accept
ip6 daddr ::1 accept
{family} daddr {vip[0]} tcp dport {vip[1]} accept
tcp flags & (syn|ack) == syn jump opened
}}
{_other_ports(vip, family) if keeps_port else ""}
}}
"""
    scratch.put_files(DUT_HOST, {"/run/lbcert/seen.nft": (script.encode(), 0o644)})
    status, text = scratch.run(DUT_HOST, [_NFT, "-f", "/run/lbcert/seen.nft"])
    if status:
        raise DriverError(f"the packet filter does not take the rules that find real servers: {text.strip()[:300]}")


def _other_ports(vip: tuple[str, int], family: str) -> str:
    """The product sees users with other ports than their own.

    Their sockets are in the same host as the product. One that keeps the client's port would find it taken.
    """
    return f"""chain onward {{ type nat hook postrouting priority 100;
{family} daddr {vip[0]} tcp dport {vip[1]} snat to :{_PORTS}
}}"""


def _seen(scratch: Broker) -> _Seen:
    status, text = scratch.run(DUT_HOST, [_NFT, "-j", "list", "table", "inet", _TABLE])
    if status:
        raise DriverError(f"nft list table: {text.strip()[:300]}")
    sets = [entry["set"] for entry in json.loads(text)["nftables"] if "set" in entry]
    return {tuple(element["concat"]) for one in sets for element in one.get("elem", ())}


def _users(numbers: range) -> dict[str, str]:
    """Addresses and names that differ from user to user, whichever of the two decides."""
    return {f"10.{number % 250}.{number // 250}.{number * 7 % 250 + 1}": f"caller{number * 7919 % 100_003:05d}"
            for number in numbers}  # fmt: skip


def _first_choices(scratch: Broker, vip: tuple[str, int], numbers: range, opening: Opening, secure: bool) -> set[tuple[str, int]]:
    """Where these users are sent while no server answers yet."""
    calling = _call(scratch, vip, numbers, opening, secure)
    try:
        deadline = time.monotonic() + PATIENCE["report"]
        while len(new := _seen(scratch)) < len(numbers):
            if time.monotonic() > deadline:
                raise DriverError(f"of {len(numbers)} users of {vip[0]} port {vip[1]} the product connects only {len(new)} to a "
                                  f"server within {PATIENCE['report']:g} s; see its output")  # fmt: skip
            scratch.request("tick")
        return {(address, port) for address, port, _ in new}
    finally:
        for sock in calling:
            sock.close()


def _all_refused(scratch: Broker, vip: tuple[str, int], numbers: range, opening: Opening, secure: bool) -> None:
    """Users for whom every server is dead: each is told when the product has tried whom it would try."""
    waiting = _call(scratch, vip, numbers, opening, secure)
    poll = select.poll()
    by_fd = {sock.fileno(): sock for sock in waiting}
    for sock in waiting:
        poll.register(sock, select.POLLIN)
    deadline = time.monotonic() + PATIENCE["report"]
    while by_fd and time.monotonic() < deadline:
        for fd, _ in poll.poll(100):
            poll.unregister(fd)
            by_fd.pop(fd)
    for sock in waiting:
        sock.close()


def _call(scratch: Broker, vip: tuple[str, int], numbers: range, opening: Opening, secure: bool) -> list[socket.socket]:
    users = _users(numbers)
    if ":" in vip[0]:
        users = {f"fd5c::{address.replace('.', ':')}": name for address, name in users.items()}
    return callers.call(scratch, vip, users, opening, secure)
