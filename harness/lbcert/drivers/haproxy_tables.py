"""How long a running HAProxy remembers a user, and how many: as it tells itself, so that dut.yaml cannot promise more.

`show table` tells sizes, but no lifetime except each entry's. So an entry is made by hand, in the process that only
discovery uses. Source: HAProxy management guide 9.3 (`set table`, `show table`; `exp`: ms that are left, 0 for ever).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection

from .base import Memory
from .haproxy_survey import tables

_KEYS = {"string": "lbcert", "ip": "192.0.2.1", "ipv6": "2001:db8::1", "integer": "1", "binary": "6c62"}
"""a key of each type of table"""


def memories(admin: Callable[[str], str], pools: Collection[str]) -> dict[str, Memory]:
    """The tables of these backends that keep users on servers; those that only count (`track-sc`) have no place for a server."""
    found = {}
    for name, (kind, size) in tables(admin("show table")).items():
        if name not in pools or kind not in _KEYS:
            continue
        began = time.monotonic()
        admin(f"set table {name} key {_KEYS[kind]} data.server_id 1")
        if entry := re.search(r"\bexp=(\d+)\b.*\bserver_id=1\b", admin(f"show table {name}")):
            # What has passed since is added: a slow machine must not make it less than the product was told.
            left = int(entry[1]) / 1000
            found[name] = Memory(round(left + time.monotonic() - began, 1) if left else None, size)
    return found
