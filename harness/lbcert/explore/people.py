"""Who comes, from where, and with what first packet."""

from __future__ import annotations

import random

from ..clients.rdp import Segments, connection_request, cut
from ..wire import ConnectionRequest, CorrelationInfo, NegotiationRequest, Protocols, RequestFlags, encode_token

USERS = 12
PLACES = 3
"""addresses, which all users share"""
LONGEST = 221
"""bytes of a name that fill a request up to its length indicator of 254 (CR-11)"""
_STEM = "explorer-of-a-large-department-room-"
NAMES = (
    *(f"explorer{number}" for number in range(4)),
    *(f"{_STEM}{number:04d}" for number in range(4, USERS - 1)),
    "explorer-with-the-longest-name".ljust(LONGEST, "x"),
)
"""short ones, some of 40 characters that differ in the last ones only, and the longest"""
assert len(_STEM) == 36 and len(NAMES) == USERS

_BOTH = NegotiationRequest(Protocols.SSL | Protocols.HYBRID)
_CORRELATED = NegotiationRequest(Protocols.SSL | Protocols.HYBRID | Protocols.HYBRID_EX, RequestFlags.CORRELATION_INFO_PRESENT)

FORMS = {"plain": "", "old": "RDP-PARSE-12", "correlated": "RDP-PARSE-09", "token": "RDP-PARSE-08", "pieces": "RDP-PARSE-03"}
"""the forms of a known user's request, and the requirement by which each leads to the user's server"""
STRANGERS = {
    "new": "RDP-PERSIST-03",
    "alike": "RDP-PERSIST-09",
    "nameless": "RDP-PERSIST-10",
    "correlated": "RDP-PARSE-09",
    "empty": "RDP-PERSIST-08",
    "domain": "RDP-PERSIST-06",
    "twice": "RDP-PERSIST-11",
}
"""kinds of people who are nobody's known users, and the requirement by which they are spread or kept together"""
NO_NAME = ("nameless", "correlated", "empty", "domain")
"""kinds of strangers whose name, if any, says nothing: where `fallback: source` is declared the address may decide"""


def form_of(form: str, number: int, elsewhere: tuple[str, int], rng: random.Random) -> Segments:
    """A known user's first packet; `elsewhere` is a server for the token, one that the user does not belong to."""
    cookie = NAMES[number].encode()
    if form == "old":
        return ((ConnectionRequest(cookie=cookie).encode(), 0.0),)
    if form == "correlated" and len(cookie) < LONGEST:
        return ((ConnectionRequest(cookie=cookie, negotiation=_CORRELATED, correlation=_id(rng)).encode(), 0.0),)
    if form == "token" and len(cookie) < LONGEST and ":" not in elsewhere[0]:
        token = encode_token(*elsewhere)
        return ((ConnectionRequest(cookie=cookie, routing_token=token, negotiation=_BOTH).encode(), 0.0),)
    whole = connection_request(NAMES[number])
    return cut(whole, 20, 30, pause=0.02) if form == "pieces" else ((whole, 0.0),)


def stranger(kind: str, number: int, rng: random.Random) -> bytes:
    """The first packet of the Nth of some strangers."""
    letters = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=8))
    if kind == "nameless":
        return connection_request(None)
    if kind == "correlated":
        return ConnectionRequest(negotiation=_CORRELATED, correlation=CorrelationInfo(b"one id for all !")).encode()
    names = {"alike": f"stranger-of-a-large-department-x{letters}", "empty": "", "domain": "MYDOMAIN\\"}
    return connection_request(names.get(kind, f"{letters}{number}"))


def _id(rng: random.Random) -> CorrelationInfo:
    return CorrelationInfo(bytes(rng.choice(range(0x10, 0xF0)) for _ in range(16)))
