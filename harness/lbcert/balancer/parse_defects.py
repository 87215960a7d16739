"""The switches about the first exchange: the Confirm and what follows, slow clients, malformed and odd requests."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lbcert.wire import (
    ConnectionConfirm,
    Decoded,
    NeedMore,
    NegotiationFailure,
    NegotiationResponse,
)

from .address import Address
from .defects import Defect
from .defects import _every as every
from .defects import _on as on
from .defects import _named_switch as named_switch
from .defects import _switch as switch
from .document import Field
from .opening import Opening
from .server import Server

if TYPE_CHECKING:
    from .config import Config

EXIT_CRASH = 139
_NAME = re.compile(rb"mstshash=([^\r\n]*?)(?:[\0\r\n]|\x01\0\x08\0)")
_FOR_EVER = 86_400.0


# -- the Confirm, and what follows it


class _Confirms:
    """Changes the server's Confirm once it is whole; what follows passes as it is."""

    def __init__(self, change: Callable[[ConnectionConfirm], ConnectionConfirm]) -> None:
        self._change = change
        self._held: bytes | None = b""

    def __call__(self, data: bytes) -> bytes:
        if self._held is None:
            return data
        data = self._held + data
        outcome = ConnectionConfirm.decode(data)
        if isinstance(outcome, NeedMore):
            self._held = data
            return b""
        self._held = None
        return self._change(outcome.value).encode() + outcome.rest if isinstance(outcome, Decoded) else data


class _Loses:
    """Loses one byte behind the first so many."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, data: bytes) -> bytes:
        place, self._left = self._left, self._left - len(data)
        return data[:place] + data[place + 1 :] if 0 <= place < len(data) else data


class _Swaps:
    """Hands two neighbouring blocks of 256 bytes on in the wrong order, once, behind the first so many bytes."""

    def __init__(self, after: int) -> None:
        self._left = after
        self._done = False

    def __call__(self, data: bytes) -> bytes:
        place, self._left = max(0, self._left), self._left - len(data)
        if self._done or place + 512 > len(data):
            return data
        self._done = True
        return data[:place] + data[place + 256 : place + 512] + data[place : place + 256] + data[place + 512 :]


class _ConfirmDefect(Defect):
    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        return _Confirms(lambda confirm: self.changed(opening, confirm)) if towards == "client" else None

    def changed(self, opening: Opening, confirm: ConnectionConfirm) -> ConnectionConfirm:
        raise NotImplementedError


@named_switch("clear-confirm-flags", on)
class _ClearConfirmFlags(_ConfirmDefect):
    """Clears the flags of the server's choice in the Confirm."""

    def changed(self, opening: Opening, confirm: ConnectionConfirm) -> ConnectionConfirm:
        if not isinstance(confirm.negotiation, NegotiationResponse):
            return confirm
        return replace(confirm, negotiation=replace(confirm.negotiation, flags=0))


@named_switch("replace-failure-code", on)
class _ReplaceFailureCode(_ConfirmDefect):
    """Tells clients that are refused that the server does TLS only, whatever the server said."""

    def changed(self, opening: Opening, confirm: ConnectionConfirm) -> ConnectionConfirm:
        if not isinstance(confirm.negotiation, NegotiationFailure):
            return confirm
        return replace(confirm, negotiation=replace(confirm.negotiation, code=1))


@named_switch("confirm-always-negotiated", on)
class _ConfirmAlwaysNegotiated(_ConfirmDefect):
    """Adds negotiation data to the Confirm of clients that sent none."""

    def changed(self, opening: Opening, confirm: ConnectionConfirm) -> ConnectionConfirm:
        request = opening.request
        if request is None or request.negotiation is not None or confirm.negotiation is not None:
            return confirm
        return replace(confirm, negotiation=NegotiationResponse(0))


@switch("lose-byte-to-client", every)
class _LoseByteToClient(Defect):
    """Loses one byte of each session behind the first N towards the client."""

    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        return _Loses(self.value) if towards == "client" else None


@switch("swap-blocks-to-server", every)
class _SwapBlocksToServer(Defect):
    """Exchanges two blocks of each session behind the first N bytes towards the server."""

    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        return _Swaps(self.value) if towards == "server" else None


@named_switch("drop-without-negotiation", on)
class _DropWithoutNegotiation(Defect):
    """Closes requests with a name and without negotiation data, as old clients send them."""

    def admits(self, opening: Opening) -> bool:
        request = opening.request
        old = request is not None and request.negotiation is None and request.cookie is not None
        return super().admits(opening) and not old


# -- waiting for the request


