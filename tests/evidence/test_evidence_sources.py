"""Who sent packets to a host, by a capture of its link."""

import ipaddress

from lbcert.evidence.sources import sources
from lbcert.topology.capture import _SECTION, interface_block, packet_block


def ip(source, target="10.0.0.7"):
    first, second = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if first.version == 6:
        return bytes(12) + b"\x86\xdd" + bytes(8) + first.packed + second.packed
    return bytes(12) + b"\x08\x00" + bytes(12) + first.packed + second.packed


def test_only_packets_to_the_host_of_the_link_count(tmp_path):
    path = tmp_path / "x.pcapng"
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    blocks = [
        packet_block(0, 1, ip("10.0.0.142"), 34, True), packet_block(0, 2, ip("10.0.0.142"), 34, True), packet_block(0, 3, ip("10.0.0.7"), 34, False),
        packet_block(1, 4, ip("192.168.2.1"), 34, True), packet_block(0, 5, arp, 42, True),
        packet_block(0, 6, ip("2001:db8::1", "2001:db8::2"), 54, True),
    ]  # fmt: skip
    path.write_bytes(_SECTION + interface_block("client:eth0") + interface_block("web1:eth0") + b"".join(blocks))
    assert sources(path, "client:eth0") == {"10.0.0.142": 2, "2001:db8::1": 1}
