"""Captures made of literals: frames of each link type, and files of each kind."""

import struct

from lbcert.wire import CR_VECTORS

CR = CR_VECTORS
CLIENT, VIP = bytes([10, 1, 2, 3]), bytes([10, 9, 9, 9])
CLIENT_6, VIP_6 = bytes.fromhex("20010db8" + "0" * 23 + "1"), bytes.fromhex("20010db8" + "0" * 23 + "2")
SYN, ACK = 2, 16
MAC = b"\x02\0\0\0\0\1\x02\0\0\0\0\2"


def tcp(seq, payload=b"", flags=ACK, sport=40000, dport=3389):
    return struct.pack(">HHIIBBHHH", sport, dport, seq % (1 << 32), 1, 0x50, flags, 512, 0, 0) + payload


def ipv4(segment, fragment=0):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 1, fragment, 64, 6, 0) + CLIENT + VIP + segment


def ipv6(segment, extension=b"", following=6):
    return struct.pack(">IHBB", 6 << 28, len(extension + segment), following, 64) + CLIENT_6 + VIP_6 + extension + segment


LINKS = {
    "Ethernet": (1, lambda p: MAC + b"\x08\0" + p + bytes(6)),
    "two VLAN tags": (1, lambda p: MAC + b"\x88\xa8\0\5\x81\0\0\7\x08\0" + p),
    "Linux SLL": (113, lambda p: bytes(14) + b"\x08\0" + p),
    "Linux SLL, a VLAN tag": (113, lambda p: bytes(14) + b"\x81\0\0\7\x08\0" + p),
    "Linux SLL2": (276, lambda p: b"\x08\0" + bytes(18) + p),
    "raw IP": (101, lambda p: p),
    "IPv4 only": (228, lambda p: p),
    "BSD loopback": (0, lambda p: b"\2\0\0\0" + p),
    "OpenBSD loopback": (108, lambda p: b"\0\0\0\2" + p),
}


def visit(packet, isn=1000, sport=40000, wrap=ipv4):
    """IP packets of a client that connects and sends one packet."""
    return [wrap(tcp(isn, flags=SYN, sport=sport)), wrap(tcp(isn + 1, sport=sport)), wrap(tcp(isn + 1, packet, sport=sport))]


def pcap(frames, link=101, order="<", nanoseconds=False):
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack(order + "IIII", 1, 2, len(f), len(f)) + f for f in frames)


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(links, packets, order="<"):
    """A section of pcapng; packets are (interface, frame), or (None, frame) for a simple packet block."""
    text = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    text += b"".join(block(1, struct.pack(order + "HHI", link, 0, 0), order) for link in links)
    for number, frame in packets:
        size = len(frame)
        head = struct.pack(order + "I", size) if number is None else struct.pack(order + "IIIII", number, 0, 0, size, size)
        text += block(3 if number is None else 6, head + frame, order)
    return text + block(5, bytes(12), order)


def cookie(name):
    """The first packet of a client that sends this name and offers TLS and CredSSP."""
    body = b"\xe0\0\0\0\0\0Cookie: mstshash=" + name + b"\r\n\1\0\x08\0\3\0\0\0"
    return struct.pack(">BBHB", 3, 0, len(body) + 5, len(body)) + body
