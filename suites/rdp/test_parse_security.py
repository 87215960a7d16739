"""RDP-PARSE: what the Confirm agreed on, TLS or CredSSP, runs between client and server."""

from lbcert.api import (
    ConnectionRequest,
    Lab,
    Login,
    Manner,
    NegotiationRequest,
    Protocols,
    Visit,
    checks,
    log_in,
    requirement,
    secure,
)

CLIENTS = {
    "TLS 1.3": (Protocols.SSL, {}),
    "TLS 1.2": (Protocols.SSL, {"tls": "1.2"}),
    "TLS, hello in pieces": (Protocols.SSL, {"in_pieces": True}),
    "NLA over TLS 1.3": (Protocols.SSL | Protocols.HYBRID, {}),
    "NLA over TLS 1.2": (Protocols.SSL | Protocols.HYBRID, {"tls": "1.2"}),
    "NLA of 2008 (CredSSP 2)": (Protocols.SSL | Protocols.HYBRID, {"tls": "1.2", "credssp": 2}),
    "NLA, hello in pieces": (Protocols.SSL | Protocols.HYBRID, {"in_pieces": True}),
}
"""kinds of clients: what they offer, and how they go about it"""
EACH = 5
"""clients of each kind"""


@requirement("RDP-PARSE-11", security=True)
def test_tls_and_credssp_run_end_to_end(lab: Lab) -> None:
    """Every client does real TLS, those with NLA log in, and all are heard inside; each server has a certificate of its own."""
    visits, manners = [], {}
    for label, (protocols, manner) in CLIENTS.items():
        for _ in range(EACH):
            user = f"secure{len(visits):02d}"
            request = ConnectionRequest(cookie=user.encode(), negotiation=NegotiationRequest(protocols)).encode()
            visits.append(Visit(lab.sources.one(), user, request, hold=True, label=label))
            manners[user] = Manner(Login(user, password=f"of {user}"), **manner)
    secure(lab, {user: manner.login.password for user, manner in manners.items()})
    log_in(lab, {session: manners[session.visit.user] for session in lab.visit(lab.shuffled(visits))})
    lab.judge(checks.security_is_end_to_end)
