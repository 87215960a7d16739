"""TPKT frames (RFC 1006) and X.224 Data (13.7)."""

import pytest

from lbcert.wire import Data, Decoded, Malformed, NeedMore, Tpkt

ROWS = [
    ("shortest frame", Tpkt(b"abc"), "03000007 616263"),
    ("reserved byte", Tpkt(b"abc", reserved=0xFF), "03ff0007 616263"),
    ("longest frame", Tpkt(bytes(65531)), "0300ffff" + "00" * 65531),
    ("no payload", Data(b""), "03000007 02 f0 80"),
    ("payload", Data(b"\x64\0\x01"), "0300000a 02 f0 80 640001"),
    ("longest payload", Data(bytes(65528)), "0300ffff 02 f0 80" + "00" * 65528),
    ("reserved byte", Data(b"", tpkt_reserved=1), "03010007 02 f0 80"),
]


@pytest.mark.parametrize("id, value, octets", ROWS, ids=[row[0] for row in ROWS])
def test_encode_and_decode(id, value, octets):
    assert value.encode() == bytes.fromhex(octets)
    assert type(value).decode(bytes.fromhex(octets) + b"next") == Decoded(value, b"next")


@pytest.mark.parametrize("value, octets", [
    (Tpkt(b"abc", length=6), "03000006 616263"),
    (Tpkt(b"abc", length=0), "03000000 616263"),
    (Tpkt(b"abc", version=2, reserved=9), "02090007 616263"),
    (Tpkt(b""), "03000004"),
    (Data(b"x", tpkt_length=9), "03000009 02 f0 80 78"),
    (Data(b"x", length_indicator=3, code=0xF1, eot=0), "03000008 03 f1 00 78"),
])
def test_deliberately_wrong(value, octets):
    assert value.encode() == bytes.fromhex(octets)


@pytest.mark.parametrize("value", [Tpkt(bytes(65532)), Tpkt(b"", length=-1), Tpkt(b"", version=256), Data(b"", eot=256)])
def test_numbers_that_do_not_fit(value):
    with pytest.raises(ValueError):
        value.encode()


@pytest.mark.parametrize("codec, octets, offset", [
    (Tpkt, "16", 0),
    (Tpkt, "00000007 616263", 0),
    (Tpkt, "03000006", 2),
    (Tpkt, "03000000 616263", 2),
    (Data, "16030102", 0),
    (Data, "03000006 02 f0", 2),
    (Data, "03000007 03", 4),
    (Data, "03000007 02 f1", 5),
    (Data, "0300000b 02 e0", 5),
    (Data, "03000007 02 f0 00", 6),
])
def test_broken_in_one_place(codec, octets, offset):
    outcome = codec.decode(bytes.fromhex(octets))
    assert isinstance(outcome, Malformed) and outcome.offset == offset
    assert isinstance(codec.decode(bytes.fromhex(octets)[:offset]), NeedMore)


@pytest.mark.parametrize("octets, expected", [
    ("", NeedMore(1)), ("03", NeedMore(3)), ("0300", NeedMore(2)), ("0300ff", NeedMore(1)),
    ("0300ffff", 65535), ("03000007", 7), ("0300000b 06 e0", 11),
])
def test_frame_length(octets, expected):
    assert Tpkt.frame_length(bytes.fromhex(octets)) == expected


def test_frame_length_with_a_minimum():
    assert Tpkt.frame_length(bytes.fromhex("0300000b"), 11) == 11
    assert Tpkt.frame_length(bytes.fromhex("0300000a"), 11).offset == 2
