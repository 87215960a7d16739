"""From a capture file to facts about connections. The files are made here, byte by byte, not by the capture's own writer."""

import ipaddress
import struct

import pytest

from lbcert.evidence.flows import CaptureError, flows, packets
from lbcert.topology import capture

SYN, SYNACK, ACK, PSH, FIN, RST = 0x02, 0x12, 0x10, 0x18, 0x11, 0x14
CLIENT, VIP, SERVER = ("10.1.0.9", 40000), ("192.0.2.10", 3389), ("192.0.2.11", 3389)
CLIENT6, VIP6 = ("fd5c::9", 40000), ("2001:db8::10", 3389)

SECTION = bytes.fromhex("0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000")


def interface(name: bytes) -> bytes:
    """Ethernet; options: name (2), nanoseconds (9 = 9), end."""
    options = struct.pack("<HH", 2, len(name)) + name.ljust((len(name) + 3) // 4 * 4, b"\0") + bytes.fromhex("09000100 09000000 00000000")
    return struct.pack("<IIHHI", 1, 20 + len(options), 1, 0, 0) + options + struct.pack("<I", 20 + len(options))


def block(number: int, t: int, frame: bytes, inbound: bool = True, original: int | None = None) -> bytes:
    body = frame.ljust((len(frame) + 3) // 4 * 4, b"\0") + struct.pack("<HHII", 2, 4, 1 if inbound else 2, 0)
    length = 32 + len(body)
    return struct.pack("<IIIIIII", 6, length, number, t >> 32, t & 0xFFFFFFFF, len(frame), original or len(frame)) + body \
        + struct.pack("<I", length)  # fmt: skip


def tcp(source, target, flags: int, payload: bytes = b"", padding: bytes = b"", seq: int | None = None) -> bytes:
    """An Ethernet frame; addresses decide the family. A SYN has sequence number 0, so that all else begins at 1."""
    seq = (0 if flags & SYN else 1) if seq is None else seq
    segment = struct.pack(">HHIIBBHHH", source[1], target[1], seq, 1, 5 << 4, flags, 64000, 0, 0) + payload
    here, there = ipaddress.ip_address(source[0]), ipaddress.ip_address(target[0])
    if here.version == 4:
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + here.packed + there.packed
        return bytes(12) + b"\x08\x00" + ip + segment + padding
    return bytes(12) + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(segment), 6, 64) + here.packed + there.packed + segment + padding


@pytest.fixture
def read(tmp_path):
    """`read(*blocks)` gives the flows of a file with the links client:eth0 (0) and ts1:eth0 (1)."""

    def run(*blocks, ports=frozenset({3389})):
        (tmp_path / "x.pcapng").write_bytes(SECTION + interface(b"client:eth0") + interface(b"ts1:eth0") + b"".join(blocks))
        return flows(tmp_path / "x.pcapng", set(ports))

    return run


def test_a_connection_from_syn_to_fin(read):
    (flow,) = read(
        block(0, 100, tcp(CLIENT, VIP, SYN)), block(0, 110, tcp(VIP, CLIENT, SYNACK)), block(0, 120, tcp(CLIENT, VIP, ACK)),
        block(0, 130, tcp(CLIENT, VIP, PSH, b"request")), block(0, 140, tcp(VIP, CLIENT, PSH, b"confirm")),
        block(0, 150, tcp(CLIENT, VIP, PSH, b"more")), block(0, 160, tcp(VIP, CLIENT, FIN)), block(0, 170, tcp(CLIENT, VIP, FIN)),
        block(0, 180, tcp(VIP, CLIENT, FIN)),
    )  # fmt: skip
    assert flow == {
        "link": "client:eth0", "client": "10.1.0.9", "cport": 40000, "server": "192.0.2.10", "sport": 3389, "t": 100, "syns": 1,
        "syn": 100, "synack": 110, "data_to_server": 130, "data_to_client": 140, "fin_to_client": 160, "fin_to_server": 170,
        "last_data": 150, "pause": 10, "pause_from": 130,
    }  # fmt: skip


def test_the_longest_silence_between_two_payloads(read):
    (flow,) = read(
        block(0, 100, tcp(CLIENT, VIP, SYN)), block(0, 130, tcp(CLIENT, VIP, PSH, b"a")), block(0, 140, tcp(VIP, CLIENT, PSH, b"b")),
        block(0, 500, tcp(VIP, CLIENT, ACK)), block(0, 900, tcp(VIP, CLIENT, PSH, b"c", seq=2)),
        block(0, 910, tcp(CLIENT, VIP, PSH, b"d", seq=2)), block(0, 5000, tcp(CLIENT, VIP, FIN, seq=3)),
    )  # fmt: skip
    assert (flow["pause_from"], flow["pause"], flow["last_data"]) == (140, 760, 910)


@pytest.mark.parametrize("flags, key", [(FIN, "fin_to_server"), (RST, "rst_to_server")])
def test_who_closed_is_told_by_the_direction(read, flags, key):
    (flow,) = read(block(0, 1, tcp(CLIENT, VIP, SYN)), block(0, 2, tcp(CLIENT, VIP, flags)))
    assert flow[key] == 2 and not {"fin_to_server", "rst_to_server", "fin_to_client", "rst_to_client"} - {key} & set(flow)


def test_ipv6(read):
    first, last = block(0, 1, tcp(CLIENT6, VIP6, SYN)), block(0, 2, tcp(VIP6, CLIENT6, PSH, b"x"))
    (flow,) = read(first, last)
    assert (flow["client"], flow["server"], flow["syn"], flow["data_to_client"]) == ("fd5c::9", "2001:db8::10", 1, 2)


def test_flows_come_in_the_order_of_their_first_packet_and_each_link_has_its_own(read):
    found = read(block(1, 10, tcp(VIP, SERVER, SYN)), block(0, 20, tcp(CLIENT, VIP, SYN)), block(1, 30, tcp(CLIENT, VIP, SYN)))
    assert [(flow["link"], flow["client"], flow["t"]) for flow in found] == [
        ("ts1:eth0", "192.0.2.10", 10), ("client:eth0", "10.1.0.9", 20), ("ts1:eth0", "10.1.0.9", 30)]  # fmt: skip


def test_a_repeated_syn_is_the_same_attempt(read):
    (flow,) = read(*[block(0, t, tcp(CLIENT, VIP, SYN)) for t in (1, 1000, 3000)])
    assert (flow["syns"], flow["syn"]) == (3, 1)


@pytest.mark.parametrize("ending", [tcp(VIP, CLIENT, RST), tcp(VIP, CLIENT, FIN)], ids=["reset", "closed"])
def test_a_syn_after_the_end_is_a_new_connection_from_the_same_port(read, ending):
    first, second = read(block(0, 1, tcp(CLIENT, VIP, SYN)), block(0, 2, ending), block(0, 3, tcp(CLIENT, VIP, SYN)))
    assert (first["syn"], second["syn"], second["syns"]) == (1, 3, 1)


def test_a_connection_that_was_there_before_has_no_syn(read):
    (flow,) = read(block(0, 5, tcp(CLIENT, VIP, PSH, b"x")))
    assert "syn" not in flow and flow["t"] == 5


@pytest.mark.parametrize(
    "frame",
    [
        tcp(CLIENT, ("192.0.2.10", 443), SYN),
        bytes(12) + b"\x08\x06" + bytes(46),
        tcp(CLIENT, VIP, SYN)[:40],
        tcp(CLIENT, VIP, SYN).replace(b"\x40\x06", b"\x40\x11", 1),
    ],
    ids=["another-port", "arp", "cut-short", "udp"],
)
def test_what_is_no_connection_to_the_service_is_left_out(read, frame):
    assert read(block(0, 1, frame)) == []


OPEN = [block(0, 100, tcp(CLIENT, VIP, SYN)), block(0, 200, tcp(VIP, CLIENT, SYNACK)), block(0, 300, tcp(CLIENT, VIP, PSH, b"request")),
        block(0, 400, tcp(VIP, CLIENT, PSH, b"confirm")), block(0, 500, tcp(CLIENT, VIP, ACK, seq=8))]  # fmt: skip
KEEPALIVE = {"keepalive_to_client": 1000, "quiet_to_client": 500}


@pytest.mark.parametrize(
    "frame, expected",
    [
        (tcp(VIP, CLIENT, ACK, seq=7), KEEPALIVE),
        (tcp(VIP, CLIENT, ACK, b"m", seq=7), KEEPALIVE),
        (tcp(VIP, CLIENT, ACK, seq=7, padding=bytes(6)), KEEPALIVE),
        (tcp(CLIENT, VIP, ACK, seq=7), {"keepalive_to_server": 1000, "quiet_to_server": 500}),
        (tcp(VIP, CLIENT, ACK, seq=8), {}),
        (tcp(VIP, CLIENT, PSH, b"confirm", seq=1), {}),
        (tcp(VIP, CLIENT, FIN, seq=8), {}),
        (tcp(VIP, CLIENT, RST, seq=7), {}),
    ],
    ids=["no-byte", "one-old-byte", "padded", "from-the-client", "an-acknowledgement", "sent-again", "fin", "rst"],
)
def test_keepalives_are_told_from_acknowledgements(read, frame, expected):
    (flow,) = read(*OPEN, block(0, 1000, frame))
    assert {key: value for key, value in flow.items() if key.startswith(("keepalive", "quiet"))} == expected


def test_the_first_keepalive_counts_and_numbers_may_wrap(read):
    top = 2**32 - 3
    (flow,) = read(
        block(0, 1, tcp(CLIENT, VIP, SYN, seq=top - 1)), block(0, 2, tcp(CLIENT, VIP, PSH, b"request", seq=top)),
        block(0, 9, tcp(CLIENT, VIP, ACK, seq=3)), block(0, 20, tcp(CLIENT, VIP, ACK, seq=3)),
    )  # fmt: skip
    assert (flow["keepalive_to_server"], flow["quiet_to_server"]) == (9, 7)


@pytest.mark.parametrize("source, target", [(CLIENT, VIP), (CLIENT6, VIP6)], ids=["ipv4", "ipv6"])
def test_ethernet_padding_is_no_data(read, source, target):
    (flow,) = read(block(0, 1, tcp(source, target, ACK, padding=bytes(6))), block(0, 2, tcp(source, target, PSH, b"x")))
    assert flow["data_to_server"] == 2


def test_options_of_the_ip_header_are_skipped(read):
    frame = tcp(CLIENT, VIP, PSH, b"x")
    with_option = bytes(12) + b"\x08\x00\x46" + frame[15:16] + (45).to_bytes(2, "big") + frame[18:34] + b"\x94\x04\0\0" + frame[34:]
    (flow,) = read(block(0, 1, with_option))
    assert (flow["client"], flow["cport"], flow["sport"], flow["data_to_server"]) == (*CLIENT, 3389, 1)


def test_a_client_whose_own_port_is_a_services_is_still_the_client(read):
    client = ("10.1.0.9", 3390)
    (flow,) = read(block(0, 1, tcp(client, VIP, SYN)), block(0, 2, tcp(VIP, client, SYNACK)), ports={3389, 3390})
    assert (flow["cport"], flow["syn"], flow["synack"]) == (3390, 1, 2)


def test_data_counts_although_the_capture_kept_only_its_beginning(read):
    (flow,) = read(block(0, 7, tcp(CLIENT, VIP, PSH, b"x" * 3000)[:2000], original=3054))
    assert flow["data_to_server"] == 7


def test_direction_stamp_and_length_are_read_exactly(tmp_path):
    frame, stamp = tcp(CLIENT, VIP, SYN), 1_700_000_000_123_456_789
    (tmp_path / "x").write_bytes(SECTION + interface(b"a:b") + block(0, stamp, frame, True, 4000) + block(0, stamp + 1, frame, False))
    assert list(packets(tmp_path / "x")) == [("a:b", stamp, True, frame, 4000), ("a:b", stamp + 1, False, frame, len(frame))]


@pytest.mark.parametrize("keep", [0, 5, 12, -1, -20])
def test_a_file_that_a_crash_cut_off_is_read_up_to_there(tmp_path, keep):
    last = block(0, 2, tcp(CLIENT, VIP, FIN))
    (tmp_path / "x").write_bytes(SECTION + interface(b"a:b") + block(0, 1, tcp(CLIENT, VIP, SYN)) + last[:keep])
    assert [t for _, t, *_ in packets(tmp_path / "x")] == [1]


@pytest.mark.parametrize("length", [0, 8, 30, 2**32 - 3])
def test_an_impossible_block_length_is_an_error_with_its_place(tmp_path, length):
    (tmp_path / "x").write_bytes(SECTION + struct.pack("<III", 6, length, 0))
    with pytest.raises(CaptureError, match=f"block at byte 28 has the impossible length {length}"):
        list(packets(tmp_path / "x"))


@pytest.mark.parametrize("number, caught", [(0, 61), (0, 2**32 - 1), (1, 54)], ids=["longer-than-its-block", "huge", "unknown-link"])
def test_a_packet_block_that_contradicts_itself_is_an_error(tmp_path, number, caught):
    wrong = bytearray(block(number, 1, tcp(CLIENT, VIP, SYN)))
    wrong[20:24] = struct.pack("<I", caught)
    (tmp_path / "x").write_bytes(SECTION + interface(b"a:b") + wrong)
    with pytest.raises(CaptureError, match="the packet block at byte 68 is none of ours"):
        list(packets(tmp_path / "x"))


@pytest.mark.parametrize("to_host", [True, False])
def test_the_captures_own_writer_makes_the_same_bytes(to_host):
    frame = tcp(CLIENT, VIP, PSH, b"odd")
    assert capture.interface_block("client:eth0") == interface(b"client:eth0")
    assert capture.packet_block(1, 123456789012345, frame, 99, to_host) == block(1, 123456789012345, frame, to_host, 99)
