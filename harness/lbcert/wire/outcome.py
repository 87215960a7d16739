"""What a decoder can say about the bytes it has: three answers, never an exception.

Waiting for more bytes is itself behaviour under test (RDP-PARSE-03), so it is kept apart from a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, Union

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """One whole PDU stood at the start of the buffer.

    `value` is the PDU, `rest` the bytes behind it (the next PDU, or nothing).
    `value.encode() + rest` equals the buffer for every codec of this package.
    """

    value: T
    rest: bytes = b""


@dataclass(frozen=True, slots=True)
class NeedMore:
    """The bytes so far are a proper beginning.

    `at_least` (bytes, 1 or more): with fewer than that many further bytes the answer is still `NeedMore`.
    Reading exactly that many never waits past a fault in a header (M-06 is refused after 4 of its 10 bytes).
    """

    at_least: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """No further byte can make this a PDU of the kind asked for.

    `offset` (bytes from the start of the buffer) is the first byte of the field that is wrong; where something is
    missing or cut short, it is the place where that thing begins. `reason` is a sentence for people, not for parsing.
    """

    offset: int
    reason: str


Outcome: TypeAlias = Union[Decoded[T], NeedMore, Malformed]
"""`Outcome[ConnectionRequest]` is what `ConnectionRequest.decode` returns."""


def within(outcome: Outcome[T], start: int, what: str) -> Decoded[T] | Malformed:
    """Re-read an answer about a closed region, one that no later byte can extend, as part of the enclosing PDU.

    `start` is where the region begins in the enclosing buffer, `what` names the structure for the reason.
    """
    if isinstance(outcome, Decoded):
        return outcome
    if isinstance(outcome, NeedMore):
        return Malformed(start, f"{what} is cut short, {outcome.at_least} or more bytes are missing")
    return Malformed(start + outcome.offset, outcome.reason)
