"""RDP-PARSE: the balancer reads the first packet, and the server gets it as it was sent."""

from lbcert.api import (
    CR_VECTORS,
    ConnectionRequest,
    Lab,
    NegotiationRequest,
    Protocols,
    Visit,
    checks,
    connection_request,
    cut,
    encode_token,
    requirement,
    sequential,
)

CUTS = {
    **{f"cut after {place}": (place,) for place in (4, 7, 11, 20, 30)},
    "1 byte at a time": tuple(range(1, 300)),
}
"""where a first packet is cut (catalogue, RDP-PARSE-03)"""
NAMELESS = ("CR-03", "CR-10")
REPEATS = 5
AT_LEAST = 20
"""requests cut in the same way"""


@requirement("RDP-PARSE-01")
def test_first_packet_arrives_unchanged(lab: Lab) -> None:
    """Each vector of the catalogue, and each packet of --corpus, is sent by a client of its own, one after the other."""
    for label, request in [*CR_VECTORS.items(), *((packet.label, packet.data) for packet in lab.corpus)]:
        lab.visit([Visit(lab.sources.one(), request=request, label=label)])
    lab.judge(checks.arrives_unchanged)


@requirement("RDP-PARSE-04")
def test_request_without_name_is_served(lab: Lab) -> None:
    """Clients that send neither cookie nor token, as newer ones with saved credentials do; those of --corpus too."""
    requests = {vector: CR_VECTORS[vector] for vector in NAMELESS}
    requests |= {packet.label: packet.data for packet in lab.corpus if packet.nameless}
    lab.visit([
        Visit(lab.sources.one(), request=request, label=label)
        for label, request in requests.items() for _ in range(REPEATS)
    ])  # fmt: skip
    lab.judge(checks.is_served)


@requirement("RDP-PARSE-03")
def test_segmentation_does_not_matter(lab: Lab) -> None:
    """Users (or token holders) come with the whole request first, then cut in every way, slowly."""
    requests = requests_to_cut(lab)
    repeats = max(REPEATS, -(-AT_LEAST // len(requests)))
    source = {name: lab.sources.one() for name in requests}
    lab.visit([Visit(source[name], name, request, label="whole") for name, request in requests.items()])
    lab.visit(lab.shuffled([
        Visit(source[name], name, segments=cut(request, *places, pause=pause_of(label)), label=label)
        for name, request in requests.items() for label, places in CUTS.items() for _ in range(repeats)
    ]), at_once=120)  # fmt: skip
    lab.judge(checks.cuts_do_not_matter)


def requests_to_cut(lab: Lab) -> dict[str, bytes]:
    """The stimulus follows the claim: names for cookie products, tokens for token products, both for both."""
    claims = lab.deployment.claims
    requests = {}
    if "rdp-token" in claims:
        for server in lab.servers:
            host, port = server.listen[0]
            token = ConnectionRequest(routing_token=encode_token(host, port), negotiation=NegotiationRequest(Protocols.SSL))
            requests[f"token of {server.name}"] = token.encode()
    if "rdp-token" not in claims or "rdp-cookie" in claims:
        requests |= {user: connection_request(user) for user in sequential(8, "cut")}
    return requests


def pause_of(label: str) -> float:
    """Seconds between two pieces: a whole one for two pieces, 20 ms for one byte at a time."""
    return 0.02 if label == "1 byte at a time" else 1.0
