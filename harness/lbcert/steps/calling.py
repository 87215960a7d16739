"""How tests make calls to a VIP's services, and have servers speak first."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..deadlines import patience
from ..topology.plan import DUT_HOST
from .scripts import tell_all

if TYPE_CHECKING:
    from ..clients.talk import Call, Talk
    from ..lab import Lab


def dial(lab: Lab, service: str, source: str | None = None, **more: Any) -> Call:
    """A call of one client to one of the VIP's services, in the protocol that is spoken there.

    `more`: fields of `Call` (label, client, hold, gated, source_port, host, tls, speech), and what the scene of the profile
    understands (`scenes/pool.py`, `scenes/web.py`). Without `source`, from an address that nobody used before.
    """
    return import_module(lab.offer.scene).call(lab, service, lab.sources.one() if source is None else source, **more)


def push(lab: Lab, talk: Talk, **what: Any) -> None:
    """Have the server of a held connection say something unasked; returns when it has (`pushed`, with the bytes)."""
    assert talk.server is not None and talk.connection is not None, "a call that nobody answered has no server"
    server = lab.server(talk.server)
    before = server.count("pushed")
    server.tell("push", conn=talk.connection, what=what)
    lab.wait(f"{server.name} speaks first", lambda: server.count("pushed") > before, patience("report"))


def answer_with(lab: Lab, **how: Any) -> None:
    """Have every web server answer like this from now on (`endpoints.http_answer.Answer`: set_cookie, cacheable, status, ...).

    Connections that stand already may go on as before.
    """
    tell_all(lab, "options", "options", options={"web": how})


def listeners(lab: Lab) -> list[tuple[str, int]]:
    """Every address and port at the VIP on which something of the balancer accepts TCP connections by now."""
    ip = lab.vip[0]
    everywhere = ("0.0.0.0", "::")
    found = lab.broker.request("listening", host=DUT_HOST)["listening"]
    return sorted({(ip, port) for address, port in found if address == ip or address in everywhere})
