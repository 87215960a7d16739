"""Web servers behind a terminator of TLS: the profile `ssl-tproxy`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..clients.talk import Call, TalkClients

if TYPE_CHECKING:
    from ..lab import Lab

HOST = "www.lbcert.test"
"""the site's name, as clients know it"""
MODULES = ("lbcert.endpoints.web_server",)

_tokens = itertools.count(1)


def equip(lab: Lab) -> tuple[str, ...]:
    """Servers that expect what the product is declared to send them: a PROXY header, or none."""
    sends = lab.declares.raw.get("proxy_protocol", {}).get("send")
    for server in [*lab.mocks, *lab.fallbacks]:
        server.extra |= {"name": f"{server.host}.lbcert.test", "options": {"proxy": "accept" if sends else "no"}}
    return MODULES


def clients(lab: Lab) -> TalkClients:
    made = TalkClients(lab.loop, lab.history, lab.vip, lab.open_sockets, {s.index: s.name for s in [*lab.mocks, *lab.fallbacks]})
    made.addresses = lab.services
    return made


def call(lab: Lab, service: str, source: str, asks: Sequence[Any] = (), jar: Any = None, pipelined: bool = False,
         **more: Any) -> Call:  # fmt: skip
    """A client that asks for pages (`clients.http.Ask`; one GET by default) over HTTP, or HTTPS with the site's name."""
    from ..clients.http import Ask, Browse

    over_tls = service == "https"
    if over_tls and "tls" not in more:
        from ..security.mutual import client_context

        more |= {"tls": client_context(), "server_name": more.get("server_name", HOST)}
    more.setdefault(
        "speech", Browse(f"t{next(_tokens):06d}", list(asks) or [Ask("/")], host=HOST, jar=jar, secure=over_tls, pipelined=pipelined)
    )
    return Call(source, service, **more)
