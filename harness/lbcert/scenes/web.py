"""Web servers behind a terminator of TLS: the profile `ssl-tproxy`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..clients.talk import Call, TalkClients
from ..wire.http import SITE_NAME, Ask

if TYPE_CHECKING:
    from ..lab import Lab
    from ..wire.cookies import Jar

HOST = SITE_NAME
"""the site's name, as clients know it"""
MODULES = ("lbcert.endpoints.web_server",)

_tokens = itertools.count(1)


def equip(lab: Lab) -> tuple[str, ...]:
    """Servers that expect what the product is declared to send them: a PROXY header, or none."""
    sends = lab.declares.raw.get("proxy_protocol", {}).get("send")
    for server in [*lab.mocks, *lab.fallbacks]:
        server.extra |= {"name": f"{server.host}.lbcert.test", "options": {"proxy_protocol": "accept" if sends else "refuse"}}
    return MODULES


def clients(lab: Lab) -> TalkClients:
    made = TalkClients(lab.loop, lab.history, lab.vip, lab.open_sockets, {s.index: s.name for s in [*lab.mocks, *lab.fallbacks]})
    made.addresses = lab.services
    return made


def call(lab: Lab, service: str, source: str, asks: Sequence[Ask] = (), jar: Jar | None = None, pipelined: bool = False,
         raw: Callable[[str], bytes] | None = None, answers: int = 1, **more: Any) -> Call:  # fmt: skip
    """A client that asks for pages (one GET by default) over HTTP, or HTTPS with the site's name.

    With `raw` it says the bytes that this makes of the connection's token, and waits for so many `answers`.
    """
    from ..clients.http import Browse, Raw

    over_tls = service == "https"
    if over_tls and "tls" not in more:
        from ..security.mutual import client_context

        more |= {"tls": client_context(), "server_name": more.get("server_name", HOST)}
    if "speech" not in more:
        token = f"t{next(_tokens):06d}"
        more["speech"] = (
            Browse(token, list(asks) or [Ask("/")], host=HOST, jar=jar, secure=over_tls, pipelined=pipelined)
            if raw is None
            else Raw(token, raw(token), answers)
        )
    return Call(source, service, **more)
