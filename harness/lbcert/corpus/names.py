"""Pseudonyms: as long as what they stand for, of the same kinds of characters, and independent of it otherwise.

A pseudonym is drawn from the shape of a name and its number among the names of that shape. So nothing of the name is in it,
not even as a hash that a list of names could be tried against.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable

TRIES = 200
"""draws before a pseudonym may be what somebody else is called: there are 26 names of one small letter"""
_SEPARATORS = re.compile(rb"([\\@])")
# letters of each length in UTF-8; the two-byte ones exist in small and in capitals
_SMALL, _CAPITAL = "àáâãäåæçèéêëìíîïðñòóôõö", "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ"
_WIDE = "".join(map(chr, range(0x4E00, 0x4F00)))
_WIDEST = "".join(map(chr, range(0x20000, 0x20100)))
_LATIN = bytes(range(0xE0, 0xF7))
_OF_SHAPE = {"a": string.ascii_lowercase, "A": string.ascii_uppercase, "0": string.digits, "ä": _SMALL, "Ä": _CAPITAL,
             "一": _WIDE, "𠀀": _WIDEST}  # fmt: skip


def shape(text: bytes) -> str:
    """The kinds of a text's characters, one for each; punctuation stands for itself, bytes that are no UTF-8 for \\xff."""
    try:
        return "".join(map(_kind, text.decode()))
    except UnicodeDecodeError:
        return "".join(_kind(chr(octet)) if octet < 0x80 else "\udcff" for octet in text)


def _kind(char: str) -> str:
    if char.isascii():
        return "A" if char.isupper() else "a" if char.islower() else "0" if char.isdigit() else char
    size = len(char.encode())
    return ("Ä" if char.isupper() else "ä") if size == 2 else "一" if size == 3 else "𠀀"


def coarse(text: bytes) -> str:
    """The shape with letters and digits alike: packets that differ in no more than this are one."""
    return re.sub("[aA0]", "x", shape(text))


class Pseudonyms:
    """What each name of one import is replaced by. Both sides of `\\` and `@` have pseudonyms of their own."""

    def __init__(self, originals: Iterable[bytes] = ()):
        """`originals` are all names that will come: no pseudonym is one of them, as far as there are enough."""
        self._taken = {part for name in originals for part in _SEPARATORS.split(name)}
        self._given: dict[bytes, bytes] = {}
        self._numbers: dict[str, int] = {}

    def of(self, name: bytes) -> bytes:
        """The pseudonym of a name; the same one each time."""
        return b"".join(part if part in (b"\\", b"@") else self._part(part) for part in _SEPARATORS.split(name))

    def _part(self, part: bytes) -> bytes:
        if part not in self._given:
            self._given[part] = self._draw(part)
            self._taken.add(self._given[part])
        return self._given[part]

    def _draw(self, part: bytes) -> bytes:
        pattern = shape(part)
        number = self._numbers[pattern] = self._numbers.get(pattern, 0) + 1
        rng = random.Random(f"{pattern!a} {number}")
        drawn = part
        for attempt in range(TRIES * 2):
            drawn = b"".join(_character(kind, rng) for kind in pattern)
            if drawn not in self._taken or (attempt >= TRIES and drawn != part):
                break
        return drawn


def _character(kind: str, rng: random.Random) -> bytes:
    if kind == "\udcff":
        return bytes([rng.choice(_LATIN)])
    return rng.choice(_OF_SHAPE[kind]).encode() if kind in _OF_SHAPE else kind.encode()
