"""Frames of a capture file: pcap (microseconds or nanoseconds) and pcapng, either byte order. Times do not matter here.

A file that breaks off in its last packet, as after a full disk or Ctrl-C, is read as far as it goes. Anything else that is
wrong is one error with the file and the byte: half of a capture must not pass for the whole.
Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ..report.errors import ReportError

LARGEST = 16 << 20
"""bytes; a longer record or block is a broken length, not a packet"""
SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET = 0x0A0D0D0A, 1, 2, 3, 6

_PCAP = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
_ORDER = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_AGAIN = "Copy or capture it again."


@dataclass(frozen=True)
class Frame:
    """One packet of a capture."""

    link: int
    """link type, as tcpdump.org/linktypes.html counts them"""
    data: bytes


class Capture:
    """A capture file; after `frames` is through, `cut_at` says where it breaks off."""

    def __init__(self, path: Path):
        self.path = path
        self.cut_at: int | None = None
        """byte where the last packet begins, of which a part is missing"""

    def frames(self) -> Iterator[Frame]:
        """Its packets in the order of the file; ReportError where it is broken."""
        if self.path.exists() and not self.path.is_file():
            raise ReportError(self.path, "is not a regular file.", "Name a capture file, pcap or pcapng.")
        try:
            with self.path.open("rb") as file:
                if not file.seek(0, 2):
                    raise ReportError(self.path, "is empty.", _AGAIN)
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    yield from self._frames(data)
        except OSError as error:
            raise ReportError(self.path, f"cannot be read: {error.strerror}.", "Name a capture file, pcap or pcapng.") from None

    def _frames(self, data: mmap.mmap) -> Iterator[Frame]:
        magic = data[:4]
        if magic == _PCAPNG:
            return self._pcapng(data)
        if magic in _PCAP:
            return self._pcap(data, _PCAP[magic])
        if magic[:2] == b"\x1f\x8b":
            raise ReportError(self.path, "is compressed.", "Unpack it with gunzip.")
        return self._broken(0, f"begins with {magic.hex()}, as neither pcap nor pcapng does.",
                            "Have Wireshark or editcap save it as pcapng.")  # fmt: skip

    def _broken(self, at: int, what: str, remedy: str = _AGAIN) -> NoReturn:
        raise ReportError(self.path, what, remedy, field=f"byte {at}")

    # -- pcap -------------------------------------------------------------------------------------

    def _pcap(self, data: mmap.mmap, order: str) -> Iterator[Frame]:
        if len(data) < 24:
            self._broken(len(data), "the file ends within its header.")
        link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF  # above are bits about checksums
        at, size = 24, len(data)
        while at < size:
            if at + 16 > size:
                self.cut_at = at
                return
            caught, original = struct.unpack_from(order + "II", data, at + 8)
            if caught > LARGEST or caught > original:
                self._broken(at, f"a packet of {original} bytes with {caught} bytes in the file cannot be.")
            if at + 16 + caught > size:
                self.cut_at = at
                return
            yield Frame(link, data[at + 16 : at + 16 + caught])
            at += 16 + caught

    # -- pcapng -----------------------------------------------------------------------------------

    def _pcapng(self, data: mmap.mmap) -> Iterator[Frame]:
        links: list[tuple[int, int]] = []
        order, at, size = "<", 0, len(data)
        while at < size:
            if at + 12 > size:
                self.cut_at = at
                return
            if data[at : at + 4] == _PCAPNG:
                if data[at + 8 : at + 12] not in _ORDER:
                    self._broken(at + 8, "the byte order of this section is unknown.")
                order, links = _ORDER[data[at + 8 : at + 12]], []
            kind, length = struct.unpack_from(order + "II", data, at)
            if length < (28 if kind == SECTION else 12) or length % 4 or length > LARGEST:
                self._broken(at, f"a block of {length} bytes cannot be.")
            if at + length > size:
                self.cut_at = at
                return
            again = struct.unpack_from(order + "I", data, at + length - 4)[0]
            if again != length:
                self._broken(at + length - 4, f"the block at byte {at} has {length} bytes at its begin and {again} at its end.")
            if kind == SECTION and (major := struct.unpack_from(order + "H", data, at + 12)[0]) != 1:
                self._broken(at + 12, f"version {major} of pcapng is unknown.", "Have Wireshark or editcap save it anew.")
            if kind == INTERFACE:
                if length < 20:
                    self._broken(at, "the description of an interface is too short.")
                link, _, snap = struct.unpack_from(order + "HHI", data, at + 8)
                links.append((link, snap))
            elif kind in (PACKET, OLD_PACKET, SIMPLE_PACKET):
                yield self._packet(data, order, at, length, links)
            at += length

    def _packet(self, data: mmap.mmap, order: str, at: int, length: int, links: list[tuple[int, int]]) -> Frame:
        """The packet of the block at `at`."""
        begin = at + (12 if SIMPLE_PACKET == (kind := struct.unpack_from(order + "I", data, at)[0]) else 28)
        if begin + 4 > at + length:
            self._broken(at, "a block with a packet is too short for one.")
        number = 0
        if kind != SIMPLE_PACKET:
            number = struct.unpack_from(order + ("I" if kind == PACKET else "H"), data, at + 8)[0]
        if number >= len(links):
            self._broken(at, f"a packet of interface {number}, which is not described before it.")
        link, snap = links[number]
        if kind == SIMPLE_PACKET:
            caught = struct.unpack_from(order + "I", data, at + 8)[0]
            caught = min(caught, snap) if snap else caught
        else:
            caught = struct.unpack_from(order + "I", data, at + 20)[0]
        if begin + caught > at + length - 4:
            self._broken(at, f"a packet of {caught} bytes does not fit its block of {length}.")
        return Frame(link, data[begin : begin + caught])
