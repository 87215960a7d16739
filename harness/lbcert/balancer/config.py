"""The balancer's configuration: text in, frozen values out.

Every problem is a `ConfigError`: file, line, field, remedy. Unknown keys and values are problems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .address import Address, parse_address, parse_host
from . import failure_defects, parse_defects, persistence_defects, session_defects, tls_defects  # noqa: F401  for their switches
from . import limit_defects, network_defects, pool_defects, pool_failure_defects, sip_defects  # noqa: F401
from .defects import SWITCHES, Argument
from .document import Field, read, suggestion
from .errors import ConfigError
from .sources import Sources, read_addresses, read_ports
from .stats import Stats, read_stats

__all__ = ["Config", "ConfigError", "HealthCheck", "Persistence", "parse"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_NULL_KEYS = ("mode", "listen", "servers", "connect_timeout", "control")
_LONGEST_KEEPALIVE = 32_767
"""s; what TCP_KEEPIDLE takes (tcp(7))"""
_LONGEST_SOCKET_PATH = 100
"""characters; sun_path holds 107 and a zero (unix(7))"""


@dataclass(frozen=True, slots=True)
class Persistence:
    """How a user is kept on one server.

    `key` is what a user is known by: the name in the cookie, or the address; with the latter nothing that a client sends is
    looked at, and one table is for all listeners. `timer` is the lifetime of an unused table entry, None for ever; `size` how many entries there may be, None for any number.
    """

    key: str = "rdp-cookie"
    method: str = "table"
    timer: float | None = None
    size: int | None = None
    returns_after_recovery: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`inter` runs from the end of one check to the start of the next, `timeout` is for each connection of a check and for the answer.

    `kind`: rdp asks for a Confirm, tcp connects, tls wants an answer to a ClientHello, sip connects and then wants an OPTIONS
    answered over TCP on `sip_port`. `port` is where the first connection goes, None for the server's own.
    """

    inter: float = 0.1
    fall: int = 3
    rise: int = 2
    timeout: float = 0.1
    kind: str = "rdp"
    port: int | None = None
    sip_port: int = 5060


@dataclass(frozen=True, slots=True)
class Config:
    mode: str
    listen: tuple[Address, ...]
    servers: Mapping[str, Address]
    persistence: Persistence = Persistence()
    balance: str = "roundrobin"
    inspect_delay: float = 5.0
    connect_timeout: float = 0.1
    health_check: HealthCheck = HealthCheck()
    on_marked_down: str = "shutdown-sessions"
    keepalive: int | None = None
    """s of silence after which a connection is probed (TCP_KEEPIDLE, and TCP_KEEPINTVL)"""
    idle_timeout: float | None = None
    """s of silence after which a session is ended, with FIN to both sides; None for never"""
    control: str | None = None
    """path of the administrator's UNIX socket"""
    backup: Mapping[str, Address] = field(default_factory=lambda: MappingProxyType({}))
    """servers for the time when no other is up; they are not checked"""
    maxconn: int | None = None
    """clients that are served at the same time; more of them wait to be accepted"""
    sources: Sources | None = None
    """where connections to servers come from; None to leave it to the kernel"""
    stats: Stats | None = None
    defects: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))


def parse(text: str, source: str) -> Config:
    """The configuration in `text`; `source` is the file name that errors carry."""
    root = read(text, source)
    known = set(Config.__dataclass_fields__) - {"sources"} | {"source_addresses", "source_ports"}
    fields = root.mapping(known, required=("mode", "listen", "servers"))
    mode = fields["mode"].choice("ideal", "null")
    if mode == "null":
        for key, value in fields.items():
            if key not in _NULL_KEYS:
                value.wrong("mode null does not look at it", "remove the key, or write `mode: ideal`")
    servers = _servers(fields["servers"])
    listen = _listen(fields["listen"], servers)
    persistence = _persistence(fields.get("persistence"))
    if persistence.key == "source" and "inspect_delay" in fields:
        fields["inspect_delay"].wrong("with key source nothing is waited for", "remove the key, or write `key: rdp-cookie`")
    options = {
        "balance": lambda f: f.choice("roundrobin", "leastconn"),
        "inspect_delay": Field.seconds,
        "connect_timeout": Field.seconds,
        "health_check": lambda f: _health_check(f, persistence),
        "on_marked_down": lambda f: f.choice("shutdown-sessions", "keep"),
        "keepalive": lambda f: f.whole(1, _LONGEST_KEEPALIVE),
        "idle_timeout": lambda f: None if f.text() == "none" else f.seconds(),
        "control": _control,
        "backup": lambda f: _backup(f, servers),
        "maxconn": lambda f: f.whole(1, 1_000_000),
        "stats": lambda f: read_stats(f, listen),
        "defects": lambda f: _defects(f, persistence, fields),
    }
    given = {key: convert(fields[key]) for key, convert in options.items() if key in fields}
    if "source_addresses" in fields or "source_ports" in fields:
        addresses, ports = fields.get("source_addresses"), fields.get("source_ports")
        given["sources"] = Sources(read_addresses(addresses) if addresses else (), read_ports(ports) if ports else None)
    if mode == "ideal" and not all(address.port for address in servers.values()):
        if given.get("health_check", HealthCheck()).port is None:
            fields["servers"].wrong("a server without a port cannot be checked", "write `health_check: {port: ...}`")
    return Config(mode, listen, servers, persistence, **given)


