"""Requests and confirms broken in one place: the place is reported, not sooner in the stream and not later."""

import pytest

from lbcert.wire import CC_VECTORS, CR_VECTORS, ConnectionConfirm, ConnectionRequest, Malformed, NeedMore

# id, vector, bytes put at an offset, the offset reported, bytes that must have arrived for it
REQUESTS = [
    ("TPKT version", "CR-01", 0, "02", 0, 1),
    ("a TLS ClientHello", "CR-01", 0, "160301", 0, 1),
    ("TPKT length 10", "CR-10", 2, "000a", 2, 4),
    ("TPKT length 0", "CR-10", 2, "0000", 2, 4),
    ("TPKT length + 1", "CR-01", 2, "002d", 4, 5),
    ("TPKT length - 1", "CR-01", 2, "002b", 4, 5),
    ("TPKT length + 256", "CR-01", 2, "012c", 4, 5),
    ("LI + 1", "CR-01", 4, "28", 4, 5),
    ("LI - 1", "CR-01", 4, "26", 4, 5),
    ("LI 0", "CR-01", 4, "00", 4, 5),
    ("LI 255 is reserved", "CR-11", 2, "0104ff", 4, 5),
    ("a confirm", "CR-01", 5, "d0", 5, 6),
    ("credit in class 0", "CR-01", 5, "e1", 5, 6),
    ("class 4", "CR-01", 10, "40", 10, 11),
    ("NUL first", "CR-01", 11, "00", 11, 44),
    ("no letter first", "CR-01", 11, "1f", 11, 44),
    ("NUL in the prefix", "CR-01", 15, "00", 15, 44),
    ("NUL in the name", "CR-01", 28, "00", 28, 44),
    ("NUL before CR LF", "CR-01", 33, "00", 33, 44),
    ("NUL in a token", "CR-08", 20, "00", 20, 62),
    ("CR without LF", "CR-01", 35, "41", 11, 44),
    ("LF without CR", "CR-01", 34, "41", 11, 44),
    ("LF CR", "CR-01", 34, "0a0d", 11, 44),
    ("no CR LF, text alone", "CR-02", 34, "4141", 11, 36),
    ("no CR LF but protocols 0D 0A", "CR-01", 34, "4141 0100 0800 0d0a0000", 37, 44),
    ("type of the request", "CR-01", 36, "02", 36, 44),
    ("type, without text", "CR-03", 11, "06", 11, 19),
    ("length of the request", "CR-01", 38, "0900", 38, 44),
    ("length, big-endian", "CR-01", 38, "0008", 38, 44),
    ("flag without correlation", "CR-01", 37, "08", 44, 44),
    ("type of correlation", "CR-09", 44, "05", 44, 80),
    ("length of correlation", "CR-09", 46, "2500", 46, 80),
]
CONFIRMS = [
    ("TPKT version", "CC-01", 0, "00", 0, 1),
    ("TPKT length 10", "CC-04", 2, "000a", 2, 4),
    ("LI", "CC-01", 4, "06", 4, 5),
    ("a request", "CC-01", 5, "e0", 5, 6),
    ("class 2", "CC-01", 10, "20", 10, 11),
    ("negotiation type 1", "CC-01", 11, "01", 11, 19),
    ("negotiation length", "CC-01", 13, "0700", 13, 19),
    ("failure length", "CC-03", 13, "0700", 13, 19),
]


@pytest.mark.parametrize("id, vector, at, octets, offset, seen_after", REQUESTS, ids=[row[0] for row in REQUESTS])
def test_request(id, vector, at, octets, offset, seen_after):
    assert_broken(ConnectionRequest, CR_VECTORS[vector], at, octets, offset, seen_after)


@pytest.mark.parametrize("id, vector, at, octets, offset, seen_after", CONFIRMS, ids=[row[0] for row in CONFIRMS])
def test_confirm(id, vector, at, octets, offset, seen_after):
    assert_broken(ConnectionConfirm, CC_VECTORS[vector], at, octets, offset, seen_after)


def assert_broken(codec, good, at, octets, offset, seen_after):
    octets = bytes.fromhex(octets)
    broken = good[:at] + octets + good[at + len(octets):]
    outcome = codec.decode(broken)
    assert isinstance(outcome, Malformed) and outcome.offset == offset and outcome.reason
    for cut in range(len(broken)):
        part = codec.decode(broken[:cut])
        assert part == outcome if cut >= seen_after else isinstance(part, NeedMore)


CUT_SHORT = [
    ("request of 7 bytes", ConnectionRequest, "03000012 0d e0 0000 0000 00  01 00 0800 030000", 11),
    ("request of 1 byte", ConnectionRequest, "0300000c 07 e0 0000 0000 00  01", 11),
    ("correlation of 35 bytes", ConnectionRequest,
     "03000036 31 e0 0000 0000 00  01 08 0800 00000000  06 00 2400" + "41" * 31, 19),
    ("parameters, as plain X.224 has them", ConnectionRequest, "0300000e 09 e0 0000 0000 00  c0 01 0a", 11),
    ("response of 7 bytes", ConnectionConfirm, "03000012 0d d0 0000 1234 00  02 00 0800 010000", 11),
    ("parameters", ConnectionConfirm, "0300000e 09 d0 0000 1234 00  c0 01 0a", 11),
]


@pytest.mark.parametrize("id, codec, octets, offset", CUT_SHORT, ids=[row[0] for row in CUT_SHORT])
def test_cut_short_although_the_lengths_agree(id, codec, octets, offset):
    outcome = codec.decode(bytes.fromhex(octets))
    assert isinstance(outcome, Malformed) and outcome.offset == offset
