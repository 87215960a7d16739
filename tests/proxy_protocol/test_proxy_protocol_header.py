"""The header of the PROXY protocol: known vectors, every cut, every fault at its place."""

import random

import pytest

from lbcert.wire.crc32c import crc32c
from lbcert.wire.outcome import Decoded, Malformed, NeedMore
from lbcert.wire.proxy_malformed import headers
from lbcert.wire.proxy_protocol import CRC32C, PROXY_VECTORS, SSL, SSL_CN, SSL_VERSION, V2, ProxyHeader, Ssl

CLIENT, VIP = ("10.50.0.10", 33295), ("10.50.0.142", 450)
TLS = Ssl(7, True, ((SSL_VERSION, b"TLSv1.3"), (SSL_CN, b"client1")))
HEADERS = {
    "PP-1": ProxyHeader(1, "PROXY", "TCP4", CLIENT, VIP), "PP-2": ProxyHeader(2, "PROXY", "TCP4", CLIENT, VIP),
    "PP-3": ProxyHeader(2, "LOCAL", "UNSPEC"),
}  # fmt: skip
OTHERS = {
    "v1 TCP6": ProxyHeader(1, "PROXY", "TCP6", ("fd00::1", 1), ("fd00::2", 65535)),
    "v1 unknown": ProxyHeader(1, "PROXY", "UNKNOWN"),
    "v1 unknown with more": ProxyHeader(1, "PROXY", "UNKNOWN", ignored=b" ffff::1 x 1 2"),
    "v2 TCP6": ProxyHeader(2, "PROXY", "TCP6", ("fd00::1", 1), ("fd00::2", 443), ((4, b"abc"),)),
    "v2 UDP4": ProxyHeader(2, "PROXY", "UDP4", CLIENT, VIP),
    "v2 UNIX": ProxyHeader(2, "PROXY", "UNIX", ("/run/a", 0), ("/run/b", 0)),
    "v2 unspec": ProxyHeader(2, "PROXY", "UNSPEC", tlvs=((1, b"h2"),)),
    "v2 LOCAL with a block": ProxyHeader(2, "LOCAL", "TCP4", ignored=bytes(12)),
    "v2 TLS and sum": ProxyHeader(2, "PROXY", "TCP4", CLIENT, VIP, ((SSL, TLS.encode()),)).summed(),
}
ALL = {**HEADERS, **OTHERS}
every = pytest.mark.parametrize("header", ALL.values(), ids=ALL)


@pytest.mark.parametrize("id", PROXY_VECTORS)
def test_vectors(id):
    octets = PROXY_VECTORS[id]
    assert HEADERS[id].encode() == octets and ProxyHeader.decode(octets) == Decoded(HEADERS[id])


@every
def test_values_survive_the_wire(header):
    assert ProxyHeader.decode(header.encode() + b"GET /") == Decoded(header, b"GET /")


@every
def test_every_prefix_needs_more_and_asks_for_no_more_than_there_is(header):
    octets = header.encode()
    for cut in range(len(octets)):
        outcome = ProxyHeader.decode(octets[:cut])
        assert isinstance(outcome, NeedMore) and 1 <= outcome.at_least <= len(octets) - cut


def line(text):
    return f"PROXY {text}\r\n".encode()


def v2(start, block=b"", length=None):
    return V2 + start + (len(block) if length is None else length).to_bytes(2, "big") + block


SUMMED = OTHERS["v2 TLS and sum"].encode()


@pytest.mark.parametrize("octets, offset", [
    (b"GET / HTTP/1.1\r\n", 0), (b"PROXZ", 4), (b"PROXY\t", 5), (line("TCP4  10.0.0.1 10.0.0.2 1 2"), 6),
    (line("TCP4 10.0.0.1 10.0.0.2 01 2"), 6), (line("TCP4 10.0.0.1 10.0.0.2 1 65536"), 6), (line("TCP4 10.0.0.1 10.0.0.2 1"), 6),
    (line("TCP4 10.0.0.01 10.0.0.2 1 2"), 6), (line("TCP4 fd00::1 fd00::2 1 2"), 6), (line("TCP6 10.0.0.1 10.0.0.2 1 2"), 6),
    (line("UDP4 10.0.0.1 10.0.0.2 1 2"), 6), (line("tcp4 10.0.0.1 10.0.0.2 1 2"), 6), (line("TCP4 10.0.0.1 10.0.0.2 1 2 "), 6),
    (line("UNKNOWNX"), 6), (line("TCP6 fe80::1%eth0 fd00::2 1 2"), 6), (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", 30),
    (b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", 106), (V2 + b"\x31", 12), (V2 + b"\x22", 12), (V2 + b"\x21\x13", 13),
    (v2(b"\x21\x11", bytes(11)), 14), (v2(b"\x21\x21", b"", 35), 14), (v2(b"\x21\x11", bytes(14)), 28),
    (v2(b"\x21\x11", bytes(12) + b"\x01\x00\x05abcd"), 28), (SUMMED[:-1] + bytes((SUMMED[-1] ^ 1,)), 28),
    (v2(b"\x21\x11", bytes(12) + b"\x03\x00\x02ab"), 28), (v2(b"\x21\x31", b"a\0b" + bytes(213)), 16),
], ids=range(27))  # fmt: skip
def test_a_fault_is_found_at_its_place_whatever_the_cut(octets, offset):
    outcomes = [ProxyHeader.decode(octets[:cut]) for cut in range(len(octets) + 1)]
    last = outcomes[-1]
    assert isinstance(last, Malformed) and last.offset == offset
    assert all(isinstance(one, NeedMore) or one == last for one in outcomes)


def test_the_longest_line_of_version_1_is_taken():
    octets = b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n"
    assert len(octets) == 107 and isinstance(ProxyHeader.decode(octets), Decoded)


def test_the_sum_is_the_one_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283 and crc32c(bytes(32)) == 0x8A9136AA
    assert OTHERS["v2 TLS and sum"].tlv(CRC32C) is not None


def test_what_is_told_of_tls():
    assert Ssl.decode(TLS.encode()) == Decoded(TLS)
    assert isinstance(Ssl.decode(b"\1\0\0\0"), Malformed) and isinstance(Ssl.decode(bytes(5) + b"\x21\0\5a"), Malformed)


def test_changed_bytes_never_raise():
    dice = random.Random(3)
    for _ in range(5000):
        octets = bytearray(dice.choice(list(ALL.values())).encode())
        for _ in range(dice.randrange(1, 4)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        outcome = ProxyHeader.decode(bytes(octets))
        assert not isinstance(outcome, Decoded) or outcome.value.encode() + outcome.rest == octets


@pytest.mark.parametrize("to, family", [(("10.0.0.142", 80), "TCP4"), (("fd00::1", 443), "TCP6")])
def test_headers_of_strangers_are_of_the_listeners_family(to, family):
    made = headers(7, to)
    assert len(made) == 3
    for header in made.values():
        assert (header.family, header.destination) == (family, to)
        assert ProxyHeader.decode(header.encode() + b"GET") == Decoded(header, b"GET")
