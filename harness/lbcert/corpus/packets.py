"""What was found in captures: the distinct first packets, and why others were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..report.errors import ReportError
from ..wire import ConnectionRequest, Decoded, Malformed, Protocols, RequestFlags
from .capture import Capture
from .clean import Cleaner, alike
from .segments import READ, Segment, segment
from .streams import Streams


@dataclass
class Entry:
    """One distinct packet, cleaned."""

    request: ConnectionRequest
    sources: tuple[str, ...]
    """names of the capture files"""
    seen: int

    @property
    def data(self) -> bytes:
        return self.request.encode()


@dataclass
class Found:
    """What one capture holds."""

    path: Path
    requests: list[ConnectionRequest] = field(default_factory=list)
    malformed: Counter[str] = field(default_factory=Counter)
    """what is wrong -> packets"""
    silent: int = 0
    incomplete: int = 0
    joined_late: int = 0
    unread_links: Counter[int] = field(default_factory=Counter)
    cut_at: int | None = None


def read(path: Path, port: int) -> Found:
    """The first packets of clients of `port` in a capture."""
    capture, streams, found = Capture(path), Streams(port), Found(path)
    streams.take(_segments(capture, found.unread_links))
    found.cut_at, found.joined_late = capture.cut_at, streams.joined_late
    for stream in streams.found:
        begin = stream.begin()
        outcome = ConnectionRequest.decode(begin)
        if isinstance(outcome, Decoded):
            found.requests.append(outcome.value)
        elif isinstance(outcome, Malformed):
            found.malformed[f"byte {outcome.offset}: {outcome.reason}"] += 1
        elif begin:
            found.incomplete += 1
        else:
            found.silent += 1
    return found


def _segments(capture: Capture, unread: Counter[int]) -> Iterator[Segment]:
    readable = 0
    for frame in capture.frames():
        if frame.link not in READ:
            unread[frame.link] += 1
            continue
        readable += 1
        if one := segment(frame.link, frame.data):
            yield one
    if unread and not readable:
        raise ReportError(capture.path, f"holds packets of link type {', '.join(map(str, sorted(unread)))} only.",
                          "Capture on Ethernet, on `any`, on loopback, or raw IP.")  # fmt: skip


def distinct(captures: Sequence[Found], cleaner: Cleaner, keep_tokens: bool = False) -> list[Entry]:
    """The packets of these captures, cleaned; those that differ in a name's letters only are one."""
    entries: dict[bytes, Entry] = {}
    for found in captures:
        for request in found.requests:
            key = alike(request) + ((request.routing_token or b"") if keep_tokens else b"")
            if key not in entries:
                entries[key] = Entry(cleaner.clean(request), (), 0)
            entry = entries[key]
            entry.seen += 1
            if found.path.name not in entry.sources:
                entry.sources += (found.path.name,)
    return list(entries.values())


def kind(request: ConnectionRequest) -> str:
    """Which lines a packet begins with."""
    lines = ["cookie"] * (request.cookie is not None)
    lines.insert(len(lines) if request.cookie_first else 0, "token") if request.routing_token is not None else None
    odd = ["more text"] * bool(request.extra_text) + ["bytes behind it"] * bool(request.trailing)
    return " + ".join([*(lines or ["none"]), *odd])


def nameless(request: ConnectionRequest) -> bool:
    """Whether a packet has neither cookie nor token, as RDP-PARSE-04 means it."""
    return request.cookie is None and request.routing_token is None and not request.extra_text


def protocols(request: ConnectionRequest) -> str:
    """What a packet offers, in words."""
    if request.negotiation is None:
        return "no negotiation"
    return _bits(request.negotiation.protocols, Protocols) or "RDP"


def flags(request: ConnectionRequest) -> str:
    """The flags of a packet's negotiation, in a few letters."""
    return "-" if request.negotiation is None else _bits(request.negotiation.flags, RequestFlags) or "-"


def _bits(number: int, kind_: type[Protocols] | type[RequestFlags]) -> str:
    known = [member for member in kind_ if member and number & member]
    left = int(number) & ~sum(known)
    return " ".join([*(_SHORT.get(str(one.name), str(one.name)) for one in known), *([f"{left:#x}"] if left else [])])


_SHORT = {"RESTRICTED_ADMIN_MODE_REQUIRED": "restricted-admin", "REDIRECTED_AUTHENTICATION_MODE_REQUIRED": "redirected-auth",
          "CORRELATION_INFO_PRESENT": "correlation"}  # fmt: skip
