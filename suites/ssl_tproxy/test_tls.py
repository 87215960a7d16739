"""TP-TLS-01, -02, -06 to -09: TLS ends at the balancer."""

from lbcert.api import Ask, Browser, Jar, Lab, answer_with, browse, checks, claiming, dial, note_bodies, requirement, trace

CLIENTS = 20
PAGES = 3
WRITTEN = 2
"""requests in a row of each client that writes into X-Forwarded-For"""
BODY = bytes(range(256)) * 256
"""64 KiB that a client sends; servers answer with as many"""
FORGED = {
    "without the header": [],
    "one forged value, and other headers of that kind": claiming("203.0.113.7"),
    "two forged values": [("X-Forwarded-For", "203.0.113.7, 198.51.100.9")],
    "two forged lines": [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "198.51.100.9")],
    "spelt in small letters": [("x-forwarded-for", "203.0.113.7")],
    "named in Connection": [("X-Forwarded-For", "203.0.113.7"), ("Connection", "keep-alive, X-Forwarded-For")],
}
OFFERS = ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "static RSA", "NULL", "anonymous", "export", "RC4", "3DES")
VERSIONS = ("1.2", "1.3")
USERS, RESUMPTIONS = 10, 10


@requirement("TP-TLS-01")
def test_tls_ends_at_the_balancer(lab: Lab) -> None:
    """Long bodies both ways."""
    answer_with(lab, body_size=len(BODY))
    talks = lab.visit([dial(lab, "https", asks=[Ask("/upload", "POST", body=BODY)]) for _ in range(CLIENTS)])
    note_bodies(lab, talks, BODY, len(BODY))
    lab.judge(checks.tls_ends_here)


@requirement("TP-TLS-02")
def test_address_survives_the_chain(lab: Lab) -> None:
    """Each client asks three times, on one connection if the product lets it, and then once more; last the path of one request."""
    people = [Browser(f"client {number}", "https") for number in range(CLIENTS)]
    good = all(len(replies) == PAGES for replies in browse(lab, people, PAGES))
    lab.visit([dial(lab, "https") for _ in people], at_once=1 if good else CLIENTS)
    if good:
        trace(lab, "https")
    lab.judge(checks.address_survives_the_chain)


@requirement("TP-TLS-06")
def test_forwarded_for(lab: Lab) -> None:
    """Clients write things into X-Forwarded-For."""
    lab.visit([dial(lab, service, asks=[Ask("/", headers=headers)] * WRITTEN, label=label)
               for label, headers in FORGED.items() for service in ("http", "https") for _ in range(2)])  # fmt: skip
    lab.judge(checks.last_forwarded_is_the_client)


@requirement("TP-TLS-07")
def test_old_versions_are_refused(lab: Lab) -> None:
    """Hellos that offer one version, or one kind of suites, with the site's name and, as many old clients, without; and whole handshakes."""
    lab.visit([dial(lab, "https", offer=offer, named=named, label=offer) for offer in OFFERS for named in (True, False)])
    lab.visit([dial(lab, "https", newest=version, label="handshake") for version in VERSIONS])
    lab.judge(checks.old_versions_are_refused)


@requirement("TP-TLS-08")
def test_chain_is_sent(lab: Lab) -> None:
    """Clients that know nothing but the root, and the site's name; a deployment's own certificates have a root that is not ours."""
    ours = "authority" in lab.deployment.files.values()
    lab.visit([dial(lab, "https", verified=ours, newest=version, chain=True, label=f"TLS {version}") for version in VERSIONS for _ in range(5)])
    lab.judge(checks.chain_is_sent, trusted=ours)


@requirement("TP-TLS-09")
def test_resumption_moves_nobody(lab: Lab) -> None:
    """Users with cookies come again and again in the session of the time before, every second time from another address."""
    jars = [Jar() for _ in range(USERS)]
    homes = lab.sources.several(USERS)
    for version in VERSIONS:
        last: list = [None] * USERS
        for turn in range(RESUMPTIONS // 2):
            calls = []
            for number in lab.shuffled(range(USERS)):
                how = {"newest": version} if last[number] is None else {"resume": last[number]}
                source = lab.sources.one() if turn % 2 else homes[number]
                calls.append(dial(lab, "https", source, jar=jars[number], client=f"user {number}", label=f"TLS {version}", **how))
            for talk in lab.visit(calls):
                last[int(talk.visit.client.split()[1])] = talk if talk.tls.established else None
    lab.judge(checks.resumption_moves_nobody)
