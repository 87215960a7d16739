"""RDP-PARSE: requests that are complete without a name, hold two keys, or carry more than a name."""

from lbcert.api import (
    CR_VECTORS,
    ConnectionRequest,
    CorrelationInfo,
    Lab,
    NegotiationRequest,
    Protocols,
    RequestFlags,
    Verdict,
    Visit,
    checks,
    encode_token,
    requirement,
    sequential,
)

BOTH = NegotiationRequest(Protocols.SSL | Protocols.HYBRID)
WITH_CORRELATION = NegotiationRequest(Protocols.SSL | Protocols.HYBRID | Protocols.HYBRID_EX, RequestFlags.CORRELATION_INFO_PRESENT)
ENTRIES = 20
"""requests of each order and user"""
NAMELESS = 30
"""clients of each kind without a name; chance leaves a server out of two empty below 1e-8"""
FALSE_COOKIE = b"Cookie: mstshash"
"""a legal correlation id: sixteen bytes, the first neither 00 nor F4, none 0D"""


@requirement("RDP-PARSE-05", timing=True)
def test_complete_request_is_not_held(lab: Lab) -> None:
    """Every kind of request there is, each whole in one piece, from a client of its own."""
    lab.visit(lab.shuffled([
        Visit(lab.sources.one(), request=request, label=vector) for vector, request in CR_VECTORS.items() for _ in range(3)
    ]))  # fmt: skip
    lab.judge(checks.request_is_not_held)


@requirement("RDP-PARSE-08")
def test_token_and_cookie_give_one_result(lab: Lab) -> None:
    """Known users come with a token for another server before or behind their cookie."""
    lab.need_servers(2)
    if ":" in lab.servers[0].listen[0][0]:
        lab.end(Verdict.NOT_RUN, "a routing token has no form for IPv6 addresses")
    source = {user: lab.sources.one() for user in sequential(6, "both")}
    home = {visit.visit.user: visit.server for visit in
            lab.visit([Visit(address, user, label="cookie alone") for user, address in source.items()])}  # fmt: skip
    visits = [Visit(lab.sources.one(), user, label="other") for user in sequential(37, "stranger")]
    for number, (user, address) in enumerate(source.items()):
        others = [server for server in lab.servers if server.name != home[user]]
        token = encode_token(*others[number % len(others)].listen[0])
        for order, first in (("token first", False), ("cookie first", True)):
            request = ConnectionRequest(cookie=user.encode(), routing_token=token, cookie_first=first, negotiation=BOTH).encode()
            visits += [Visit(address, user, request, label=order)] * ENTRIES
    # One after the other: what becomes of two first connections at the same moment is RDP-PERSIST-11.
    lab.visit(lab.shuffled(visits), at_once=1)
    lab.judge(checks.token_and_cookie_give_one_result, visits_each=ENTRIES)


@requirement("RDP-PARSE-09")
def test_correlation_info_is_no_cookie(lab: Lab) -> None:
    """Users come without correlation info, then ten times with it; others bring correlation info and no name."""
    lab.need_servers(2)
    source = {user: lab.sources.one() for user in sequential(12, "corr")}
    lab.visit([Visit(address, user, label="plain") for user, address in source.items()])
    strangers = iter(sequential(30, "stranger"))
    for _ in range(10):
        others = [Visit(lab.sources.one(), next(strangers), label="other") for _ in range(3)]
        known = [Visit(address, user, correlated(lab, user), label="correlated") for user, address in source.items()]
        lab.visit(lab.shuffled([*known, *others]))
    ids = {"no correlation info": None, "one id for all": correlation_id(lab), "an id that reads like a cookie": FALSE_COOKIE}
    for label, id in ids.items():
        # Other protocols without it: a request that lost its correlation info on the way must not look like the control's.
        info = {"negotiation": BOTH} if id is None else {"negotiation": WITH_CORRELATION, "correlation": CorrelationInfo(id)}
        request = ConnectionRequest(**info).encode()
        lab.visit([Visit(lab.sources.one(), request=request, label=label) for _ in range(NAMELESS)])
    lab.judge(checks.correlation_info_is_no_cookie, control="no correlation info", nameless=list(ids)[1:])


def correlated(lab: Lab, user: str) -> bytes:
    """A user's request with correlation info of its own, as every connection has."""
    info = CorrelationInfo(correlation_id(lab))
    return ConnectionRequest(cookie=user.encode(), negotiation=WITH_CORRELATION, correlation=info).encode()


def correlation_id(lab: Lab) -> bytes:
    """Sixteen bytes as MS-RDPBCGR 2.2.1.1.2 wants them: the first neither 00 nor F4, none 0D."""
    rest = bytes(lab.random.choice([byte for byte in range(256) if byte != 0x0D]) for _ in range(15))
    return bytes([lab.random.randrange(1, 0xF4)]).replace(b"\x0d", b"\x0e") + rest
