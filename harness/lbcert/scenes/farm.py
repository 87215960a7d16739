"""A farm of terminal servers: the profile `rdp`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clients.echo import echo
from ..clients.rdp import RdpClients

if TYPE_CHECKING:
    from ..lab import Lab

__all__ = ["clients", "echo", "equip"]
"""what `offers.Offer` asks of a scene"""

SECURITY_MODULES = ("lbcert.endpoints.secure",)
"""what mock servers need to do TLS and CredSSP: 0.1 s to load, so only for labs that want it"""


def equip(lab: Lab) -> tuple[str, ...]:
    """Where the test wants TLS and CredSSP: a key and a certificate of its own for each server."""
    if not lab.security:
        return ()
    from ..security.certificates import certificate_for

    for server in lab.mocks:
        server.extra["certificate"] = certificate_for(server.host).told()
    return SECURITY_MODULES


def clients(lab: Lab) -> RdpClients:
    return RdpClients(lab.loop, lab.history, lab.vip, lab.open_sockets, {server.index: server.name for server in lab.mocks})
