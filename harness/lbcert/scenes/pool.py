"""A pool of Front Ends of Office Communications Server 2007 R2: the profile `ocs`."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, Any

from ..clients.echo import ask_again as echo
from ..clients.talk import Call
from ..security.login import Login
from ..wire.talk import Speech
from .services import clients

if TYPE_CHECKING:
    import ssl

    from ..lab import Lab
    from ..security.authority import Leaf

__all__ = ["call", "clients", "echo", "equip"]
"""what `offers.Offer` asks of a scene, and `calling.dial`"""

MODULES = ("lbcert.endpoints.pool_server",)
DOMAIN = "lbcert.test"
POOL = f"pool.{DOMAIN}"
"""the pool's name, which clients know"""
REALM = "SIP Communications Service"
ACCOUNTS = {"alice": "Bluebell-27-Lantern"}
GUEST = "guest"
"""who calls without an account: nobody asks for a login"""
SIP_OPTIONS = {"auth": "accounts", "realm": REALM, "accounts": ACCOUNTS, "keepalive": 300, "expires": 600}
"""what Front Ends ask of clients and tell them: keep-alives every 300 s, registrations for 600 s"""
OVER_TLS = {"sip-tls", "web", "focus", "remoting"}
C3P = "application/cccp+xml"
"""what a focus says to conferencing servers on 444 ([MS-CONFBAS])"""
_SIP = {"sip-tls", "sip", "sharing", "response-group", "attendant", "announcement", "voice-control"}

_tokens = itertools.count(1)


def equip(lab: Lab) -> tuple[str, ...]:
    """Each Front End with a name and a certificate of its own."""
    from ..security.authority import authority

    for server in [*lab.mocks, *lab.fallbacks]:
        name = f"{server.host}.{POOL}"
        addresses = tuple(dict.fromkeys(address for address, _ in server.listen))
        server.extra |= {
            "name": name, "certificate": _certificate(name, addresses).told(), "authority": authority().root_pem,
            "options": {"sip": {**SIP_OPTIONS, "fqdn": name}, "address": server.listen[0][0]},
        }  # fmt: skip
    return MODULES


@cache
def _certificate(name: str, addresses: tuple[str, ...]) -> Leaf:
    from ..security.authority import authority

    return authority().front_end(name, POOL, addresses)


@cache
def client_certificate() -> Leaf:
    """What clients show where a Front End asks for it: one of its own kind."""
    from ..security.authority import authority

    return authority().client(f"client.{DOMAIN}")


@cache
def client_tls(shows: bool) -> ssl.SSLContext:
    """A client's side of TLS, which takes any certificate; `shows`: whether it has one to show."""
    from ..security.mutual import client_context

    return client_context(client_certificate().pem if shows else "")


def call(lab: Lab, service: str, source: str, *, speech: Speech | None = None, signed: bool = False, shows: bool = False,
         subscribes: bool = False, **more: Any) -> Call:  # fmt: skip
    """A client of one service, in the protocol that is spoken there.

    `signed`: a SIP client logs in by NTLM and signs; `subscribes`: it asks for presence, so that its Front End can notify it;
    `shows`: it has a certificate to show (for `remoting` always).
    """
    if subscribes:
        speech = speech_for(service, signed, "subscribe")
    if service in OVER_TLS and "tls" not in more:
        more |= {"tls": client_tls(shows or service == "remoting"), "server_name": more.get("server_name", POOL)}
    return Call(source, service, speech if speech is not None else speech_for(service, signed), **more)


def speech_for(service: str, signed: bool = False, first: str = "register") -> Speech:
    """What a client of a service says; `first`: what a SIP client that does not sign is about."""
    token = f"t{next(_tokens):06d}"
    if service in _SIP:
        from ..clients.sip import SignedRegister, SipSpeech

        how = {"token": f"{token}@client.{DOMAIN}", "domain": DOMAIN, "transport": "TLS" if service in OVER_TLS else "TCP"}
        return SignedRegister(Login("alice", ACCOUNTS["alice"]), **how) if signed else SipSpeech(first, user=GUEST, **how)
    if service == "rpc":
        from ..clients.mapper import AskMapper

        return AskMapper(token)
    if service in ("web", "focus"):
        from ..clients.http import Ask, Browse

        ask = Ask("/abs/ext/") if service == "web" else Ask("/", "POST", [("Content-Type", C3P)], b'<request requestId="%b"/>' % token.encode())
        return Browse(token, [ask], host=POOL, secure=True)
    if service == "monitoring":
        from ..clients.monitor import Agent

        return Agent(token)
    if service == "remoting":
        from ..clients.remoting import CallRemote

        return CallRemote(token)
    raise ValueError(f"no service {service!r} in a pool")
