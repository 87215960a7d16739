"""What a running HAProxy tells of itself beyond one deployment: its tables, its farms. For guesses (`lbcert check`).

Sources: HAProxy management guide 9.1 (`show stat`: check_status, bck), 9.3 (`show table`, `show servers state`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .base import Build, Server

SURVEY_PATIENCE = 3.0
"""s until a user who was sent to a listener must be seen in a backend; there may be several listeners to ask about"""
_SERVER = "2"
"""type of a server's row in `show stat`"""


@dataclass(frozen=True)
class Farm:
    """What is behind a listener."""

    backends: tuple[str, ...]
    servers: tuple[Server, ...]
    check_counts: dict[str, tuple[int, int]]
    """server -> (fall, rise), where it is checked"""
    unchecked: tuple[str, ...]
    """servers without a health check"""


@dataclass
class Survey:
    """The answers of one HAProxy."""

    build: Build
    listening: tuple[tuple[str, int], ...]
    tables: dict[str, tuple[str, int]]
    """stick tables: name -> (type, size)"""
    farms: dict[tuple[str, int], Farm] = field(default_factory=dict)
    unreached: dict[tuple[str, int], str] = field(default_factory=dict)
    """listeners whose user reached no backend, and how that was seen"""


def tables(answer: str) -> dict[str, tuple[str, int]]:
    """The stick tables in the answer to `show table`."""
    found = re.findall(r"^# table: ([^,]+), type: ([^,]+), size:\s*([0-9]+)", answer, re.MULTILINE)
    return {name: (kind, int(size)) for name, kind, size in found}


def unchecked(stat: list[dict[str, str]]) -> tuple[str, ...]:
    """Servers whose row tells of no check, nor of another server whose check decides (`track`)."""
    return tuple(row["svname"] for row in stat
                 if row.get("type") == _SERVER and not row.get("check_status") and not row.get("tracked"))  # fmt: skip
