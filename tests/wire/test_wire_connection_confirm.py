"""The catalogue's Connection Confirms (3.1), and answers that a strange server might give."""

import pytest

from lbcert.wire import (
    CC_VECTORS,
    ConnectionConfirm,
    Decoded,
    FailureCode,
    NegotiationFailure,
    NegotiationResponse,
    Protocols,
    ResponseFlags,
)

ALL_FLAGS = (
    ResponseFlags.EXTENDED_CLIENT_DATA_SUPPORTED
    | ResponseFlags.DYNVC_GFX_PROTOCOL_SUPPORTED
    | ResponseFlags.RESERVED
    | ResponseFlags.RESTRICTED_ADMIN_MODE_SUPPORTED
    | ResponseFlags.REDIRECTED_AUTHENTICATION_MODE_SUPPORTED
)

VECTORS = [
    ("CC-01", ConnectionConfirm(negotiation=NegotiationResponse(Protocols.HYBRID, ALL_FLAGS)),
     "03000013 0e d0 0000 1234 00  02 1f 0800 02000000"),
    ("CC-02", ConnectionConfirm(negotiation=NegotiationResponse(Protocols.SSL)),
     "03000013 0e d0 0000 1234 00  02 00 0800 01000000"),
    ("CC-03", ConnectionConfirm(negotiation=NegotiationFailure(FailureCode.HYBRID_REQUIRED_BY_SERVER)),
     "03000013 0e d0 0000 1234 00  03 00 0800 05000000"),
    ("CC-04", ConnectionConfirm(), "0300000b 06 d0 0000 1234 00"),
]
STRANGE = [
    ("unknown-protocol", ConnectionConfirm(negotiation=NegotiationResponse(0x80000001, 0xE0)),
     "03000013 0e d0 0000 1234 00  02 e0 0800 01000080"),
    ("unknown-failure", ConnectionConfirm(negotiation=NegotiationFailure(99, 7)),
     "03000013 0e d0 0000 1234 00  03 07 0800 63000000"),
    ("other-references", ConnectionConfirm(destination_ref=1, source_ref=2, class_option=1, tpkt_reserved=9),
     "0309000b 06 d0 0001 0002 01"),
    ("bytes-behind", ConnectionConfirm(negotiation=NegotiationResponse(Protocols.SSL), trailing=b"\xc0\x01\x0a"),
     "03000016 11 d0 0000 1234 00  02 00 0800 01000000  c0 01 0a"),
]
rows = pytest.mark.parametrize("id, value, octets", VECTORS + STRANGE, ids=[row[0] for row in VECTORS + STRANGE])


@rows
def test_decode(id, value, octets):
    assert ConnectionConfirm.decode(bytes.fromhex(octets)) == Decoded(value, b"")


@rows
def test_encode(id, value, octets):
    assert value.encode() == bytes.fromhex(octets)


@rows
def test_what_follows_is_left_over(id, value, octets):
    assert ConnectionConfirm.decode(bytes.fromhex(octets) + b"\x16\x03\x01") == Decoded(value, b"\x16\x03\x01")


def test_suites_send_the_same_bytes():
    assert CC_VECTORS == {id: bytes.fromhex(octets) for id, _, octets in VECTORS}
