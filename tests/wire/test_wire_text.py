"""The text part of a request where clients and attackers are inventive: repeated lines, blank lines, CR LF in binary."""

import pytest

from lbcert.wire import ConnectionRequest, CorrelationInfo, Decoded, Malformed, NegotiationRequest, RequestFlags

CORRELATED = NegotiationRequest(0, RequestFlags.CORRELATION_INFO_PRESENT)
NEGOTIATION = NegotiationRequest(1)


def packet(variable):
    return bytes((3, 0, 0, 11 + len(variable), 6 + len(variable), 0xE0, 0, 0, 0, 0, 0)) + variable


NEG = NEGOTIATION.encode()
ROWS = [
    ("two cookies", b"Cookie: mstshash=a\r\nCookie: mstshash=b\r\n" + NEG,
     {"cookie": b"a", "extra_text": b"Cookie: mstshash=b\r\n"}, b"a"),
    ("two tokens", b"tsv://a\r\ntsv://b\r\n" + NEG, {"routing_token": b"tsv://a", "extra_text": b"tsv://b\r\n"}, None),
    ("cookie twice, then token", b"Cookie: mstshash=a\r\nCookie: mstshash=a\r\ntsv://b\r\n" + NEG,
     {"cookie": b"a", "extra_text": b"Cookie: mstshash=a\r\ntsv://b\r\n"}, b"a"),
    ("token, cookie, token", b"tsv://a\r\nCookie: mstshash=b\r\ntsv://c\r\n" + NEG,
     {"routing_token": b"tsv://a", "cookie": b"b", "extra_text": b"tsv://c\r\n"}, None),
    ("cookie with its CR LF doubled", b"Cookie: mstshash=a\r\n\r\n" + NEG, {"cookie": b"a", "extra_text": b"\r\n"}, b"a"),
    ("blank line first", b"\r\nCookie: mstshash=a\r\n" + NEG, {"extra_text": b"\r\nCookie: mstshash=a\r\n"}, None),
    ("other case", b"cookie: MSTSHASH=a\r\n" + NEG, {"routing_token": b"cookie: MSTSHASH=a"}, None),
    ("CR in a name", b"Cookie: mstshash=a\rb\r\r\n" + NEG, {"cookie": b"a\rb\r"}, b"a\rb\r"),
    ("LF in a name", b"Cookie: mstshash=a\nb\n\r\n" + NEG, {"cookie": b"a\nb\n"}, b"a\nb\n"),
    ("bytes over 7F", b"Cookie: mstshash=m\xfcller\r\n" + NEG, {"cookie": b"m\xfcller"}, b"m\xfcller"),
    ("bytes behind the negotiation", b"Cookie: mstshash=a\r\n" + NEG + b"\0tail",
     {"cookie": b"a", "trailing": b"\0tail"}, b"a"),
]


@pytest.mark.parametrize("id, variable, fields, user", ROWS, ids=[row[0] for row in ROWS])
def test_inventive_text(id, variable, fields, user):
    value = ConnectionRequest(negotiation=NEGOTIATION, **fields)
    assert ConnectionRequest.decode(packet(variable)) == Decoded(value)
    assert value.encode() == packet(variable)
    assert value.user == user


@pytest.mark.parametrize("id", [
    b"\r\n" * 8, b"\n\r" * 8, b"\r" * 16, b"\r\nCookie: mst=\r\n", b"Cookie: mstshash",
], ids=["CR LF", "LF CR", "CR", "cookie line", "cookie prefix"])
@pytest.mark.parametrize("cookie", [b"jsmith", None], ids=["name", "no name"])
def test_correlation_info_is_no_cookie(cookie, id):
    """RDP-PARSE-09: whatever the id holds, the user is that of the cookie line, or nobody."""
    value = ConnectionRequest(cookie=cookie, negotiation=CORRELATED, correlation=CorrelationInfo(id, b"=x\r\n" + bytes(12)))
    assert ConnectionRequest.decode(value.encode()) == Decoded(value)
    assert value.user == cookie


def test_a_line_end_within_correlation_info_does_not_end_the_cookie():
    correlation = CorrelationInfo(b"\r\n" * 8).encode()
    outcome = ConnectionRequest.decode(packet(b"Cookie: mstshash=jsmith" + CORRELATED.encode() + correlation))
    assert isinstance(outcome, Malformed)
    assert outcome.offset == 37  # the first NUL of what is really RDP_NEG_REQ


def test_correlation_info_that_is_not_announced_stays_unread():
    correlation = CorrelationInfo(b"i" * 16)
    value = ConnectionRequest.decode(packet(NEG + correlation.encode())).value
    assert (value.correlation, value.trailing) == (None, correlation.encode())


@pytest.mark.parametrize("variable, behind, offset", [
    (b"Cookie: mstshash=jsmith", b"\r\n", 11),
    (b"Cookie: mstshash=jsmith\r", b"\n", 11),
    (b"Cookie: mstshash=jsmith\r\n\r", b"\n", 36),
], ids=["CR LF behind", "LF behind", "LF of a blank line behind"])
def test_the_next_packet_ends_no_line(variable, behind, offset):
    outcome = ConnectionRequest.decode(packet(variable) + behind)
    assert isinstance(outcome, Malformed) and outcome.offset == offset


@pytest.mark.parametrize("flags", [0x01, 0x02, 0xF7])
def test_other_flags_announce_no_correlation_info(flags):
    value = ConnectionRequest(cookie=b"jsmith", negotiation=NegotiationRequest(1, flags))
    assert ConnectionRequest.decode(value.encode()) == Decoded(value)
