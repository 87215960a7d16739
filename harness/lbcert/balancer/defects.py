"""The switches that turn the ideal balancer into a faulty one: each overrides one decision, and nothing else.

A switch is a mixin over `policy.Policy`; its docstring is its one-line documentation, `value` what the configuration gave.
Several switches combine in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from .address import Address
from .document import Field
from .methods import HashPolicy, NullPolicy, TablePolicy
from .opening import NOTHING, Opening
from .policy import Policy, packed
from .server import Server
from .table import Entry

if TYPE_CHECKING:
    from .config import Config

Argument = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Switch:
    """`method`, `returns` and `key`: the persistence without which the switch would change nothing; None for any.

    `needs`: a key of the configuration without which it would change nothing; None for none.
    """

    defect: type
    argument: Callable[[Field], Argument]
    method: str | None
    returns: bool | None
    key: str | None
    needs: str | None

    @property
    def summary(self) -> str:
        return (self.defect.__doc__ or "").strip().splitlines()[0]


SWITCHES: dict[str, Switch] = {}


def policy_for(
    config: Config, servers: Sequence[Server], now: Callable[[], float], backups: Sequence[Server] = ()
) -> Policy:
    """The policy that `config` describes, its defects included."""
    if config.mode == "null":
        return NullPolicy(config, servers, now)
    base = TablePolicy if config.persistence.method == "table" else HashPolicy
    mixins = tuple(
        type(name, (SWITCHES[name].defect,), {"value": value}) for name, value in reversed(config.defects.items())
    )
    # A class attribute, so that it is there whatever a switch's own initialisation does.
    return type("Policy", (*mixins, base), {"backups": backups})(config, servers, now)


def _switch(
    name: str,
    argument: Callable[[Field], Argument],
    method: str | None = None,
    returns: bool | None = None,
    key: str | None = None,
    needs: str | None = None,
):
    def register(defect: type) -> type:
        SWITCHES[name] = Switch(defect, argument, method, returns, key, needs)
        return defect

    return register


_named_switch = partial(_switch, key="rdp-cookie")
"""a switch about names and requests, which a balancer that goes by the address does not see"""
_source_switch = partial(_switch, key="source")
"""a switch about clients that are known by their address, and about their ports"""


def _on(value: Field) -> bool:
    return value.choice("true") == "true"


def _every(value: Field) -> int:
    return value.whole(1, 1_000_000)


class Defect(Policy):
    """What all switches share. A subclass of Policy for the sake of `super()`; never used alone."""

    value: Argument


# -- reading and forwarding the request


@_named_switch("rewrite-cookie-case", lambda field: field.choice("lower", "upper"))
class _RewriteCookieCase(Defect):
    """Forwards the cookie's value in lower or upper case."""

    def forwarded(self, opening: Opening, buffer: bytes) -> bytes:
        buffer = super().forwarded(opening, buffer)
        cookie = opening.request.cookie if opening.request is not None else None
        if cookie is None:
            return buffer
        return _rewritten(opening, buffer, cookie=cookie.lower() if self.value == "lower" else cookie.upper())


@_named_switch("strip-correlation-info", _on)
class _StripCorrelationInfo(Defect):
    """Removes the correlation info, its flag included, and corrects the lengths."""

    def forwarded(self, opening: Opening, buffer: bytes) -> bytes:
        buffer = super().forwarded(opening, buffer)
        request = opening.request
        if request is None or request.correlation is None:
            return buffer
        negotiation = replace(request.negotiation, flags=int(request.negotiation.flags) & ~0x08)
        return _rewritten(opening, buffer, correlation=None, negotiation=negotiation)


@_named_switch("double-crlf", _on)
class _DoubleCrlf(Defect):
    """Sends CR LF twice after the cookie or token and corrects the lengths; the largest requests have no room for it."""

    def forwarded(self, opening: Opening, buffer: bytes) -> bytes:
        buffer = super().forwarded(opening, buffer)
        request = opening.request
        if request is None or not _named(opening):
            return buffer
        return _rewritten(opening, buffer, extra_text=b"\r\n" + request.extra_text)


def _rewritten(opening: Opening, buffer: bytes, **changes) -> bytes:
    """`buffer` with its request changed; unchanged where the request would become too long to encode."""
    original = opening.request.encode()
    if not buffer.startswith(original):
        # Another switch was here first.
        return buffer
    try:
        return replace(opening.request, **changes).encode() + buffer[len(original):]
    except ValueError:
        return buffer


@_named_switch("decide-on-first-segment", _on)
class _DecideOnFirstSegment(Defect):
    """Looks for the name in the first segment only; a request that came in pieces is balanced without a key."""

    def read(self, buffer: bytes) -> Opening | None:
        opening = super().read(buffer)
        return NOTHING if opening is None else opening


