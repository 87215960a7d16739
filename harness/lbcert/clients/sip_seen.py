"""What went over one SIP client's connection."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ..wire.outcome import Malformed
from ..wire.sip import Message
from ..wire.sipae import MsKeepAlive

KEPT = 64
"""the bytes are kept of so many messages, digests of all"""
_WHO = re.compile(r"\(fe=(\d{1,2}); conn=(\d{1,9})\)")


@dataclass
class Seen:
    """What went over the connection."""

    sent: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    signatures: dict[str, int] = field(default_factory=dict)
    who: list[tuple[int, int]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    strange: int = 0
    pings: int = 0
    pongs: int = 0
    notified: int = 0
    keep_alive: int | None = None
    expires: int | None = None
    raw: list[tuple[str, bytes]] | None = None
    """messages themselves, where they are wanted"""

    def told(self) -> dict[str, Any]:
        """All of it, for JSON."""
        told: dict[str, Any] = {
            "statuses": self.statuses, "answerers": self.who, "one_server": len({who[0] for who in self.who}) <= 1,
            "targets": self.targets, "signatures": self.signatures, "strange": self.strange, "pings": self.pings,
            "pongs": self.pongs, "notified": self.notified, "keep_alive": self.keep_alive, "expires": self.expires,
            "sent": self.sent, "received": self.received,
        }  # fmt: skip
        if self.raw is not None:
            told["raw"] = [[way, octets.hex()] for way, octets in self.raw]
        return told

    def message(self, way: str, octets: bytes) -> None:
        """One was `sent` or `received`."""
        (self.sent if way == "sent" else self.received).append(sha256(octets).hexdigest())
        if self.raw is not None and len(self.raw) < KEPT:
            self.raw.append((way, octets))

    def server(self, message: Message) -> tuple[int, int] | None:
        """Front End and connection that the message names."""
        found = _WHO.search(message.first("server"))
        who = (int(found[1]), int(found[2])) if found else None
        if who and who not in self.who:
            self.who.append(who)
        return who

    def promise(self, response: Message) -> None:
        """How long the registration lives, and within which time the server wants a sign of life (`ms-keep-alive`)."""
        lives = response.first("expires")
        if lives.isascii() and lives.isdigit() and len(lives) < 10:
            self.expires = int(lives)
        value = response.first("ms-keep-alive")
        outcome = MsKeepAlive.decode(value) if value else None
        if outcome is not None and not isinstance(outcome, Malformed):
            self.keep_alive = outcome.value.timeout
