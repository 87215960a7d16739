"""The balancer's configuration: text in, frozen values out.

Every problem is a `ConfigError`: file, line, field, remedy. Unknown keys and values are problems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .address import Address, parse_address
from . import failure_defects, parse_defects, persistence_defects, session_defects, tls_defects  # noqa: F401  for their switches
from .defects import SWITCHES, Argument
from .document import Field, read, suggestion
from .errors import ConfigError

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

    `timer` is the lifetime of an unused table entry, None for ever; `size` how many entries there may be, None for any number.
    """

    key: str = "rdp-cookie"
    method: str = "table"
    timer: float | None = None
    size: int | None = None
    returns_after_recovery: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`inter` runs from the end of one check to the start of the next."""

    inter: float = 0.1
    fall: int = 3
    rise: int = 2
    timeout: float = 0.1
    kind: str = "rdp"


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
    defects: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))


def parse(text: str, source: str) -> Config:
    """The configuration in `text`; `source` is the file name that errors carry."""
    root = read(text, source)
    fields = root.mapping((name for name in Config.__dataclass_fields__), required=("mode", "listen", "servers"))
    mode = fields["mode"].choice("ideal", "null")
    if mode == "null":
        for key, value in fields.items():
            if key not in _NULL_KEYS:
                value.wrong("mode null does not look at it", "remove the key, or write `mode: ideal`")
    servers = _servers(fields["servers"])
    listen = _listen(fields["listen"], servers)
    persistence = _persistence(fields.get("persistence"))
    options = {
        "balance": lambda f: f.choice("roundrobin", "leastconn"),
        "inspect_delay": Field.seconds,
        "connect_timeout": Field.seconds,
        "health_check": _health_check,
        "on_marked_down": lambda f: f.choice("shutdown-sessions", "keep"),
        "keepalive": lambda f: f.whole(1, _LONGEST_KEEPALIVE),
        "idle_timeout": lambda f: None if f.text() == "none" else f.seconds(),
        "control": _control,
        "defects": lambda f: _defects(f, persistence),
    }
    given = {key: convert(fields[key]) for key, convert in options.items() if key in fields}
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


def _servers(value: Field) -> Mapping[str, Address]:
    servers: dict[str, Address] = {}
    for name, item in value.mapping().items():
        if not _NAME.fullmatch(name):
            item.wrong(f"{name[:60]!r} is not a server name", "use letters, digits, dot, dash and underscore")
        address = _address(item)
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
        if address in servers.values():
            item.wrong(f"{address} is a server as well", "listen on an address of the balancer")
        listen.append(address)
    if not listen:
        value.wrong("no address to listen on", 'add one, as in ["192.0.2.10:3389"]')
    return tuple(listen)


def _persistence(value: Field | None) -> Persistence:
    fields = value.mapping(Persistence.__dataclass_fields__) if value else {}
    if "key" in fields:
        fields["key"].choice("rdp-cookie")
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
    return Persistence("rdp-cookie", method, timer, size, returns)


def _health_check(value: Field) -> HealthCheck:
    options = {
        "inter": Field.seconds,
        "fall": lambda f: f.whole(1, 1000),
        "rise": lambda f: f.whole(1, 1000),
        "timeout": Field.seconds,
        "kind": lambda f: f.choice("rdp", "tcp"),
    }
    fields = value.mapping(options)
    return HealthCheck(**{key: options[key](item) for key, item in fields.items()})


def _defects(value: Field, persistence: Persistence) -> Mapping[str, Argument]:
    chosen: dict[str, Argument] = {}
    for name, item in value.mapping().items():
        switch = SWITCHES.get(name)
        if switch is None:
            item.wrong(f"unknown defect {name!r}", suggestion(name, sorted(SWITCHES)))
        if switch.method not in (None, persistence.method):
            item.wrong(f"has no effect with method {persistence.method}", f"write `method: {switch.method}`")
        if switch.returns not in (None, persistence.returns_after_recovery):
            word = "true" if switch.returns else "false"
            item.wrong("has no effect here", f"write `persistence: {{returns_after_recovery: {word}}}`")
        chosen[name] = switch.argument(item)
    return MappingProxyType(chosen)