@named_switch("hold-until-timer", lambda field: field.choice("bare", "token"))
class _HoldUntilTimer(Defect):
    """Keeps the bare 11-byte request (or those with a token) until the inspection timer ends."""

    def read(self, buffer: bytes) -> Opening | None:
        opening = super().read(buffer)
        request = opening.request if opening else None
        if request is None:
            return opening
        bare = opening.length == 11
        token = request.routing_token is not None and request.cookie is None
        return None if (bare if self.value == "bare" else token) else opening


@named_switch("wait-for-ever", on)
class _WaitForEver(Defect):
    """Has no inspection timer: a client that says nothing is waited for."""

    def inspect_delay(self) -> float | None:
        return _FOR_EVER


@named_switch("first-byte-stops-timer", on)
class _FirstByteStopsTimer(Defect):
    """Bounds silent clients, but not those that have sent a part of their request."""

    def bounds(self, buffer: bytes) -> bool:
        return False


@named_switch("inspection-slots", every)
class _InspectionSlots(Defect):
    """Turns clients away while N others have not sent their request yet."""

    def has_room(self, inspected: int) -> bool:
        return inspected < self.value


# -- malformed and oversized requests


def _malformed(opening: Opening | None) -> bool:
    return opening is not None and opening.request is None


@named_switch("die-on-nul", on)
class _DieOnNul(Defect):
    """Ends at a NUL within a name."""

    def read(self, buffer: bytes) -> Opening | None:
        opening = super().read(buffer)
        if _malformed(opening) and b"\0" in buffer.partition(b"mstshash=")[2].partition(b"\r\n")[0]:
            os._exit(EXIT_CRASH)
        return opening


@named_switch("stall-on-malformed", Field.seconds)
class _StallOnMalformed(Defect):
    """Does nothing at all for SECONDS after every 50th malformed request that names a user."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._malformed = 0

    def read(self, buffer: bytes) -> Opening | None:
        opening = super().read(buffer)
        if _malformed(opening) and b"mstshash=" in buffer:
            self._malformed += 1
            if self._malformed % 50 == 0:
                time.sleep(self.value)
        return opening


@named_switch("malformed-moves-user", on, method="table")
class _MalformedMovesUser(Defect):
    """Lets a request that it cannot read move the user whose name is in it."""

    def read(self, buffer: bytes) -> Opening | None:
        opening = super().read(buffer)
        name = _NAME.search(buffer) if _malformed(opening) else None
        entry = self.table.get(name[1]) if name else None
        if entry is not None:
            entry.server = self.balance((entry.server,)) or entry.server
        return opening


@named_switch("malformed-keeps-client", on)
class _MalformedKeepsClient(Defect):
    """Does not tell a client that the server has closed on its malformed request."""

    def passes_close(self, opening: Opening) -> bool:
        return opening.request is not None


@named_switch("die-on-overflow", on)
class _DieOnOverflow(Defect):
    """Ends at a request that is too long for its length indicator."""

    def read(self, buffer: bytes) -> Opening | None:
        if len(buffer) >= 4 and int.from_bytes(buffer[2:4], "big") > 259:
            os._exit(EXIT_CRASH)
        return super().read(buffer)


@named_switch("drop-largest", on)
class _DropLargest(Defect):
    """Closes requests of the largest legal length."""

    def admits(self, opening: Opening) -> bool:
        return super().admits(opening) and opening.length < 259


# -- what is taken for the key


@named_switch("ignore-names-over", every)
class _IgnoreNamesOver(Defect):
    """Balances users whose name is longer than N bytes anew each time."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        return None if key is not None and len(key) > self.value else key


@named_switch("token-hides-cookie", on)
class _TokenHidesCookie(Defect):
    """Reads the first line only: a user whose cookie stands behind a token is balanced anew each time."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        request = opening.request
        hidden = request is not None and request.routing_token is not None and not request.cookie_first
        return None if hidden else super().key(opening, client)


@named_switch("correlation-hides-cookie", on)
class _CorrelationHidesCookie(Defect):
    """Balances a user anew each time whose request carries correlation info."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        hidden = opening.request is not None and opening.request.correlation is not None
        return None if hidden else super().key(opening, client)


@named_switch("key-includes-correlation", on)
class _KeyIncludesCorrelation(Defect):
    """Keys on the name and on the correlation info behind it."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        correlation = opening.request.correlation if opening.request is not None else None
        return key if key is None or correlation is None else key + b"\0" + correlation.encode()


@named_switch("correlation-is-key", on)
class _CorrelationIsKey(Defect):
    """Takes correlation info for the user where there is no name."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        request = opening.request
        nameless = request is not None and request.cookie is None and request.correlation is not None
        return b"\0correlation" if nameless else super().key(opening, client)
