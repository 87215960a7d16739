"""The secrets of a lab's TLS inside its capture, so that readers of captures show what was said (draft-ietf-opsawg-pcapng 4.7)."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

_TLS_KEY_LOG = 0x544C534B


def secrets_block(key_log: bytes) -> bytes:
    """A pcapng Decryption Secrets Block with a TLS key log; readers want it before the packets that it opens."""
    padded = key_log + b"\0" * (-len(key_log) % 4)
    size = 20 + len(padded)
    return struct.pack("<IIII", 0x0A, size, _TLS_KEY_LOG, len(key_log)) + padded + struct.pack("<I", size)


def enclose_secrets(capture: Path, key_log: Path) -> None:
    """Put a key log into a complete capture, behind its section header; the log's own file goes. Nothing without one."""
    if not key_log.exists():
        return
    # As a whole: a crash leaves the one or the other.
    whole = capture.with_suffix(".whole")
    with capture.open("rb") as old, whole.open("wb") as new:
        start = old.read(8)
        (length,) = struct.unpack_from("<I", start, 4)
        new.write(start + old.read(length - len(start)) + secrets_block(key_log.read_bytes()))
        shutil.copyfileobj(old, new, 1 << 20)
    whole.replace(capture)
    key_log.unlink()
