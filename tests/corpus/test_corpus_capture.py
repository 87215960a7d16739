"""First packets out of captures: every kind of file and link, every way in which TCP delivers them."""

import struct

import pytest
from corpus_rig import CR, LINKS, SYN, ipv4, ipv6, pcap, section, tcp, visit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbcert.corpus.clean import Cleaner
from lbcert.corpus.packets import read
from lbcert.report.errors import ReportError
from lbcert.wire import ConnectionRequest

ONE = CR["CR-09"]
PLAIN = section([101], [(0, packet) for packet in visit(ONE)])
FILES = {
    "pcap": pcap(visit(ONE)),
    "pcap, big-endian": pcap(visit(ONE), order=">"),
    "pcap, nanoseconds": pcap(visit(ONE), nanoseconds=True),
    "pcap, nanoseconds, big-endian": pcap(visit(ONE), order=">", nanoseconds=True),
    "pcapng": PLAIN,
    "pcapng, big-endian": section([101], [(0, packet) for packet in visit(ONE)], ">"),
    "pcapng, simple packets": section([101], [(None, packet) for packet in visit(ONE)]),
    "pcapng, two interfaces": section([1, 101], [(1, packet) for packet in visit(ONE)]),
    "pcapng, two sections": section([113], []) + section([101], [(0, packet) for packet in visit(ONE)], ">"),
}


def found(tmp_path, content, port=3389):
    (tmp_path / "x.pcap").write_bytes(content)
    return read(tmp_path / "x.pcap", port)


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_files(tmp_path, content):
    assert [request.encode() for request in found(tmp_path, content).requests] == [ONE]


@pytest.mark.parametrize("link, wrap", LINKS.values(), ids=LINKS)
def test_links(tmp_path, link, wrap):
    assert len(found(tmp_path, pcap([wrap(packet) for packet in visit(ONE)], link)).requests) == 1


WAYS = {
    "in pieces": [(0, ONE[:5]), (5, ONE[5:30]), (30, ONE[30:])],
    "out of order": [(30, ONE[30:]), (0, ONE[:30])],
    "sent again": [(0, ONE[:30]), (0, ONE[:30]), (30, ONE[30:]), (30, ONE[30:])],
    "sent again, cut otherwise": [(0, ONE[:30]), (20, ONE[20:])],
    "what comes later does not count": [(0, ONE), (0, b"\xff" * 30)],
    "more behind it": [(0, ONE + b"\x16\3\1"), (len(ONE) + 3, b"more")],
    "a keep-alive before it": [(-1, b"\0"), (0, ONE)],
}


@pytest.mark.parametrize("isn", [1000, 0xFFFFFFF0], ids=["", "numbers wrap around"])
@pytest.mark.parametrize("pieces", WAYS.values(), ids=WAYS)
def test_segments_are_put_in_order(tmp_path, pieces, isn):
    packets = [ipv4(tcp(isn, flags=SYN)), *(ipv4(tcp(isn + 1 + at, piece)) for at, piece in pieces)]
    assert [request.encode() for request in found(tmp_path, pcap(packets)).requests] == [ONE]


@pytest.mark.parametrize("extension, following", [
    (b"", 6), (b"\x06\0" + bytes(6), 0), (b"\x3c\0" + bytes(6) + b"\x06\1" + bytes(14), 43), (b"\x06\0" + bytes(6), 44),
], ids=["plain", "hop by hop", "routing and destination", "atomic fragment"])  # fmt: skip
def test_ipv6(tmp_path, extension, following):
    packets = visit(ONE, wrap=lambda segment: ipv6(segment, extension, following))
    assert len(found(tmp_path, pcap(packets)).requests) == 1


