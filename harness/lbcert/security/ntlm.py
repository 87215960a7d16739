"""NTLM version 2 from both sides ([MS-NLMP]); the messages and their cryptography are impacket's.

Neither side sends or checks a MIC: inside CredSSP all of it runs in TLS, and the binding to the server's key follows.
"""

from __future__ import annotations

import hmac
import os
import struct
import time
from collections.abc import Mapping
from typing import Any

from Cryptodome.Cipher import ARC4
from impacket import ntlm

from .login import Login, SecurityError

SIGNATURE = b"NTLMSSP\0"
_SIGNATURE_LENGTH = 16
_PROOF_LENGTH = 16
_WANTED = (
    ntlm.NTLMSSP_NEGOTIATE_KEY_EXCH | ntlm.NTLMSSP_NEGOTIATE_SIGN | ntlm.NTLMSSP_NEGOTIATE_ALWAYS_SIGN
    | ntlm.NTLMSSP_NEGOTIATE_SEAL | ntlm.NTLMSSP_NEGOTIATE_NTLM | ntlm.NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY
    | ntlm.NTLMSSP_NEGOTIATE_UNICODE | ntlm.NTLMSSP_REQUEST_TARGET | ntlm.NTLMSSP_NEGOTIATE_128 | ntlm.NTLMSSP_NEGOTIATE_56
)  # fmt: skip
_NEEDED = ntlm.NTLMSSP_NEGOTIATE_KEY_EXCH | ntlm.NTLMSSP_NEGOTIATE_SEAL | ntlm.NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY
_NAMES = (
    ntlm.NTLMSSP_AV_HOSTNAME, ntlm.NTLMSSP_AV_DOMAINNAME, ntlm.NTLMSSP_AV_DNS_HOSTNAME, ntlm.NTLMSSP_AV_DNS_DOMAINNAME,
)  # fmt: skip
"""what a server calls itself; ours is all of it"""
_EPOCH = 116_444_736_000_000_000
"""1970 in units of 100 ns since 1601"""


class _Direction:
    """One direction's keys and counter."""

    def __init__(self, flags: int, key: bytes, sender: str):
        self._flags = flags
        self._signing = ntlm.SIGNKEY(flags, key, sender)
        self._cipher = ARC4.new(ntlm.SEALKEY(flags, key, sender)).encrypt
        self._count = 0

    def _signature(self, plain: bytes) -> bytes:
        made = ntlm.MAC(self._flags, self._cipher, self._signing, self._count, plain).getData()
        self._count += 1
        return made

    def seal(self, plain: bytes) -> bytes:
        sealed = self._cipher(plain)
        return self._signature(plain) + sealed

    def unseal(self, message: bytes) -> bytes:
        plain = self._cipher(message[_SIGNATURE_LENGTH:])
        if not hmac.compare_digest(self._signature(plain), message[:_SIGNATURE_LENGTH]):
            raise SecurityError("NTLM: a sealed message has not the signature that it needs")
        return plain


class Sealing:
    """Both directions of an established context, as `side` (Client or Server) has them."""

    def __init__(self, flags: int, key: bytes, side: str):
        self.seal = _Direction(flags, key, side).seal
        self.unseal = _Direction(flags, key, "Server" if side == "Client" else "Client").unseal


class NtlmClient:
    """A client's three steps: `negotiate`, `authenticate`, then `sealing`."""

    def __init__(self, login: Login):
        self._login = login
        self._negotiate = ntlm.getNTLMSSPType1("LBCERT", "", signingRequired=True)
        self.sealing: Sealing | None = None

    def negotiate(self) -> bytes:
        return self._negotiate.getData()

    def authenticate(self, challenge: bytes) -> bytes:
        """The answer to the server's challenge. SecurityError if that is none."""
        if not challenge.startswith(SIGNATURE + b"\x02"):
            raise SecurityError("NTLM: the server's token is no challenge")
        login = self._login
        try:
            answer, key = ntlm.getNTLMSSPType3(
                self._negotiate, challenge, login.user, login.password, login.domain, service="TERMSRV"
            )
        except Exception as error:  # noqa: BLE001  impacket promises no kind of error for what it cannot read
            raise SecurityError(f"NTLM: the server's challenge cannot be read ({error})") from None
        self.sealing = Sealing(answer["flags"], key, "Client")
        return answer.getData()


class NtlmServer:
    """A server's side: `challenge`, `login`, then `sealing`. `accounts`: user -> password."""

    def __init__(self, accounts: Mapping[str, str], name: str):
        self._accounts = accounts
        self._name = name
        self._challenge = os.urandom(8)
        self.sealing: Sealing | None = None

    def challenge(self, negotiate: bytes) -> bytes:
        """The challenge that answers the client's first message. SecurityError if the client cannot what is needed."""
        if not negotiate.startswith(SIGNATURE + b"\x01") or len(negotiate) < 16:
            raise SecurityError("NTLM: the client's token is no negotiate message; only NTLM without SPNEGO is spoken here")
        offered = struct.unpack_from("<I", negotiate, 12)[0]
        if offered & _NEEDED != _NEEDED:
            raise SecurityError(f"NTLM: the client offers {offered:#010x}, and sealing with exchanged keys is needed")
        info = ntlm.AV_PAIRS()
        name = self._name.encode("utf-16-le")
        for kind in _NAMES:
            info[kind] = name
        info[ntlm.NTLMSSP_AV_TIME] = struct.pack("<Q", time.time_ns() // 100 + _EPOCH)
        message = ntlm.NTLMAuthChallenge()
        message["flags"] = (offered & _WANTED) | ntlm.NTLMSSP_NEGOTIATE_TARGET_INFO | ntlm.NTLMSSP_TARGET_TYPE_SERVER
        message["challenge"] = self._challenge
        message["Version"] = b""
        message["domain_name"] = name
        message["TargetInfoFields"] = info.getData()
        # Without a version the fields start 8 bytes earlier than impacket takes for granted.
        message["domain_offset"] = 48
        message["TargetInfoFields_offset"] = 48 + len(name)
        return message.getData()

    def login(self, message: bytes) -> tuple[str, str]:
        """User and domain of whom this message proves to know the password. SecurityError otherwise."""
        if not message.startswith(SIGNATURE + b"\x03"):
            raise SecurityError("NTLM: the client's second token is no authenticate message")
        answer = ntlm.NTLMAuthChallengeResponse()
        try:
            answer.fromString(message)
            user, domain = answer["user_name"].decode("utf-16-le"), answer["domain_name"].decode("utf-16-le")
            secret = _field(answer, "session_key", message)
        except Exception as error:  # noqa: BLE001  as above
            raise SecurityError(f"NTLM: the client's second token cannot be read ({error})") from None
        if user not in self._accounts:
            raise SecurityError(f"NTLM: user {user!r} has no account here")
        known = ntlm.NTOWFv2(user, self._accounts[user], domain)
        proof, rest = answer["ntlm"][:_PROOF_LENGTH], answer["ntlm"][_PROOF_LENGTH:]
        if not hmac.compare_digest(ntlm.hmac_md5(known, self._challenge + rest), proof):
            raise SecurityError(f"NTLM: the password of {user!r} is wrong")
        key = ARC4.new(ntlm.hmac_md5(known, proof)).decrypt(secret)
        self.sealing = Sealing(answer["flags"], key, "Server")
        return user, domain


def _field(message: Any, name: str, data: bytes) -> bytes:
    start = message[f"{name}_offset"]
    return data[start : start + message[f"{name}_len"]]
