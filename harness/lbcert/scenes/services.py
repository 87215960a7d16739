"""What profiles have in common whose clients call services (`clients.talk`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clients.talk import TalkClients

if TYPE_CHECKING:
    from ..lab import Lab


def clients(lab: Lab) -> TalkClients:
    """Clients who find each service where the product offers it, and know every server that may answer."""
    made = TalkClients(lab.loop, lab.history, lab.vip, lab.open_sockets, {s.index: s.name for s in [*lab.mocks, *lab.fallbacks]})
    made.addresses = lab.services
    return made
