"""NTLM without a connection, as SIP carries it: [MS-NLMP] with DATAGRAM negotiated, [MS-SIPAE] 3.2 and 3.3.

There is no first message: the client begins with nothing, the server with its challenge. Each message is signed by itself:
the cipher starts anew every time and the sequence number is always 100, so a signature is a function of key and content.
Without extended session security it is a CRC-32 under RC4, with it an HMAC-MD5 ([MS-NLMP] 3.4.4).
"""

from __future__ import annotations

import hmac
import os
import struct
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import md5

from Cryptodome.Cipher import ARC4
from Cryptodome.Hash import MD4

from .login import Login, SecurityError

MAGIC = b"NTLMSSP\0"
SEQUENCE = 100
"""of every signature ([MS-SIPAE] 3.2.4.1)"""
UNICODE, OEM, REQUEST_TARGET, SIGN, SEAL, DATAGRAM = 0x1, 0x2, 0x4, 0x10, 0x20, 0x40
NTLM, ALWAYS_SIGN, EXTENDED, IDENTIFY, TARGET_INFO = 0x200, 0x8000, 0x8_0000, 0x10_0000, 0x80_0000
VERSION, BITS_128, KEY_EXCHANGE, BITS_56 = 0x200_0000, 0x2000_0000, 0x4000_0000, 0x8000_0000
LM_KEY = 0x80
OFFERED = (
    UNICODE | OEM | SIGN | SEAL | DATAGRAM | LM_KEY | NTLM | ALWAYS_SIGN | EXTENDED | IDENTIFY | TARGET_INFO | VERSION
    | BITS_128 | KEY_EXCHANGE | BITS_56
)  # fmt: skip
"""the flags that a 2007 R2 server offers (0xe29882f3)"""
CHOSEN = (
    UNICODE | REQUEST_TARGET | SIGN | DATAGRAM | NTLM | ALWAYS_SIGN | IDENTIFY | TARGET_INFO | VERSION | BITS_128 | KEY_EXCHANGE
)  # fmt: skip
"""the flags that a 2007 R2 client answers with, and EXTENDED where it wants that"""
NEEDED = UNICODE | SIGN | DATAGRAM | NTLM | KEY_EXCHANGE
SYSTEM = bytes.fromhex("0502ce0e0000000f")
"""the version that both tell: 5.2.3790, revision 15"""
_EPOCH = 116_444_736_000_000_000
"""1970 in units of 100 ns since 1601"""
_CHALLENGE = struct.Struct("<8sIHHII8s8sHHI8s")
_ANSWER_HEAD = 72
_CLIENT_SIGNS = b"session key to client-to-server signing key magic constant\0"
_SERVER_SIGNS = b"session key to server-to-client signing key magic constant\0"
_CLIENT_SEALS = b"session key to client-to-server sealing key magic constant\0"
_SERVER_SEALS = b"session key to server-to-client sealing key magic constant\0"


@lru_cache(maxsize=65_536)
def _known(user: str, password: str, domain: str) -> bytes:
    """NTOWFv2 ([MS-NLMP] 3.3.2)."""
    secret = MD4.new(password.encode("utf-16-le")).digest()
    return hmac.digest(secret, (user.upper() + domain).encode("utf-16-le"), "md5")


def _keys(session: bytes, signs: bytes, seals: bytes) -> tuple[bytes, bytes]:
    """One direction's key for the HMAC, and the one that its cipher starts from, which the sequence number is mixed into."""
    sealing = md5(session + seals).digest()
    return md5(session + signs).digest(), md5(sealing + SEQUENCE.to_bytes(4, "little")).digest()


class Signer:
    """Signatures of both ends under one exported session key."""

    def __init__(self, session: bytes, extended: bool):
        self._session = session
        self._client = _keys(session, _CLIENT_SIGNS, _CLIENT_SEALS) if extended else None
        self._server = _keys(session, _SERVER_SIGNS, _SERVER_SEALS) if extended else None

    def client(self, content: bytes) -> str:
        """What a client puts into `response`: 32 hexadecimal digits."""
        return self._made(self._client, content)

    def server(self, content: bytes) -> str:
        """What a server puts into `rspauth`."""
        return self._made(self._server, content)

    def _made(self, keys: tuple[bytes, bytes] | None, content: bytes) -> str:
        if keys is None:
            plain = struct.pack("<III", 0, zlib.crc32(content), SEQUENCE)
            # The first four bytes are a pad, sent as zero; they only move the cipher on.
            return "0100000000000000" + ARC4.new(self._session).encrypt(plain)[4:].hex().upper()
        signing, sealing = keys
        digest = hmac.digest(signing, SEQUENCE.to_bytes(4, "little") + content, "md5")[:8]
        return "01000000" + ARC4.new(sealing).encrypt(digest).hex().upper() + SEQUENCE.to_bytes(4, "little").hex()


