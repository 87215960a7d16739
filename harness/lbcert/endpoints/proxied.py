"""A PROXY header before any service: who may send one, and what happens to a connection without."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import replace
from typing import Any

from ..wire.outcome import Decoded, Malformed, NeedMore
from ..wire.proxy_protocol import SSL, V1, V2, ProxyHeader, Ssl
from ..wire.talk import MakeService, Place, Report, Service

MODES = ("demand", "accept", "refuse")


class Proxied:
    """`inner` behind a header. `Place.options["proxy_protocol"]`: `demand`, `accept` (default) or `refuse`; with
    `Place.options["proxy_senders"]` (addresses) only those may send one, and under `demand` only those may connect.

    Reports `proxy` (version, command, family, source, destination, tlvs, ssl, raw) before `inner` sees a byte. Under `demand`
    a connection without a header, with a broken one, or of a stranger is closed, and reported as `proxy-refused` (reason, head).
    Under `accept` a broken header is refused as well, and what begins as no header goes to `inner` as it is. Under `refuse`
    all goes to `inner`, which then finds no request of its own.

    `inner` stands where `Place.options["proxied"]` is [address, port] of the client that the header names, or None.
    """

    def __init__(self, inner: MakeService, place: Place, report: Report):
        self._make = inner
        self._place = place
        self._report = report
        self._mode = place.options.get("proxy_protocol", "accept")
        if self._mode not in MODES:
            raise ValueError(f"proxy_protocol is one of {', '.join(MODES)}, not {self._mode!r}")
        senders = place.options.get("proxy_senders")
        self._stranger = senders is not None and place.peer[0] not in senders
        self._buffer = b""
        self._inner: Service | None = None
        self._refused = False

    @property
    def closing(self) -> bool:
        return self._refused or (self._inner is not None and self._inner.closing)

    @property
    def pending(self) -> bool:
        """As the inner service's, if it has that."""
        return getattr(self._inner, "pending", False)

    def begin(self) -> bytes:
        if self._mode == "refuse" or (self._mode == "accept" and self._stranger):
            return self._pass(None, b"")
        return b""

    def take(self, data: bytes) -> bytes:
        if self._inner is not None:
            return self._inner.take(data)
        if self._refused:
            return b""
        if self._stranger:
            return self._refuse("a stranger", data)
        self._buffer += data
        outcome = ProxyHeader.decode(self._buffer)
        if isinstance(outcome, NeedMore):
            return b""
        if isinstance(outcome, Malformed):
            begun = self._buffer.startswith((V1, V2))
            if self._mode == "accept" and not begun:
                return self._pass(None, self._buffer)
            return self._refuse(outcome.reason, self._buffer)
        header = outcome.value
        self._tell(header, self._buffer[: len(self._buffer) - len(outcome.rest)])
        self._buffer = b""
        return self._pass(header, outcome.rest)

    def more(self) -> bytes:
        return self._inner.more() if self.pending and self._inner is not None else b""  # type: ignore[attr-defined]

    def push(self, what: dict[str, Any]) -> bytes:
        return b"" if self._inner is None else self._inner.push(what)

    def _pass(self, header: ProxyHeader | None, rest: bytes) -> bytes:
        source = header.source if header is not None and header.family in ("TCP4", "TCP6") else None
        # A view, not a copy: what the test changes later must be seen.
        options: Any = ChainMap({"proxied": None if source is None else list(source)}, self._place.options)
        place = replace(self._place, options=options)
        self._inner = self._make(place, self._report)
        out = self._inner.begin()
        self._buffer = b""
        return out + self._inner.take(rest) if rest else out

    def _refuse(self, reason: str, head: bytes) -> bytes:
        self._refused = True
        self._buffer = b""
        self._report("proxy-refused", reason=reason, head=head[:128].hex())
        return b""

    def _tell(self, header: ProxyHeader, raw: bytes) -> None:
        ssl = Ssl.decode(value) if (value := header.tlv(SSL)) is not None else None
        told = {
            "client": ssl.value.client, "verified": ssl.value.verified,
            "parts": [[kind, text.decode("latin-1")] for kind, text in ssl.value.parts],
        } if isinstance(ssl, Decoded) else None  # fmt: skip
        self._report(
            "proxy", version=header.version, command=header.command, family=header.family, source=header.source,
            destination=header.destination, tlvs=[[kind, text.hex()] for kind, text in header.tlvs], ssl=told, raw=raw.hex(),
        )  # fmt: skip


def behind_proxy(inner: MakeService) -> MakeService:
    """`inner` with a header before it."""
    return lambda place, report: Proxied(inner, place, report)