@_named_switch("decide-after-bytes", lambda field: field.whole(1, 65_535))
class _DecideAfterBytes(Defect):
    """Waits for that many bytes only, not for the whole request."""

    def read(self, buffer: bytes) -> Opening | None:
        opening = super().read(buffer)
        return NOTHING if opening is None and len(buffer) >= self.value else opening


@_named_switch("drop-without-cookie", _on)
class _DropWithoutCookie(Defect):
    """Closes requests that hold neither cookie nor token."""

    def admits(self, opening: Opening) -> bool:
        return super().admits(opening) and (opening.request is None or _named(opening))


@_named_switch("drop-bare-request", _on)
class _DropBareRequest(Defect):
    """Closes the 11-byte request, which holds nothing but its header."""

    def admits(self, opening: Opening) -> bool:
        return super().admits(opening) and (opening.request is None or opening.length > 11)


def _named(opening: Opening) -> bool:
    return opening.request.cookie is not None or opening.request.routing_token is not None


# -- the key of persistence


@_switch("forget-every", _every, method="table")
class _ForgetEvery(Defect):
    """Every Nth time that a known user comes, the user is balanced anew, to another server."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._known = 0

    def assigned(self, key: bytes) -> Server | None:
        entry = self.table.get(key)
        if entry is not None:
            self._known += 1
            if self._known % self.value == 0:
                other = self.balance((entry.server,))
                if other is not None:
                    self.table.forget(key)
                    self.table.put(key, other)
                    return other
        return super().assigned(key)


@_switch("key-includes-source-port", _on)
class _KeyIncludesSourcePort(Defect):
    """Keys on the user and the client's port."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        return None if key is None else key + b"\0port" + client.port.to_bytes(2, "big")


@_named_switch("key-includes-source", _on)
class _KeyIncludesSource(Defect):
    """Keys on the user and the client's address."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        return None if key is None else key + b"\0from" + packed(client)


@_named_switch("key-first-bytes", lambda field: field.whole(1, 255))
class _KeyFirstBytes(Defect):
    """Keys on the first N bytes of the name only."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        return None if key is None else key[: self.value]


@_named_switch("key-is-source", _on)
class _KeyIsSource(Defect):
    """Keys on the client's address alone, whatever the request says."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        return packed(client)


@_switch("all-to-first", _on, method="table")
class _AllToFirst(Defect):
    """Sends every new user to the first server that is up."""

    def place(self, key: bytes) -> Server | None:
        return next((server for server in self.servers if server.usable), None)


# -- failure and recovery


@_switch("keep-dead-server", _on)
class _KeepDeadServer(Defect):
    """Runs the checks but never marks a server down, and tries a dead one first for each of its users."""

    def marks_down(self, server: Server) -> bool:
        return False

    def move(self, entry: Entry, server: Server) -> None:
        pass


@_switch("no-redispatch", _on)
class _NoRedispatch(Defect):
    """Closes the client when the first server tried cannot be reached."""

    def after_failure(self, key: bytes | None, tried: Collection[Server]) -> Server | None:
        return None


@_switch("retry-dead-every", _every)
class _RetryDeadEvery(Defect):
    """While a server is down, every Nth new connection still tries it first, then goes elsewhere."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._since_down = 0

    def first(self, key: bytes | None) -> Server | None:
        dead = next((server for server in self.servers if not server.up), None)
        server = super().first(key)
        if dead is None or server is None:
            return server
        self._since_down += 1
        return dead if self._since_down % self.value == 0 else server


@_switch("keep-sessions", _on)
class _KeepSessions(Defect):
    """Leaves the sessions on a server open after marking it down."""

    def cut_delay(self) -> float | None:
        return None


@_switch("cut-sessions-late", Field.seconds)
class _CutSessionsLate(Defect):
    """Closes the sessions on a server only SECONDS after marking it down."""

    def cut_delay(self) -> float | None:
        return self.value


@_switch("never-fail-back", _on, method="table", returns=True)
class _NeverFailBack(Defect):
    """Moved users stay where they are, although the declared rule is that they return."""

    def returns(self, entry: Entry) -> bool:
        return False


@_switch("always-fail-back", _on, method="table", returns=False)
class _AlwaysFailBack(Defect):
    """Moved users go back to the recovered server, although the declared rule is that they stay."""

    def returns(self, entry: Entry) -> bool:
        return True


@_switch("fail-back-some", _every, method="table")
class _FailBackSome(Defect):
    """Every Nth of the moved users does the opposite of the declared rule."""

    def returns(self, entry: Entry) -> bool:
        declared = super().returns(entry)
        # Counted among moved users: a count of all users could coincide with the round of the servers.
        return declared if entry.ordinal is None or entry.ordinal % self.value else not declared


@_switch("slow-detection", lambda field: field.factor(1.0, 10_000.0))
class _SlowDetection(Defect):
    """Checks FACTOR times less often than declared."""

    def check_interval(self) -> float:
        return super().check_interval() * self.value
