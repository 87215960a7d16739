"""The negotiation structures by themselves; inside their PDUs they are tested with those."""

import pytest

from lbcert.wire import (
    CorrelationInfo,
    Decoded,
    FailureCode,
    Malformed,
    NeedMore,
    NegotiationFailure,
    NegotiationRequest,
    NegotiationResponse,
    Protocols,
    RequestFlags,
    ResponseFlags,
)

ID = bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90")

# One row per named bit or code, so that a wrong constant shows.
STRUCTURES = [
    ("RDP", NegotiationRequest(Protocols.RDP), "01 00 0800 00000000"),
    ("SSL", NegotiationRequest(Protocols.SSL), "01 00 0800 01000000"),
    ("HYBRID", NegotiationRequest(Protocols.HYBRID), "01 00 0800 02000000"),
    ("RDSTLS", NegotiationRequest(Protocols.RDSTLS), "01 00 0800 04000000"),
    ("HYBRID_EX", NegotiationRequest(Protocols.HYBRID_EX), "01 00 0800 08000000"),
    ("RDSAAD", NegotiationRequest(Protocols.RDSAAD), "01 00 0800 10000000"),
    ("unknown protocol", NegotiationRequest(0x80000003), "01 00 0800 03000080"),
    ("restricted admin", NegotiationRequest(0, RequestFlags.RESTRICTED_ADMIN_MODE_REQUIRED), "01 01 0800 00000000"),
    ("redirected", NegotiationRequest(0, RequestFlags.REDIRECTED_AUTHENTICATION_MODE_REQUIRED), "01 02 0800 00000000"),
    ("correlation", NegotiationRequest(0, RequestFlags.CORRELATION_INFO_PRESENT), "01 08 0800 00000000"),
    ("unknown flag", NegotiationRequest(0, 0x84), "01 84 0800 00000000"),
    ("extended data", NegotiationResponse(0, ResponseFlags.EXTENDED_CLIENT_DATA_SUPPORTED), "02 01 0800 00000000"),
    ("graphics", NegotiationResponse(0, ResponseFlags.DYNVC_GFX_PROTOCOL_SUPPORTED), "02 02 0800 00000000"),
    ("reserved", NegotiationResponse(0, ResponseFlags.RESERVED), "02 04 0800 00000000"),
    ("admin", NegotiationResponse(0, ResponseFlags.RESTRICTED_ADMIN_MODE_SUPPORTED), "02 08 0800 00000000"),
    ("redirect", NegotiationResponse(0, ResponseFlags.REDIRECTED_AUTHENTICATION_MODE_SUPPORTED), "02 10 0800 00000000"),
    ("failure 1", NegotiationFailure(FailureCode.SSL_REQUIRED_BY_SERVER), "03 00 0800 01000000"),
    ("failure 2", NegotiationFailure(FailureCode.SSL_NOT_ALLOWED_BY_SERVER), "03 00 0800 02000000"),
    ("failure 3", NegotiationFailure(FailureCode.SSL_CERT_NOT_ON_SERVER), "03 00 0800 03000000"),
    ("failure 4", NegotiationFailure(FailureCode.INCONSISTENT_FLAGS), "03 00 0800 04000000"),
    ("failure 5", NegotiationFailure(FailureCode.HYBRID_REQUIRED_BY_SERVER), "03 00 0800 05000000"),
    ("failure 6", NegotiationFailure(FailureCode.SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER), "03 00 0800 06000000"),
    ("failure 7", NegotiationFailure(7), "03 00 0800 07000000"),
    ("id", CorrelationInfo(ID), "06 00 2400 a1b2c3d4e5f60718293a4b5c6d7e8f90 00000000000000000000000000000000"),
    ("reserved", CorrelationInfo(ID, b"r" * 16, 5), "06 05 2400 a1b2c3d4e5f60718293a4b5c6d7e8f90" + "72" * 16),
]
structures = pytest.mark.parametrize("id, value, octets", STRUCTURES, ids=[row[0] for row in STRUCTURES])


@structures
def test_encode_and_decode(id, value, octets):
    assert value.encode() == bytes.fromhex(octets)
    assert type(value).decode(bytes.fromhex(octets) + b"next") == Decoded(value, b"next")


@structures
def test_cut_anywhere(id, value, octets):
    octets = bytes.fromhex(octets)
    for cut in range(len(octets)):
        expected = 1 if cut == 0 else 4 - cut if cut < 4 else len(octets) - cut
        assert type(value).decode(octets[:cut]) == NeedMore(expected)


@structures
def test_wrong_type_or_length(id, value, octets):
    octets = bytes.fromhex(octets)
    for offset, field in ((0, 0), (2, 2), (2, 3)):
        broken = bytearray(octets)
        broken[field] ^= 0x40
        outcome = type(value).decode(bytes(broken))
        assert isinstance(outcome, Malformed) and outcome.offset == offset


def test_known_numbers_are_named_and_unknown_ones_are_not():
    named = NegotiationRequest.decode(bytes.fromhex("01 0b 0800 1f000000")).value
    plain = NegotiationRequest.decode(bytes.fromhex("01 04 0800 20000000")).value
    assert (type(named.protocols), type(named.flags)) == (Protocols, RequestFlags)
    assert (type(plain.protocols), type(plain.flags)) == (int, int)
    assert type(NegotiationFailure.decode(bytes.fromhex("03 00 0800 06000000")).value.code) is FailureCode


def test_wrong_types_and_lengths_can_be_sent():
    assert NegotiationRequest(Protocols.SSL, type=9, length=7).encode() == bytes.fromhex("09 00 0700 01000000")
    assert CorrelationInfo(b"\r\n", b"", length=6).encode() == bytes.fromhex("06 00 0600 0d0a")


@pytest.mark.parametrize("value", [NegotiationRequest(1 << 32), NegotiationResponse(-1), NegotiationFailure(1, flags=256)])
def test_numbers_that_do_not_fit(value):
    with pytest.raises(ValueError):
        value.encode()


@pytest.mark.parametrize("first, id, advisable", [
    (0xA1, ID, True), (0x00, ID, False), (0xF4, ID, False), (0xA1, ID[:-1] + b"\r", False), (0xA1, ID[:-1] + b"\n", True),
], ids=["good", "first-00", "first-f4", "has-0d", "has-0a"])
def test_advice_on_correlation_ids(first, id, advisable):
    assert CorrelationInfo(bytes([first]) + id[1:]).follows_advice is advisable
