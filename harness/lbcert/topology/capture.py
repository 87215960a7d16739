"""The capture of a lab: every packet of every link, with the kernel's own time stamps, as pcapng.

One AF_PACKET socket with a memory-mapped ring (TPACKET_V2) sits in the namespace of the lab's switches,
where each link of each host ends. A packet is recorded where it leaves its sender and where it is handed
to its receiver, so a packet that was lost in between is told from one that was never sent.
Sources: packet(7), Documentation/networking/packet_mmap.rst, pcapng draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import socket
import struct
from functools import lru_cache
from typing import NoReturn

from .channel import Channel, ChannelClosed

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_SOL_PACKET = 263
_PACKET_RX_RING = 5
_PACKET_STATISTICS = 6
_PACKET_VERSION = 10
_TPACKET_V2 = 1
_PACKET_OUTGOING = 4
_ETH_P_ALL = 3

_FRAME = 2048
_BLOCK = 1 << 18
_BLOCKS = 128
_FRAMES = _BLOCK * _BLOCKS // _FRAME
_HEADER = struct.Struct("=IIIHH II8x 4xi2xB")
"""tpacket2_hdr, which is 32 bytes long, and of the sockaddr_ll behind it interface and type: status, length, length caught, where the
frame begins, where its network layer does, seconds, nanoseconds"""

_POLL = 0.02
"""s between two looks at the ring: it holds 16,384 packets, so no wake-up per packet is needed"""

_SECTION = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
_ENHANCED = struct.Struct("<IIIIIII")
_FLAGS = {True: struct.pack("<HHII", 2, 4, 2, 0), False: struct.pack("<HHII", 2, 4, 1, 0)}
"""epb_flags: whether the host has sent or got it"""


def interface_block(name: str) -> bytes:
    """A pcapng Interface Description Block for Ethernet with nanosecond stamps."""
    raw = name.encode()
    options = struct.pack("<HH", 2, len(raw)) + raw + b"\0" * (-len(raw) % 4)
    options += struct.pack("<HHB3x", 9, 1, 9) + struct.pack("<HH", 0, 0)
    size = 20 + len(options)
    return struct.pack("<IIHHI", 1, size, 1, 0, 0) + options + struct.pack("<I", size)


def packet_block(interface: int, stamp_ns: int, data: bytes, original: int, to_host: bool) -> bytes:
    """A pcapng Enhanced Packet Block; its flag word tells the direction as the host sees it (1 in, 2 out)."""
    size, end = _behind(len(data), to_host)
    return b"%b%b%b" % (_ENHANCED.pack(6, size, interface, stamp_ns >> 32, stamp_ns & 0xFFFFFFFF, len(data), original), data, end)


@lru_cache(maxsize=4096)
def _behind(caught: int, to_host: bool) -> tuple[int, bytes]:
    """Size of a packet's block, and what of it stands behind its data."""
    padding = -caught % 4
    size = 28 + caught + padding + 12 + 4
    return size, bytes(padding) + _FLAGS[not to_host] + struct.pack("<I", size)


class Ring:
    """The memory-mapped packet ring of the calling process's network namespace."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self.sock.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        self.sock.setsockopt(_SOL_PACKET, _PACKET_RX_RING, struct.pack("IIII", _BLOCK, _BLOCKS, _FRAME, _FRAMES))
        self.memory = mmap.mmap(self.sock.fileno(), _BLOCK * _BLOCKS, mmap.MAP_SHARED)
        self._words = memoryview(self.memory).cast("I")
        self.at = 0
        self.dropped = 0

    def drain(self, interfaces: dict[int, int]) -> list[bytes]:
        """Take what has arrived, as pcapng blocks; `interfaces` maps a kernel index to ours."""
        memory, words, blocks = self.memory, self._words, []
        while True:
            base = self.at * _FRAME
            status, length, caught, mac, _net, seconds, nanoseconds, index, kind = _HEADER.unpack_from(memory, base)
            if not status & 1:
                return blocks
            interface = interfaces.get(index)
            if interface is not None:
                data = memory[base + mac : base + mac + caught]
                stamp = seconds * 1_000_000_000 + nanoseconds
                blocks.append(packet_block(interface, stamp, data, length, kind == _PACKET_OUTGOING))
            words[base >> 2] = 0
            self.at = (self.at + 1) % _FRAMES

    def drops(self) -> int:
        """Packets that found no room since the start (the kernel's counter clears itself at each reading)."""
        _packets, drops = struct.unpack("II", self.sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        self.dropped += drops
        return self.dropped


def _program(address: str) -> bytes:
    """A packet filter (bpf(4), Documentation/networking/filter.rst) that passes all frames but IPv4 ones from or to `address`."""
    raw = int.from_bytes(socket.inet_aton(address), "big")
    half, word, equal, end = 0x28, 0x20, 0x15, 0x06
    steps = [
        (half, 0, 0, 12), (equal, 0, 4, 0x0800),
        (word, 0, 0, 26), (equal, 3, 0, raw),
        (word, 0, 0, 30), (equal, 1, 0, raw),
        (end, 0, 0, 0xFFFFFFFF), (end, 0, 0, 0),
    ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def leave_out(sock: socket.socket, address: str | None) -> None:
    """Have the socket receive no frame from or to this IPv4 address any more; all again for None."""
    if address is None:
        sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        return
    code = _program(address)
    buffer = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer)))


def serve(control: Channel, out: int, ports: dict[str, str]) -> NoReturn:
    """Record until the control channel closes. `ports` maps a switch port to the link's name in the file.

    Each message on `control` is answered, after the ring was emptied into the file, with the number of
    packets written and dropped so far. With `leave_out` it is told an address whose packets are not wanted, or None.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ring = Ring()
    interfaces: dict[int, int] = {}
    written = 0
    os.write(out, _SECTION)
    for number, (port, name) in enumerate(ports.items()):
        interfaces[socket.if_nametoindex(port)] = number
        os.write(out, interface_block(name))
    control.send({"ready": True})
    while True:
        asked = bool(select.select([control], [], [], _POLL)[0])
        blocks = ring.drain(interfaces)
        if blocks:
            written += len(blocks)
            _write_all(out, b"".join(blocks))
        if asked:
            try:
                message, _ = control.receive()
                if "leave_out" in message:
                    leave_out(ring.sock, message["leave_out"])
                control.send({"packets": written, "dropped": ring.drops()})
            except ChannelClosed:
                os._exit(0)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
