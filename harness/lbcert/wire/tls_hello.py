"""The first words of TLS: a client's hello of one version, and what a server says to it.

Written by hand because the TLS library of this machine no longer speaks the versions that must be refused.
Sources: RFC 6101 (SSL 3.0), RFC 2246 (1.0), RFC 4346 (1.1), RFC 5246 (1.2) sections 6.2.1, 7.2 and 7.4.1; RFC 8446 4.1.2 and
4.2.1 (1.3: `supported_versions`).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .outcome import Decoded, Malformed, NeedMore, Outcome

VERSIONS: Mapping[str, int] = {"SSL 3.0": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303, "TLS 1.3": 0x0304}
ALERTS: Mapping[int, str] = {
    0: "close_notify", 10: "unexpected_message", 40: "handshake_failure", 47: "illegal_parameter", 50: "decode_error",
    70: "protocol_version", 71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback",
    109: "missing_extension", 112: "unrecognized_name",
}  # fmt: skip
"""the alerts that answer a hello (RFC 8446 section 6)"""
_ALERT, _HANDSHAKE = 21, 22
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_LARGEST = 16384
_OLD = (0xC009, 0xC00A, 0xC013, 0xC014, 0x002F, 0x0035, 0x0033, 0x0039, 0x000A, 0x0005)
"""what clients of up to TLS 1.1 could do: AES in CBC mode with SHA-1 (ECDHE, DHE, RSA), 3DES, RC4"""
_OF_1_2 = (0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA9, 0xCCA8, 0x009C, 0x009D)
_OF_1_3 = (0x1301, 0x1302, 0x1303)
WEAK: Mapping[str, tuple[int, ...]] = {
    "static RSA": (
        0x009C, 0x009D, 0x003C, 0x003D, 0x002F, 0x0035, 0xC09C, 0xC09D, 0xC0A0, 0xC0A1,  # AES
        0x0041, 0x0084, 0x00BA, 0x00C0, 0xC050, 0xC051, 0x0096,  # Camellia, ARIA, SEED
    ),
    "NULL": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010),
    "anonymous": (0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC015, 0xC018, 0xC019),
    "export": (0x0003, 0x0006, 0x0008, 0x0014, 0x0017, 0x0019),
    "RC4": (0x0004, 0x0005, 0xC007, 0xC011),
    "3DES": (0x000A, 0x0016, 0xC008, 0xC012),
}
"""kinds of suites that TLS 1.2 must not be spoken with (RFC 9325 4.1), by the registry's numbers"""
_GROUPS = (0x001D, 0x0017, 0x0018)
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0203, 0x0201)
_X25519_BASE = bytes([9]) + bytes(31)
"""a valid public key; nothing is ever agreed with it"""


@dataclass(frozen=True)
class Said:
    """A server's answer: `version` and `suite` if it goes on, else the `alert` by which it refuses."""

    version: str | None
    suite: int | None = None
    alert: str | None = None


def client_hello(offer: str, name: str, random: bytes) -> bytes:
    """The record with a hello (`random`: 32 bytes; `name`: the host asked for, if any).

    `offer`: a key of VERSIONS: this version, nothing newer, and its usual suites; or a key of WEAK: TLS 1.2 with these suites.
    """
    code = VERSIONS.get(offer, VERSIONS["TLS 1.2"])
    newest = code == VERSIONS["TLS 1.3"]
    ciphers = WEAK[offer] if offer in WEAK else _OF_1_3 if newest else (*_OF_1_2, *_OLD) if code == VERSIONS["TLS 1.2"] else _OLD
    inner = min(code, VERSIONS["TLS 1.2"])
    body = struct.pack(">H", inner) + random[:32].ljust(32, b"\0") + b"\0"
    body += _sized(2, b"".join(struct.pack(">H", one) for one in ciphers)) + b"\x01\x00"
    if code > VERSIONS["SSL 3.0"]:
        body += _sized(2, _extensions(code, name, newest))
    message = bytes([_CLIENT_HELLO]) + _sized(3, body)
    return struct.pack(">BH", _HANDSHAKE, min(code, VERSIONS["TLS 1.0"])) + _sized(2, message)


def read_answer(data: bytes) -> Outcome[Said]:
    """What the first record of a server says."""
    if not _may_begin(data):
        return Malformed(0, "no record of TLS")
    if len(data) < 5:
        return NeedMore(5 - len(data))
    kind, _, size = struct.unpack_from(">BHH", data)
    if not 0 < size <= _LARGEST:
        return Malformed(3, f"a record of {size} bytes")
    if len(data) < 5 + size:
        return NeedMore(5 + size - len(data))
    body, rest = data[5 : 5 + size], data[5 + size :]
    if kind == _ALERT:
        return Decoded(Said(None, None, ALERTS.get(body[1], f"alert {body[1]}")), rest) if size == 2 else Malformed(5, "no alert")
    return _server_hello(body, rest)


def _server_hello(body: bytes, rest: bytes) -> Outcome[Said]:
    if body[0] != _SERVER_HELLO or len(body) < 4 + 2 + 32 + 1:
        return Malformed(5, "a handshake that begins with no ServerHello")
    chosen = struct.unpack_from(">H", body, 4)[0]
    at = 4 + 2 + 32
    at += 1 + body[at]  # session id
    if at + 3 > len(body):
        return Malformed(5 + at, "a ServerHello without a cipher suite")
    suite = struct.unpack_from(">H", body, at)[0]
    at += 3
    if at + 2 <= len(body):
        stop = min(len(body), at + 2 + struct.unpack_from(">H", body, at)[0])
        at += 2
        while at + 4 <= stop:
            name, size = struct.unpack_from(">HH", body, at)
            if name == 43 and size == 2 and at + 6 <= stop:
                chosen = struct.unpack_from(">H", body, at + 4)[0]
            at += 4 + size
    names = {code: version for version, code in VERSIONS.items()}
    return Decoded(Said(names[chosen], suite), rest) if chosen in names else Malformed(9, f"a ServerHello of version {chosen:#06x}")


def _may_begin(data: bytes) -> bool:
    return data[:1] in (b"", bytes([_ALERT]), bytes([_HANDSHAKE])) and data[1:2] in (b"", b"\x03")


def _extensions(code: int, name: str, newest: bool) -> bytes:
    host = b"\0" + _sized(2, name.encode("ascii"))
    found = _extension(0, _sized(2, host)) if name else b""
    found += _extension(10, _list(_GROUPS)) + _extension(11, b"\x01\x00")
    if code >= VERSIONS["TLS 1.2"]:
        found += _extension(13, _list(_SIGNATURES))
    if newest:
        found += _extension(43, b"\x02\x03\x04") + _extension(51, _sized(2, struct.pack(">H", 0x001D) + _sized(2, _X25519_BASE)))
    return found


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack(">H", number) + _sized(2, content)


def _list(codes: Sequence[int]) -> bytes:
    return _sized(2, b"".join(struct.pack(">H", one) for one in codes))


def _sized(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width, "big") + content
