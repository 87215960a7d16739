"""The catalogue's Connection Requests (3.1): what they mean, and that the meaning gives back the bytes."""

import pytest

from lbcert.wire import (
    CR_VECTORS,
    ConnectionRequest,
    CorrelationInfo,
    Decoded,
    NegotiationRequest,
    Protocols,
    RequestFlags,
    TokenAddress,
)

SSL = NegotiationRequest(Protocols.SSL)
SSL_HYBRID = NegotiationRequest(Protocols.SSL | Protocols.HYBRID)
ALL = NegotiationRequest(Protocols.SSL | Protocols.HYBRID | Protocols.HYBRID_EX)
ALL_CORRELATED = NegotiationRequest(ALL.protocols, RequestFlags.CORRELATION_INFO_PRESENT)
CORRELATION = CorrelationInfo(bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90"))

# TPKT     LI code dst  src  class | text | negotiation | correlation
VECTORS = [
    ("CR-01", ConnectionRequest(cookie=b"jsmith", negotiation=SSL_HYBRID), """
        0300002c 27 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a
        01 00 0800 03000000"""),
    ("CR-02", ConnectionRequest(cookie=b"jsmith"), """
        03000024 1f e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a"""),
    ("CR-03", ConnectionRequest(negotiation=ALL), """
        03000013 0e e0 0000 0000 00
        01 00 0800 0b000000"""),
    ("CR-04", ConnectionRequest(cookie=b"MYDOMAIN\\", negotiation=ALL), """
        0300002f 2a e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 4d59444f4d41494e5c 0d0a
        01 00 0800 0b000000"""),
    ("CR-05", ConnectionRequest(routing_token=b"Cookie: msts=83886090.15629.0000", negotiation=ALL), """
        03000035 30 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 3833383836303930 2e 3135363239 2e 30303030 0d0a
        01 00 0800 0b000000"""),
    ("CR-06", ConnectionRequest(routing_token=b"Cookie: msts=3640205228.15629.0000", negotiation=SSL), """
        03000037 32 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 33363430323035323238 2e 3135363239 2e 30303030 0d0a
        01 00 0800 01000000"""),
    ("CR-07", ConnectionRequest(routing_token=b"Cookie: msts=100663306.15629.0000 ", negotiation=ALL), """
        03000037 32 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 313030363633333036 2e 3135363239 2e 30303030 20 0d0a
        01 00 0800 0b000000"""),
    ("CR-08", ConnectionRequest(routing_token=b"tsv://MS Terminal Services Plugin.1.99999", negotiation=ALL), """
        0300003e 39 e0 0000 0000 00
        7473763a2f2f 4d53 20 5465726d696e616c 20 5365727669636573 20 506c7567696e 2e312e3939393939 0d0a
        01 00 0800 0b000000"""),
    ("CR-09", ConnectionRequest(cookie=b"jsmith", negotiation=ALL_CORRELATED, correlation=CORRELATION), """
        03000050 4b e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 6a736d697468 0d0a
        01 08 0800 0b000000
        06 00 2400 a1b2c3d4e5f60718293a4b5c6d7e8f90 00000000000000000000000000000000"""),
    ("CR-10", ConnectionRequest(), "0300000b 06 e0 0000 0000 00"),
    ("CR-11", ConnectionRequest(cookie=b"u" * 221, negotiation=ALL), """
        03000103 fe e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d""" + " 75757575757575757575757575" * 17 + """ 0d0a
        01 00 0800 0b000000"""),
    ("CR-12", ConnectionRequest(routing_token=b"Cookie: msts=1234567890", negotiation=ALL), """
        0300002c 27 e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 31323334353637383930 0d0a
        01 00 0800 0b000000"""),
    ("CR-13", ConnectionRequest(routing_token=b"Cookie: msts=100663306.15629.", negotiation=ALL), """
        03000032 2d e0 0000 0000 00
        436f6f6b69653a20 6d7374733d 313030363633333036 2e 3135363239 2e 0d0a
        01 00 0800 0b000000"""),
    ("CR-14", ConnectionRequest(cookie=b"eltons", negotiation=NegotiationRequest(Protocols.RDP)), """
        0300002c 27 e0 0000 0000 00
        436f6f6b69653a20 6d737473686173683d 656c746f6e73 0d0a
        01 00 0800 00000000"""),
]
vectors = pytest.mark.parametrize("id, value, octets", VECTORS, ids=[id for id, _, _ in VECTORS])


@vectors
def test_decode(id, value, octets):
    assert ConnectionRequest.decode(bytes.fromhex(octets)) == Decoded(value, b"")


@vectors
def test_encode(id, value, octets):
    assert value.encode() == bytes.fromhex(octets)


@vectors
def test_what_follows_is_left_over(id, value, octets):
    assert ConnectionRequest.decode(bytes.fromhex(octets) + b"\x03\x00next") == Decoded(value, b"\x03\x00next")


@vectors
def test_suites_send_the_same_bytes(id, value, octets):
    assert CR_VECTORS[id] == bytes.fromhex(octets)


def test_no_vector_is_missing():
    assert list(CR_VECTORS) == [id for id, _, _ in VECTORS] == [f"CR-{number:02}" for number in range(1, 15)]


@pytest.mark.parametrize("id, user, address", [
    ("CR-01", b"jsmith", None),
    ("CR-02", b"jsmith", None),
    ("CR-03", None, None),
    ("CR-04", b"MYDOMAIN\\", None),
    ("CR-05", None, TokenAddress("10.0.0.5", 3389)),
    ("CR-06", None, TokenAddress("172.31.249.216", 3389)),
    ("CR-07", None, TokenAddress("10.0.0.6", 3389)),
    ("CR-08", None, None),
    ("CR-09", b"jsmith", None),
    ("CR-10", None, None),
    ("CR-11", b"u" * 221, None),
    ("CR-12", None, None),
    ("CR-13", None, TokenAddress("10.0.0.6", 3389)),
    ("CR-14", b"eltons", None),
])
def test_keys_of_persistence(id, user, address):
    request = ConnectionRequest.decode(CR_VECTORS[id]).value
    assert (request.user, request.address) == (user, address)


def test_references_options_and_reserved_byte_survive():
    octets = bytes.fromhex("03aa000b 06 e0 1234 abcd 03")
    value = ConnectionRequest(destination_ref=0x1234, source_ref=0xABCD, class_option=3, tpkt_reserved=0xAA)
    assert ConnectionRequest.decode(octets) == Decoded(value)
    assert value.encode() == octets


def test_decodes_from_other_buffer_types():
    octets = CR_VECTORS["CR-01"] + b"next"
    assert ConnectionRequest.decode(bytearray(octets)) == ConnectionRequest.decode(octets)
    assert ConnectionRequest.decode(memoryview(octets)) == ConnectionRequest.decode(octets)
