"""CRC-32C (Castagnoli; RFC 3720 appendix B.4), which the standard library has not."""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0x82F63B78
"""reversed"""


@cache
def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ _POLYNOMIAL if value & 1 else value >> 1
        rows.append(value)
    return tuple(rows)


def crc32c(data: bytes) -> int:
    """The sum of `data`."""
    table, value = _table(), 0xFFFFFFFF
    for octet in data:
        value = value >> 8 ^ table[(value ^ octet) & 0xFF]
    return value ^ 0xFFFFFFFF
