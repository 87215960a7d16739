"""What a load balancer offers at its VIP in each profile, and who stands behind it in the lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .wire import ConnectionRequest, NegotiationRequest, Protocols

if TYPE_CHECKING:
    from .clients.connection import Clients
    from .lab import Lab


def _rdp_opening(name: str) -> bytes:
    return ConnectionRequest(cookie=name.encode(), negotiation=NegotiationRequest(Protocols.SSL)).encode()


def _http_opening(name: str) -> bytes:
    return f"GET /{name} HTTP/1.1\r\nHost: vip.lbcert.test\r\nConnection: close\r\n\r\n".encode()


@dataclass(frozen=True)
class Offer:
    """The services of one profile."""

    services: Mapping[str, int]
    """name -> the port that it usually has; the first is the one by which the VIP is found"""
    mock: str
    """the kind of mock server that real servers are"""
    stem: str
    """of the real servers' host names in the lab: ts1, ts2, ..."""
    scene: str
    """the module that says what a lab of this profile needs beyond that: `clients(lab)`, `equip(lab)`, and `echo`, by which held connections are proved alive"""
    opening: Callable[[str], bytes]
    """what a client of this name sends first, for products that choose a server when they have read it"""
    fallback: bool = False
    """whether a server on the balancer itself is part of the lab"""

    @property
    def main(self) -> str:
        return next(iter(self.services))

    def clients(self, lab: Lab) -> Clients[Any]:
        return import_module(self.scene).clients(lab)

    def echo(self, *arguments: Any) -> None:
        """Have held connections prove that they are alive (`clients.echo`)."""
        import_module(self.scene).echo(*arguments)

    def equip(self, lab: Lab) -> tuple[str, ...]:
        """Give the lab's servers what they need before it is made; returns modules to be loaded before it is forked."""
        return import_module(self.scene).equip(lab)


OFFERS: Mapping[str, Offer] = {
    "rdp": Offer({"rdp": 3389}, "terminal-server", "ts", "lbcert.scenes.farm", _rdp_opening),
    "ocs": Offer(
        {"sip-tls": 5061, "sip": 5060, "rpc": 135, "web": 443, "focus": 444, "sharing": 5065, "monitoring": 5069,
         "response-group": 5071, "attendant": 5072, "announcement": 5073, "voice-control": 5074, "remoting": 8404},
        "pool-server", "fe", "lbcert.scenes.pool", lambda name: b"", fallback=True,
    ),
    "ssl-tproxy": Offer({"http": 80, "https": 443}, "web-server", "web", "lbcert.scenes.web", _http_opening, fallback=True),
}  # fmt: skip
"""profile -> what is offered; ports of an OCS 2007 R2 pool: Microsoft's guide dd572362, and the article"""


SECURE = frozenset({"https"})
"""services that begin with TLS whose other end is the balancer"""


def offer_of(profile: str) -> Offer:
    """What a profile offers; ValueError for one that has no suite yet."""
    if profile not in OFFERS:
        raise ValueError(f"profile {profile} has no suite yet; there are: {', '.join(OFFERS)}")
    return OFFERS[profile]
