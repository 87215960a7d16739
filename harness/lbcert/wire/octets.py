"""Long streams of bytes: made from a name, summed up for the history, compared by their sums.

A history must not hold megabytes, and a comparison must still say where two streams part.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

BLOCK = 1024
"""bytes that one check sum stands for"""
_HEAD = 64
"""bytes at the start that are kept as they are"""


def stream(name: str, length: int) -> bytes:
    """`length` bytes without any pattern, the same ones for the same name."""
    return hashlib.shake_128(name.encode()).digest(length)


def summary(data: bytes) -> dict[str, Any]:
    """What identifies `data`: length, digest, its first 64 bytes, and a sum for each block of 1,024."""
    blocks = [f"{zlib.crc32(data[at : at + BLOCK]):08x}" for at in range(0, len(data), BLOCK)]
    return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest(), "head": data[:_HEAD].hex(), "blocks": blocks}


def difference(sent: Mapping[str, Any], received: Mapping[str, Any]) -> str | None:
    """Where two summed up streams part, in words; None if they are the same."""
    if sent["sha256"] == received["sha256"]:
        return None
    here, there = bytes.fromhex(sent["head"]), bytes.fromhex(received["head"])
    at = next((i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), None)
    lengths = f"{received['length']} of {sent['length']} bytes"
    if at is not None:
        return f"{lengths}; first difference at byte {at}: {here[at : at + 8].hex()} became {there[at : at + 8].hex()}"
    pairs = zip(sent["blocks"], received["blocks"], strict=False)
    block = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
    if block is None or (received["length"] < sent["length"] and block == len(received["blocks"]) - 1):
        return f"{lengths}; the stream is cut short" if received["length"] < sent["length"] else f"{lengths}; bytes were added"
    return f"{lengths}; first difference between byte {block * BLOCK} and {(block + 1) * BLOCK - 1}"