@dataclass(frozen=True)
class Established:
    """What a finished exchange gives."""

    user: str
    domain: str
    signer: Signer


def challenge(name: str, domain: str, nonce: bytes) -> bytes:
    """A server's first message; `name` is its full host name, `nonce` 8 bytes."""
    host = name.partition(".")[0].upper()
    suffix = name.partition(".")[2]
    pairs = b"".join(
        struct.pack("<HH", kind, 2 * len(text)) + text.encode("utf-16-le")
        for kind, text in ((2, domain), (1, host), (4, suffix), (3, name), (5, suffix), (0, ""))
    )
    head = _CHALLENGE.pack(MAGIC, 2, 0, 0, 56, OFFERED, nonce, bytes(8), len(pairs), len(pairs), 56, SYSTEM)
    return head + pairs


def authenticate(
    message: bytes, login: Login, *, extended: bool = False, host: str = "LBCERT",
    chance: bytes | None = None, moment: int | None = None, session: bytes | None = None,
) -> tuple[bytes, Established]:  # fmt: skip
    """A client's answer to a challenge. SecurityError if that is none.

    `extended`: whether it asks for extended session security. The last three are drawn here unless given: 8 bytes of the
    client's own challenge, the time (100 ns since 1601), and the exported session key (16 bytes).
    """
    if len(message) < _CHALLENGE.size or message[:12] != MAGIC + b"\x02\0\0\0":
        raise SecurityError("NTLM: the server's token is no challenge")
    (_, _, _, _, _, offered, nonce, _, length, _, at, _) = _CHALLENGE.unpack_from(message)
    pairs = message[at : at + length]
    if offered & NEEDED != NEEDED or len(pairs) != length:
        raise SecurityError(f"NTLM: the challenge offers {offered:#010x}, or is cut short")
    flags = (CHOSEN | (EXTENDED if extended else 0)) & (offered | REQUEST_TARGET)
    chance, session = chance or os.urandom(8), session or os.urandom(16)
    moment = time.time_ns() // 100 + _EPOCH if moment is None else moment
    key = _known(login.user, login.password, login.domain)
    blob = b"\x01\x01" + bytes(6) + moment.to_bytes(8, "little") + chance + bytes(4) + pairs + bytes(4)
    proof = hmac.digest(key, nonce + blob, "md5")
    older = hmac.digest(key, nonce + chance, "md5") + chance
    secret = ARC4.new(hmac.digest(key, proof, "md5")).encrypt(session)
    texts = [text.encode("utf-16-le") for text in (login.domain, login.user, host)]
    placed, at = [], _ANSWER_HEAD
    for part in (*texts, older, proof + blob, secret):
        placed.append(struct.pack("<HHI", len(part), len(part), at))
        at += len(part)
    domain, user, machine, old, new, exchanged = placed
    head = MAGIC + struct.pack("<I", 3) + old + new + domain + user + machine + exchanged + struct.pack("<I", flags) + SYSTEM
    answer = head + b"".join(texts) + older + proof + blob + secret
    return answer, Established(login.user, login.domain, Signer(session, bool(flags & EXTENDED)))


def verify(message: bytes, accounts: Mapping[str, str], nonce: bytes) -> Established:
    """Who this answer to the challenge with `nonce` proves to be. SecurityError otherwise. `accounts`: user -> password."""
    if len(message) < _ANSWER_HEAD or message[:12] != MAGIC + b"\x03\0\0\0":
        raise SecurityError("NTLM: the client's token is no authenticate message")
    (flags,) = struct.unpack_from("<I", message, 60)
    if flags & NEEDED != NEEDED:
        raise SecurityError(f"NTLM: the client chose {flags:#010x}, and signing with exchanged keys is needed")
    new, secret = _part(message, 20), _part(message, 52)
    try:
        domain, user = _part(message, 28).decode("utf-16-le"), _part(message, 36).decode("utf-16-le")
    except UnicodeDecodeError:
        raise SecurityError("NTLM: a name is not UTF-16") from None
    if len(new) <= 16 or len(secret) != 16:
        raise SecurityError("NTLM: the answer holds no version 2 response and key")
    if user not in accounts:
        raise SecurityError(f"NTLM: user {user!r} has no account here")
    key = _known(user, accounts[user], domain)
    if not hmac.compare_digest(hmac.digest(key, nonce + new[16:], "md5"), new[:16]):
        raise SecurityError(f"NTLM: the password of {user!r} is wrong")
    session = ARC4.new(hmac.digest(key, new[:16], "md5")).decrypt(secret)
    return Established(user, domain, Signer(session, bool(flags & EXTENDED)))


def _part(message: bytes, at: int) -> bytes:
    length, _, start = struct.unpack_from("<HHI", message, at)
    part = message[start : start + length]
    if len(part) != length:
        raise SecurityError("NTLM: a field points beyond the message")
    return part
