"""Long streams: made from names, summed up, and told apart by their sums."""

import pytest

from lbcert.wire.octets import BLOCK, difference, stream, summary

DATA = stream("a name", 3 * BLOCK + 10)


def test_a_stream_follows_from_its_name():
    assert DATA == stream("a name", len(DATA)) and DATA[:100] == stream("a name", 100)
    assert stream("another", 100) != DATA[:100] and stream("a name", 0) == b""
    assert len({DATA[at : at + 8] for at in range(0, len(DATA), 8)}) > 300


@pytest.mark.parametrize("received, says", [
    (DATA, None),
    (b"?" + DATA[1:], "3082 of 3082 bytes; first difference at byte 0"),
    (DATA[:63] + b"?" + DATA[64:], "first difference at byte 63"),
    (DATA[:64] + b"?" + DATA[65:], "first difference between byte 0 and 1023"),
    (DATA[:2000] + b"?" + DATA[2001:], "first difference between byte 1024 and 2047"),
    (DATA[:-1] + b"?", "first difference between byte 3072 and 4095"),
    (DATA[1000:], "2082 of 3082 bytes; first difference at byte 0"),
    (DATA[:2500] + DATA[2501:], "3081 of 3082 bytes; first difference between byte 2048 and 3071"),
    (DATA[:-1], "3081 of 3082 bytes; the stream is cut short"),
    (DATA[: 2 * BLOCK], "2048 of 3082 bytes; the stream is cut short"),
    (b"", "0 of 3082 bytes; the stream is cut short"),
    (DATA + b"x", "3083 of 3082 bytes; first difference between byte 3072 and 4095"),
    (DATA + bytes(2 * BLOCK), "5130 of 3082 bytes; first difference between byte 3072"),
])  # fmt: skip
def test_where_two_streams_part(received, says):
    found = difference(summary(DATA), summary(received))
    assert found == says if says is None else says in found


def test_whole_blocks_that_were_added():
    assert difference(summary(DATA[:BLOCK]), summary(DATA[: 2 * BLOCK])) == "2048 of 1024 bytes; bytes were added"


def test_blocks_in_another_order_are_seen():
    assert difference(summary(DATA), summary(DATA[:BLOCK] + DATA[2 * BLOCK : 3 * BLOCK] + DATA[BLOCK : 2 * BLOCK] + DATA[3 * BLOCK :]))
