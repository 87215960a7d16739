"""Whether what one end sent is what the other got, without keeping it."""

from __future__ import annotations

from hashlib import sha256


class Digest:
    """SHA-256 and number of the bytes of one direction."""

    def __init__(self) -> None:
        self._hash, self._count = sha256(), 0

    def add(self, data: bytes) -> bytes:
        """Count them in; returns them."""
        self._hash.update(data)
        self._count += len(data)
        return data

    def told(self) -> list[str | int]:
        """Hexadecimal digest, and number."""
        return [self._hash.hexdigest(), self._count]