def test_what_is_no_first_packet_is_counted(tmp_path):
    seen = found(tmp_path, pcap([
        *visit(ONE, sport=1), *visit(b"GET / HTTP/1.1\r\n\r\n", sport=2), *visit(ONE[:20], sport=3), *visit(b"", sport=4),
        ipv4(tcp(5, ONE, sport=5)), ipv4(tcp(1, ONE, sport=3389, dport=9)), ipv4(b"\0" * 8),
        ipv4(tcp(1, ONE, sport=6), 0x2000), b"",
    ]))  # fmt: skip
    counts = (len(seen.requests), seen.malformed.total(), seen.incomplete, seen.silent, seen.joined_late)
    assert counts == (1, 1, 1, 1, 1)


def test_a_port_used_again_is_another_connection(tmp_path):
    assert len(found(tmp_path, pcap([*visit(ONE, 1000), *visit(ONE, 90000)])).requests) == 2
    assert len(found(tmp_path, pcap(visit(ONE)), port=3390).requests) == 0


@pytest.mark.parametrize("content, at", [(pcap(visit(ONE)) + b"\0" * 9, 24 + 40 * 2 + 16 * 3 + 40 + len(ONE)),
                                         (pcap(visit(ONE) * 2)[:-1], 24 + 16 * 5 + 40 * 5 + len(ONE)),
                                         (PLAIN[:-2], len(PLAIN) - 24)])  # fmt: skip
def test_a_file_that_breaks_off_in_its_last_packet_is_read(tmp_path, content, at):
    seen = found(tmp_path, content)
    assert len(seen.requests) == 1 and seen.cut_at == at


LONG = struct.pack("<IIII", 1, 2, 1 << 30, 1 << 30)
BROKEN = {
    "empty": (b"", "is empty."),
    "text": (b"hello", "byte 0: begins with 68656c6c"),
    "gzip": (b"\x1f\x8b\x08\0", "is compressed. Unpack it with gunzip."),
    "header cut": (pcap([])[:20], "byte 20: the file ends within its header."),
    "length of a record": (pcap(visit(ONE)) + LONG, f"byte {len(pcap(visit(ONE)))}: a packet of"),
    "more caught than sent": (pcap([]) + struct.pack("<IIII", 1, 2, 8, 7) + bytes(8), "byte 24: a packet of 7 bytes with 8"),
    "length of a block": (PLAIN + struct.pack("<II", 6, 13) + bytes(8), f"byte {len(PLAIN)}: a block of 13 bytes cannot be."),
    "huge block": (PLAIN + struct.pack("<II", 6, 1 << 30) + bytes(8), f"byte {len(PLAIN)}: a block of"),
    "two lengths": (PLAIN[:-4] + b"\x10\0\0\0", f"byte {len(PLAIN) - 4}: the block at byte {len(PLAIN) - 24} has 24 bytes"),
    "byte order": (PLAIN[:8] + b"\0\0\0\0" + PLAIN[12:], "byte 8: the byte order"),
    "version": (PLAIN[:12] + b"\2" + PLAIN[13:], "byte 12: version 2 of pcapng"),
    "unknown interface": (section([101], [(1, b"x")]), "byte 48: a packet of interface 1"),
    "only what is not read": (pcap([b"x"], link=105), "link type 105 only"),
}


@pytest.mark.parametrize("content, words", BROKEN.values(), ids=BROKEN)
def test_broken_files(tmp_path, content, words):
    with pytest.raises(ReportError) as error:
        found(tmp_path, content)
    assert words in str(error.value) and str(tmp_path / "x.pcap") in str(error.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(FILES.values())), st.data())
def test_a_damaged_file_is_read_or_refused_and_its_packets_keep_their_length(tmp_path, content, data):
    damaged = bytearray(content)
    for _ in range(3):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        requests = found(tmp_path, damaged).requests
    except ReportError:
        return
    for request, clean in zip(requests, map(Cleaner(requests).clean, requests), strict=True):
        assert len(clean.encode()) == len(request.encode())
        assert ConnectionRequest.decode(clean.encode()).value == clean


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ReportError, match="Name a capture file"):
            read(path, 3389)
