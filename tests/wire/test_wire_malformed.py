"""The catalogue's malformed and hostile requests (3.2): each is a value of ours, and each has one stated outcome."""

import pytest

from lbcert.wire import (
    COOKIE_PREFIX,
    DESCRIPTIONS,
    MALFORMED_VECTORS,
    ConnectionRequest,
    CorrelationInfo,
    Decoded,
    Malformed,
    NegotiationRequest,
    Protocols,
    RequestFlags,
    TokenAddress,
)

SSL_HYBRID = NegotiationRequest(Protocols.SSL | Protocols.HYBRID)
CORRELATED = NegotiationRequest(
    Protocols.SSL | Protocols.HYBRID | Protocols.HYBRID_EX, RequestFlags.CORRELATION_INFO_PRESENT
)
CORRELATION = CorrelationInfo(bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90"))
TOKEN_A = b"Cookie: msts=83886090.15629.0000"


def request(**fields):
    return ConnectionRequest(**{"negotiation": SSL_HYBRID, **fields})


VECTORS = [
    ("M-01", request(cookie=b"jsmith", tpkt_length=45), """
        0300002d 27 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a  01 00 0800 03000000"""),
    ("M-02", request(cookie=b"jsmith", tpkt_length=43), """
        0300002b 27 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a  01 00 0800 03000000"""),
    ("M-03", request(cookie=b"jsmith", length_indicator=38), """
        0300002c 26 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a  01 00 0800 03000000"""),
    ("M-04", request(cookie=b"jsmith", class_option=0x20), """
        0300002c 27 e0 0000 0000 20
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a  01 00 0800 03000000"""),
    ("M-05", request(extra_text=COOKIE_PREFIX + b"jsmith"), """
        0300002a 25 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468  01 00 0800 03000000"""),
    ("M-06", ConnectionRequest(class_option=None), "0300000a 05 e0 0000 0000"),
    ("M-07", request(cookie=b"js\0ith"), """
        0300002c 27 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a7300697468 0d0a  01 00 0800 03000000"""),
    ("M-08", request(cookie=b""), """
        03000026 21 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 0d0a  01 00 0800 03000000"""),
    ("M-09", request(cookie=b"jsmith", routing_token=TOKEN_A), """
        0300004e 49 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 3833383836303930 2e 3135363239 2e 30303030 0d0a
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a  01 00 0800 03000000"""),
    ("M-10", request(cookie=b"jsmith", routing_token=TOKEN_A, cookie_first=True), """
        0300004e 49 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a
        436f6f6b69653a20 6d7374733d 3833383836303930 2e 3135363239 2e 30303030 0d0a  01 00 0800 03000000"""),
    ("M-11", request(routing_token=b"Cookie: msts=4378853386.15629.0000"), """
        03000037 32 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 34333738383533333836 2e 3135363239 2e 30303030 0d0a  01 00 0800 03000000"""),
    ("M-12", request(routing_token=b"Cookie: msts=167772165.15629.0000"), """
        03000036 31 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 313637373732313635 2e 3135363239 2e 30303030 0d0a  01 00 0800 03000000"""),
    ("M-13", request(routing_token=b"Cookie: msts=83886090.3389.0000"), """
        03000034 2f e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 3833383836303930 2e 33333839 2e 30303030 0d0a  01 00 0800 03000000"""),
    ("M-14", request(routing_token=b"Cookie: msts=83886090.15629"), """
        03000030 2b e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 3833383836303930 2e 3135363239 0d0a  01 00 0800 03000000"""),
    ("M-15", request(negotiation=CORRELATED, correlation=CORRELATION), """
        03000037 32 e0 0000 0000 00  01 08 0800 0b000000
        06 00 2400 a1b2c3d4e5f60718293a4b5c6d7e8f90 00000000000000000000000000000000"""),
    ("M-16", request(routing_token=TOKEN_A, extra_text=b"\r\n"), """
        03000037 32 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 3833383836303930 2e 3135363239 2e 30303030 0d0a 0d0a  01 00 0800 03000000"""),
]
REFUSED_AT = {"M-01": 4, "M-02": 4, "M-03": 4, "M-04": 10, "M-05": 11, "M-06": 2, "M-07": 30}
ODD = [row for row in VECTORS if row[0] not in REFUSED_AT]
every_vector = pytest.mark.parametrize("id, value, octets", VECTORS, ids=[id for id, _, _ in VECTORS])


@every_vector
def test_encode(id, value, octets):
    assert value.encode() == bytes.fromhex(octets)


@every_vector
def test_suites_send_the_same_bytes(id, value, octets):
    assert MALFORMED_VECTORS[id] == bytes.fromhex(octets)
    assert DESCRIPTIONS[id]


@pytest.mark.parametrize("id, offset", REFUSED_AT.items(), ids=REFUSED_AT)
def test_refused(id, offset):
    outcome = ConnectionRequest.decode(MALFORMED_VECTORS[id])
    assert isinstance(outcome, Malformed)
    assert outcome.offset == offset


@pytest.mark.parametrize("id, value, octets", ODD, ids=[id for id, _, _ in ODD])
def test_odd_but_decoded(id, value, octets):
    assert ConnectionRequest.decode(bytes.fromhex(octets)) == Decoded(value, b"")


@pytest.mark.parametrize("id, user, address", [
    ("M-08", None, None),
    ("M-09", None, TokenAddress("10.0.0.5", 3389)),
    ("M-10", b"jsmith", None),
    ("M-11", None, None),
    ("M-12", None, TokenAddress("5.0.0.10", 3389)),
    ("M-13", None, TokenAddress("10.0.0.5", 15629)),
    ("M-14", None, None),
    ("M-15", None, None),
    ("M-16", None, TokenAddress("10.0.0.5", 3389)),
])
def test_keys_of_persistence(id, user, address):
    request = ConnectionRequest.decode(MALFORMED_VECTORS[id]).value
    assert (request.user, request.address) == (user, address)


def test_a_name_that_overflows_the_length_indicator_must_be_meant():
    """xfreerdp 2 with a 240-character name sends a 278-byte request whose LI has wrapped to 0x11 (RDP-PARSE-10)."""
    name = b"u" * 240
    with pytest.raises(ValueError, match="length_indicator"):
        request(cookie=name).encode()
    octets = request(cookie=name, length_indicator=0x11).encode()
    assert octets[:6] == bytes.fromhex("03000116 11 e0")
    assert ConnectionRequest.decode(octets).offset == 4
