"""Integers to bytes, with the one kind of error that encoders promise."""

from __future__ import annotations

import struct


def pack(layout: struct.Struct, *fields: int) -> bytes:
    """`layout.pack(*fields)`; a number too large for its field, negative, or not a number is a ValueError."""
    try:
        return layout.pack(*fields)
    except struct.error as error:
        raise ValueError(f"a field does not fit its place on the wire ({error}): {fields}") from None
