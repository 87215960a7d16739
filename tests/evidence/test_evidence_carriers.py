"""Which machines carried packets, from a capture of a few frames."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from lbcert.evidence.carriers import carriers
from lbcert.topology import capture

CLIENT, DUT, SERVER, STRANGER = (bytes.fromhex(f"02000000000{n}") for n in range(1, 5))
LINKS = ("client:eth0", "dut:eth0", "fe1:eth0")
VIP = "10.10.2.20"


def frame(source: bytes, target: bytes, way: tuple[str, int, str, int], protocol: int = 6) -> bytes:
    here, sport, there, dport = way
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, protocol, 0) + socket.inet_aton(here) + socket.inet_aton(there)
    return target + source + b"\x08\x00" + ip + struct.pack("!HH16x", sport, dport)


ASKS, ANSWERS = ("10.1.0.1", 40000, VIP, 5061), (VIP, 5061, "10.1.0.1", 40000)
FRAMES = [
    ("client:eth0", False, frame(CLIENT, DUT, ASKS)),
    ("dut:eth0", True, frame(CLIENT, DUT, ASKS)),
    ("dut:eth0", False, frame(DUT, CLIENT, ANSWERS)),
    ("client:eth0", True, frame(DUT, CLIENT, ANSWERS)),
    ("fe1:eth0", False, frame(SERVER, CLIENT, ANSWERS)),
    ("client:eth0", True, frame(SERVER, CLIENT, ANSWERS)),
    ("client:eth0", True, frame(STRANGER, CLIENT, ANSWERS)),
    # None of these is between clients and the VIP's services.
    ("client:eth0", True, frame(SERVER, CLIENT, ("10.10.2.4", 5061, "10.1.0.1", 40000))),
    ("client:eth0", True, frame(SERVER, CLIENT, (VIP, 22, "10.1.0.1", 40000))),
    ("client:eth0", True, frame(SERVER, CLIENT, ANSWERS, protocol=17)),
    ("client:eth0", False, frame(CLIENT, SERVER, ("10.1.0.1", 40000, "10.10.2.4", 5061))),
    ("client:eth0", True, b"\xff" * 20),
]


def test_owners_of_the_mac_addresses_are_named(tmp_path: Path):
    path = tmp_path / "capture.pcapng"
    blocks = [struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28), *map(capture.interface_block, LINKS)]
    blocks += [capture.packet_block(LINKS.index(link), stamp, data, len(data), inbound)
               for stamp, (link, inbound, data) in enumerate(FRAMES)]  # fmt: skip
    path.write_bytes(b"".join(blocks))
    assert carriers(path, "client:eth0", VIP, {5061}) == {
        "to_client": {"dut:eth0": 1, "fe1:eth0": 1, STRANGER.hex(":"): 1}, "to_server": {"dut:eth0": 1}}  # fmt: skip
