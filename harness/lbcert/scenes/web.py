"""Web servers behind a terminator of TLS: the profile `ssl-tproxy`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ..clients.echo import ask_again as echo
from ..clients.hello import Hello
from ..clients.talk import Call, Talk
from ..security.authority import SITE as HOST
from ..wire.http import Ask
from .services import clients

if TYPE_CHECKING:
    import ssl

    from ..lab import Lab
    from ..wire.cookies import Jar

__all__ = ["call", "clients", "echo", "equip"]
"""what `offers.Offer` asks of a scene, and `calling.dial`"""

MODULES = ("lbcert.endpoints.web_server",)

_tokens = itertools.count(1)


def equip(lab: Lab) -> tuple[str, ...]:
    """Servers that expect what the product is declared to send them: a PROXY header, or none."""
    sends = lab.declares.raw.get("proxy_protocol", {}).get("send")
    for server in [*lab.mocks, *lab.fallbacks]:
        server.extra |= {"name": f"{server.host}.lbcert.test", "options": {"proxy_protocol": "accept" if sends else "refuse"}}
    return MODULES


def call(lab: Lab, service: str, source: str, asks: Sequence[Ask] = (), jar: Jar | None = None, pipelined: bool = False,
         raw: Callable[[str], bytes] | None = None, answers: int = 1, offer: str = "", named: bool = True, **more: Any) -> Call:  # fmt: skip
    """A client that asks for pages (one GET by default) over HTTP, or HTTPS with the site's name.

    With `raw` it says the bytes that this makes of the connection's token, and waits for so many `answers`. With `offer` it only
    says hello with that (`clients.hello`), and hears what the product says; `named`: with the site's name. Over HTTPS: `verified`: the certificate must lead to
    the lab's root, and be the site's; otherwise any is taken. `newest`: version of TLS ("1.2"). `resume`: an earlier call
    whose TLS session is used again.
    """
    from ..clients.http import Browse, Raw

    over_tls = service == "https"

    if over_tls and "tls" not in more and not offer:
        more |= _secured(**{name: more.pop(name) for name in ("verified", "newest", "resume") if name in more})
    if offer:
        more["speech"] = Hello(f"t{next(_tokens):06d}", offer, HOST if named else "")
    if "speech" not in more:
        token = f"t{next(_tokens):06d}"
        more["speech"] = (
            Browse(token, list(asks) or [Ask("/")], host=HOST, jar=jar, secure=over_tls, pipelined=pipelined)
            if raw is None
            else Raw(token, raw(token), answers)
        )
    return Call(source, service, **more)


def _secured(verified: bool = False, newest: str = "1.3", resume: Talk | None = None) -> dict[str, Any]:
    """How a call is made over TLS."""
    if resume is not None:
        return {"tls": resume.visit.tls, "server_name": HOST, "session": resume.tls.session}
    return {"tls": _context(verified, newest), "server_name": HOST}


@cache
def _context(verified: bool, newest: str) -> ssl.SSLContext:
    from ..security.mutual import client_context

    if not verified:
        return client_context(newest=newest)
    from ..security.authority import authority

    return client_context(root=authority().root_pem, name_checked=True, newest=newest)
