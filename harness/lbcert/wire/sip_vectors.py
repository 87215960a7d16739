"""SIP messages that others wrote or recorded, byte for byte: RFC 4475's, and signed ones of real servers.

Read from the package's files when first asked for, which is before a lab or outside of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_HERE = Path(__file__).parent
UNFIT = frozenset(("baddn", "clerr", "dblreq", "inv2543", "mcl01", "ncl"))
"""messages of RFC 4475 after which nothing can follow on a stream: without an end that is known, or with more behind it"""


@cache
def torture() -> Mapping[str, bytes]:
    """All 49 messages of RFC 4475's archive, by the names that it has for them."""
    read = json.loads((_HERE / "rfc4475.json").read_text(encoding="utf-8"))["messages"]
    return MappingProxyType({name: text.encode("latin-1") for name, text in read.items()})


@cache
def recorded(which: str) -> Mapping[str, Any]:
    """Public test data of the SIPE project.

    `ocs2007`: `response`, the 200 of vector SIP-SIG, and `key`. `r2`: `request` and `response` of Communicator 2007 R2 and its
    server, their NTLM messages `challenge` and `answer`, the `password`.
    """
    read = json.loads((_HERE / "signed_sip.json").read_text(encoding="utf-8"))[which]
    binary = {"key", "challenge", "answer"}
    messages = {"request", "response"}
    return MappingProxyType({
        name: bytes.fromhex(text) if name in binary else text.encode("latin-1") if name in messages else text
        for name, text in read.items()
    })  # fmt: skip