def _control(value: Field) -> str:
    path = value.text()
    if not path.startswith("/") or len(path) > _LONGEST_SOCKET_PATH:
        value.wrong(f"{path[:60]!r} is no path for a UNIX socket", "write an absolute one of at most 100 characters")
    return path


def _address(value: Field) -> Address:
    address = parse_address(value.text())
    if address is None:
        value.wrong(
            f"{value.text()[:60]!r} is not a numeric address with a port",
            'write "192.0.2.1:3389" or "[2001:db8::1]:3389", in quotes',
        )
    return address


def _server(value: Field) -> Address:
    """A server's address; without a port, that of the client's choice is kept."""
    return parse_host(value.text()) or _address(value)


def _backup(value: Field, others: Mapping[str, Address]) -> Mapping[str, Address]:
    backups = _servers(value)
    for name, item in value.mapping().items():
        if name in others:
            item.wrong(f"{name} is one of the servers", "give each server a name of its own")
        if backups[name] in others.values():
            item.wrong(f"{backups[name]} is one of the servers", "name a server for the time when those are gone")
    return backups


def _servers(value: Field) -> Mapping[str, Address]:
    servers: dict[str, Address] = {}
    for name, item in value.mapping().items():
        if not _NAME.fullmatch(name):
            item.wrong(f"{name[:60]!r} is not a server name", "use letters, digits, dot, dash and underscore")
        address = _server(item)
        if address in servers.values():
            item.wrong(f"{address} is listed twice", "give each server its own address")
        servers[name] = address
    if not servers:
        value.wrong("no server is listed", 'add one, as in {ts1: "192.0.2.1:3389"}')
    return MappingProxyType(servers)


def _listen(value: Field, servers: Mapping[str, Address]) -> tuple[Address, ...]:
    listen: list[Address] = []
    for item in value.sequence():
        address = _address(item)
        if address in listen:
            item.wrong(f"{address} is listed twice", "keep one of them")
        if address in servers.values() or Address(address.host, 0) in servers.values():
            item.wrong(f"{address} is a server as well", "listen on an address of the balancer")
        listen.append(address)
    if not listen:
        value.wrong("no address to listen on", 'add one, as in ["192.0.2.10:3389"]')
    return tuple(listen)


def _persistence(value: Field | None) -> Persistence:
    fields = value.mapping(Persistence.__dataclass_fields__) if value else {}
    key = fields["key"].choice("rdp-cookie", "source") if "key" in fields else "rdp-cookie"
    method = fields["method"].choice("table", "hash") if "method" in fields else "table"
    timer = None
    if "timer" in fields and fields["timer"].text() != "none":
        timer = fields["timer"].seconds()
        if method == "hash":
            fields["timer"].wrong("a hash keeps nothing that could expire", "write `timer: none`, or `method: table`")
    size = None
    if "size" in fields:
        size = fields["size"].whole(1, 1_000_000)
        if method == "hash":
            fields["size"].wrong("a hash keeps nothing that could fill up", "remove the key, or write `method: table`")
    returns = method == "hash"
    if "returns_after_recovery" in fields:
        returns = fields["returns_after_recovery"].switch()
        if method == "hash" and not returns:
            fields["returns_after_recovery"].wrong(
                "with a hash users always return", "write `returns_after_recovery: true`, or `method: table`"
            )
    return Persistence(key, method, timer, size, returns)


def _health_check(value: Field, persistence: Persistence) -> HealthCheck:
    options = {
        "inter": Field.seconds,
        "fall": lambda f: f.whole(1, 1000),
        "rise": lambda f: f.whole(1, 1000),
        "timeout": Field.seconds,
        "kind": lambda f: f.choice("rdp", "tcp", "tls", "sip"),
        "port": _port,
        "sip_port": _port,
    }
    fields = value.mapping(options)
    chosen = {key: options[key](item) for key, item in fields.items()}
    chosen.setdefault("kind", "tcp" if persistence.key == "source" else "rdp")
    if "sip_port" in fields and chosen["kind"] != "sip":
        fields["sip_port"].wrong(f"a check of kind {chosen['kind']} has no use for it", "write `kind: sip`, or remove the key")
    return HealthCheck(**chosen)


def _port(value: Field) -> int:
    return value.whole(1, 65_535)


def _defects(value: Field, persistence: Persistence, given: Mapping[str, Field]) -> Mapping[str, Argument]:
    chosen: dict[str, Argument] = {}
    for name, item in value.mapping().items():
        switch = SWITCHES.get(name)
        if switch is None:
            item.wrong(f"unknown defect {name!r}", suggestion(name, sorted(SWITCHES)))
        if switch.method not in (None, persistence.method):
            item.wrong(f"has no effect with method {persistence.method}", f"write `method: {switch.method}`")
        if switch.key not in (None, persistence.key):
            item.wrong(f"has no effect with key {persistence.key}", f"write `key: {switch.key}`")
        if switch.needs not in (None, *given):
            item.wrong(f"has no effect without {switch.needs}", f"add a line `{switch.needs}: ...`")
        if switch.returns not in (None, persistence.returns_after_recovery):
            word = "true" if switch.returns else "false"
            item.wrong("has no effect here", f"write `persistence: {{returns_after_recovery: {word}}}`")
        chosen[name] = switch.argument(item)
    return MappingProxyType(chosen)
