"""What a SIP client can be about, and the requests that say so."""

from __future__ import annotations

from dataclasses import dataclass

from ..wire.sipae import MsKeepAlive

WITH_A_USER = frozenset(("INVITE", "BYE", "ACK", "SUBSCRIBE"))
"""methods whose request is for a user; others are for the registrar"""
_KEEP_ALIVE = MsKeepAlive("UAC", hop_hop=True).encode()


@dataclass
class Asked:
    """A request that waits for its final answer."""

    act: str
    method: str
    number: int


def wanted(act: str, expires: int) -> tuple[str, list[tuple[str, str]]]:
    """Method of the request for an act, and the fields that only it has. ValueError for acts that there are not."""
    match act:
        case "login" | "register" | "leave":
            seconds = 0 if act == "leave" else expires
            return "REGISTER", [("Event", "registration"), ("ms-keep-alive", _KEEP_ALIVE), ("Expires", str(seconds))]
        case "options":
            return "OPTIONS", [("Accept", "application/sdp")]
        case "subscribe":
            return "SUBSCRIBE", [("Event", "presence"), ("Expires", str(expires)), ("Accept", "application/pidf+xml")]
        case "invite" | "bye" | "ack":
            return act.upper(), []
    raise ValueError(f"a SIP client cannot say {act!r}")
