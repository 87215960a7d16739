"""Authentication of SIP messages as Office Communications Server does it ([MS-SIPAE]), and `ms-keep-alive` ([MS-CONMGMT]).

A signature covers fields of the message, each in angle brackets and spelled as the message spells it (3.2.5.2). Version 2 of
the protocol signs

    scheme salt sequence realm target Call-ID CSeq-number CSeq-method From-URI From-tag To-tag Expires [response-code]

and versions 3 and 4, the latter is 2007 R2's, sign To-URI before the To-tag and two asserted identities before Expires.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .outcome import Decoded, Malformed
from .sip import Message, address

SCHEME = "NTLM"
REALM = "SIP Communications Service"
VERSION = 4
"""of the protocol, in 2007 R2"""
_UNQUOTED = frozenset(("version",))
_PARAMETER = re.compile(r'\s*([A-Za-z\-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)', re.DOTALL)
_KEEP_ALIVE = {"hop-hop": "hop_hop", "end-end": "end_end", "tcp": "tcp"}
_NO_YES = ("no", "yes")
_MEMORABLE = 128
"""letters of a value beyond which what it says is not remembered"""


def signed_content(message: Message, parameters: dict[str, str], *, server: bool, version: int = VERSION) -> bytes:
    """The bytes that a signature is made over. `parameters` are those of the field that carries it.

    `server`: whether the server signs, which has its own salt and sequence (`srand`, `snum`).
    """
    salt, sequence = ("srand", "snum") if server else ("crand", "cnum")
    number, _, method = message.first("cseq").partition(" ")
    source, target = message.address("from"), message.address("to")
    parts = [
        SCHEME, parameters.get(salt, ""), parameters.get(sequence, ""), parameters.get("realm", ""),
        parameters.get("targetname", ""), message.call_id, number, method.strip(), source.uri, source.tag,
    ]  # fmt: skip
    if version >= 3:
        parts += [target.uri, target.tag, *_asserted(message)]
    else:
        parts.append(target.tag)
    parts.append(message.first("expires"))
    if message.status:
        parts.append(str(message.status))
    return "".join(f"<{part}>" for part in parts).encode("latin-1", "replace")


def _asserted(message: Message) -> tuple[str, str]:
    """The SIP and the telephone URI of P-Asserted-Identity, or of P-Preferred-Identity where that is absent."""
    sip = tel = ""
    name = "p-asserted-identity" if "p-asserted-identity" in message.fields else "p-preferred-identity"
    for value in message.fields.get(name, ()):
        for one in value.split(","):
            uri = address(one).uri
            if uri.lower().startswith("tel:"):
                tel = tel or uri
            else:
                sip = sip or uri
    return sip, tel


def parameters_of(value: str) -> dict[str, str] | None:
    """The parameters of an authentication field whose scheme is NTLM, without quotes; None for anything else.

    The scheme and the names are compared without regard to case (RFC 3261 7.3.1); a name twice is nothing readable.
    """
    scheme, _, rest = value.partition(" ")
    if scheme.upper() != SCHEME:
        return None
    found: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        name = match[1].lower() if match else ""
        if not match or name in found:
            return None
        found[name] = match[2] if match[2] is not None else match[3]
        at = match.end()
    return found


def field_of(parameters: dict[str, str]) -> str:
    """The value of an authentication field; all parameters are quoted but `version`, which the real ones write bare."""
    written = (f"{name}={value}" if name in _UNQUOTED else f'{name}="{value}"' for name, value in parameters.items())
    return f"{SCHEME} {', '.join(written)}"


@dataclass(frozen=True, slots=True)
class MsKeepAlive:
    """Who keeps which connection alive; `timeout` in seconds, of the server's timer.

    The server's timer is restarted by any traffic and runs out after the timeout and one SIP transaction; the client sends
    after two thirds of it.
    """

    role: str
    """UAC or UAS"""
    hop_hop: bool
    end_end: bool = False
    tcp: bool = False
    timeout: int | None = None

    def encode(self) -> str:
        flags = f"tcp={_NO_YES[self.tcp]}; hop-hop={_NO_YES[self.hop_hop]}; end-end={_NO_YES[self.end_end]}"
        return f"{self.role}; {flags}" + ("" if self.timeout is None else f"; timeout={self.timeout}")

    @classmethod
    def decode(cls, value: str) -> Decoded[MsKeepAlive] | Malformed:
        """What the value of one `ms-keep-alive` field says. Flags may be absent, which is `no`; hop-hop is needed."""
        return _remembered(value) if len(value) <= _MEMORABLE else cls._read(value)

    @classmethod
    def _read(cls, value: str) -> Decoded[MsKeepAlive] | Malformed:
        role, *items = (part.strip() for part in value.split(";"))
        if role not in ("UAC", "UAS"):
            return Malformed(0, f"the role is neither UAC nor UAS: {role[:20]!r}")
        given: dict[str, bool | int] = {}
        for item in items:
            name, _, said = (part.strip() for part in item.partition("="))
            at = len(value) - len(value[value.find(item):])
            key = _KEEP_ALIVE.get(name, name)
            if key in given:
                return Malformed(at, f"{name} is there twice")
            if name in _KEEP_ALIVE and said in ("yes", "no"):
                given[key] = said == "yes"
            elif name == "timeout" and said.isascii() and said.isdigit() and len(said) <= 9:
                given[key] = int(said)
            else:
                return Malformed(at, f"{item[:40]!r} is none of hop-hop, end-end, tcp and timeout with their values")
        if "hop_hop" not in given:
            return Malformed(len(value), "there is no hop-hop")
        return Decoded(cls(role, **given))


@lru_cache(maxsize=256)
def _remembered(value: str) -> Decoded[MsKeepAlive] | Malformed:
    """Every registration has the same few values."""
    return MsKeepAlive._read(value)
