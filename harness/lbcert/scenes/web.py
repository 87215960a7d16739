"""Web servers behind a terminator of TLS: the profile `ssl-tproxy`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..clients.talk import Call, Talk, TalkClients
from ..security.authority import SITE as HOST

if TYPE_CHECKING:
    from ..lab import Lab

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
         verified: bool = False, resume: Talk | None = None, offer: str = "", **more: Any) -> Call:  # fmt: skip
    """A client that asks for pages (`clients.http.Ask`; one GET by default) over HTTP, or HTTPS with the site's name.

    `verified`: the product's certificate must lead to the lab's root, whatever is missing on the way being the product's fault,
    and be the site's; otherwise any is taken. `resume`: an earlier call over HTTPS whose TLS session is used again. `offer`: only
    say this version of TLS (`TLS 1.0`), and hear what the product says to that.
    """
    from ..clients.http import Ask, Browse

    if offer:
        from ..clients.hello import Hello

        return Call(source, service, Hello(f"t{next(_tokens):06d}", offer, HOST), **more)
    over_tls = service == "https"
    if over_tls and "tls" not in more:
        more |= {"tls": _context(verified) if resume is None else resume.visit.tls, "server_name": more.get("server_name", HOST)}
        if resume is not None:
            more["session"] = resume.tls.session
    more.setdefault(
        "speech", Browse(f"t{next(_tokens):06d}", list(asks) or [Ask("/")], host=HOST, jar=jar, secure=over_tls, pipelined=pipelined)
    )
    return Call(source, service, **more)


def _context(verified: bool) -> Any:
    from ..security.mutual import client_context

    if not verified:
        return client_context()
    from ..security.authority import authority

    return client_context(root=authority().root_pem, name_checked=True)
