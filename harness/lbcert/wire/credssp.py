"""CredSSP's messages, which run inside TLS before an RDP session with Network Level Authentication ([MS-CSSP] 2.2.1).

    TSRequest ::= SEQUENCE { version [0] INTEGER, negoTokens [1] SEQUENCE OF SEQUENCE { negoToken [0] OCTET STRING } OPTIONAL,
        authInfo [2] OCTET STRING OPTIONAL, pubKeyAuth [3] OCTET STRING OPTIONAL, errorCode [4] INTEGER OPTIONAL,
        clientNonce [5] OCTET STRING OPTIONAL }
    TSCredentials ::= SEQUENCE { credType [0] INTEGER, credentials [1] OCTET STRING }
    TSPasswordCreds ::= SEQUENCE { domainName [0], userName [1], password [2] OCTET STRING, each in UTF-16LE }

pubKeyAuth ties the login to the key of the TLS certificate: who stands between with a certificate of its own is found out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from . import der
from .outcome import Decoded, Malformed, NeedMore, Outcome

OLDEST, NEWEST = 2, 6
HASHED_SINCE = 5
"""first version whose binding is a hash with a nonce instead of the key itself (3.1.5 step 3; CVE-2018-0886)"""
NONCE_LENGTH = 32
LOGON_FAILURE = -0x3FFFFF93
"""STATUS_LOGON_FAILURE, C000006D, as the signed number that an INTEGER of four bytes makes of it"""
LARGEST = 65536
"""bytes of a message; those of NTLM have a few hundred, and nobody shall make a reader wait for gigabytes"""

_MAGIC = {"client": b"CredSSP Client-To-Server Binding Hash\0", "server": b"CredSSP Server-To-Client Binding Hash\0"}
_PASSWORD = 1


def binding(sender: str, version: int, key: bytes, nonce: bytes | None) -> bytes:
    """What `sender` (client or server) proves to know of the certificate's `key`, before it is sealed.

    Up to version 4 the key itself, of which the server adds one to the first byte; ValueError if version 5 or later has no nonce.
    """
    if version >= HASHED_SINCE:
        if nonce is None or len(nonce) != NONCE_LENGTH:
            raise ValueError(f"version {version} binds with a nonce of {NONCE_LENGTH} bytes")
        return hashlib.sha256(_MAGIC[sender] + nonce + key).digest()
    return key if sender == "client" else bytes(((key[0] + 1) & 0xFF,)) + key[1:]


def reports_errors(version: int) -> bool:
    """Whether a server of this version says why it refuses (2.2.1: versions 3, 4 and from 6 on)."""
    return version >= 3 and version != 5


@dataclass(frozen=True, slots=True)
class TsRequest:
    """One message; each of the two sides sends several, and what is not in one is None (tokens: empty)."""

    version: int
    tokens: tuple[bytes, ...] = ()
    auth_info: bytes | None = None
    pub_key_auth: bytes | None = None
    error_code: int | None = None
    client_nonce: bytes | None = None

    def encode(self) -> bytes:
        """The message in DER."""
        fields = [der.tagged(0, der.integer(self.version))]
        if self.tokens:
            fields.append(der.tagged(1, der.sequence(*(der.sequence(der.tagged(0, der.octets(one))) for one in self.tokens))))
        if self.auth_info is not None:
            fields.append(der.tagged(2, der.octets(self.auth_info)))
        if self.pub_key_auth is not None:
            fields.append(der.tagged(3, der.octets(self.pub_key_auth)))
        if self.error_code is not None:
            fields.append(der.tagged(4, der.integer(self.error_code)))
        if self.client_nonce is not None:
            fields.append(der.tagged(5, der.octets(self.client_nonce)))
        return der.sequence(*fields).encode()

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[TsRequest]:
        """Take one message off the front of `buffer`. Malformed at 0 (tag), 1 (length), or at the contents."""
        outcome = der.Der.decode(buffer)
        if isinstance(outcome, NeedMore) and outcome.at_least > LARGEST:
            return Malformed(1, f"{outcome.at_least} bytes to come; a TSRequest has at most {LARGEST}")
        if buffer and buffer[0] != der.SEQUENCE:
            return Malformed(0, f"tag {buffer[0]:#04x} is not a TSRequest's ({der.SEQUENCE:#04x})")
        if not isinstance(outcome, Decoded):
            return outcome
        start = len(buffer) - len(outcome.rest) - len(outcome.value.contents)
        try:
            return Decoded(cls._read(outcome.value.contents), outcome.rest)
        except der.DerError as error:
            return Malformed(start, str(error))

    @classmethod
    def _read(cls, contents: bytes) -> TsRequest:
        places = [one.tag - der.context(0) for one in der.parts(contents, "TSRequest")]
        if places[:1] != [0] or places != sorted(set(places)) or places[-1] > 5:
            raise der.DerError(f"TSRequest has the fields {places}, not some of 0 to 5 in order, version first")
        field = dict(zip(places, (one.contents for one in der.parts(contents, "TSRequest")), strict=True))

        def octets(place: int, name: str) -> bytes | None:
            return der.whole(field[place], der.OCTET_STRING, name) if place in field else None

        return cls(
            der.number(field[0], "version"),
            _tokens(field[1]) if 1 in field else (),
            octets(2, "authInfo"),
            octets(3, "pubKeyAuth"),
            der.number(field[4], "errorCode") if 4 in field else None,
            octets(5, "clientNonce"),
        )


def _tokens(data: bytes) -> tuple[bytes, ...]:
    rows = der.parts(der.whole(data, der.SEQUENCE, "negoTokens"), "negoTokens")
    tokens = tuple(
        der.whole(der.whole(der.whole(row.encode(), der.SEQUENCE, "NegoData"), der.context(0), "negoToken"),
                  der.OCTET_STRING, "negoToken")
        for row in rows
    )  # fmt: skip
    if not tokens:
        raise der.DerError("negoTokens is there and holds no token")
    return tokens


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """What a client hands over in the end, sealed in authInfo: TSCredentials with TSPasswordCreds (2.2.1.2.1)."""

    domain: str
    user: str
    password: str

    def encode(self) -> bytes:
        """TSCredentials of type 1 in DER. ValueError (UnicodeEncodeError) for half of a surrogate pair."""
        texts = (self.domain, self.user, self.password)
        inner = der.sequence(*(der.tagged(place, der.octets(text.encode("utf-16-le"))) for place, text in enumerate(texts)))
        return der.sequence(der.tagged(0, der.integer(_PASSWORD)), der.tagged(1, der.octets(inner.encode()))).encode()

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[PasswordCredentials]:
        """Read a whole TSCredentials; a smart card's, or anything behind it, is Malformed."""
        try:
            kind, credentials = _fields(buffer, 2, "TSCredentials")
            if der.number(kind, "credType") != _PASSWORD:
                return Malformed(0, "TSCredentials hold no password")
            inner = _fields(der.whole(credentials, der.OCTET_STRING, "credentials"), 3, "TSPasswordCreds")
            texts = [der.whole(one, der.OCTET_STRING, "TSPasswordCreds").decode("utf-16-le") for one in inner]
        except (der.DerError, UnicodeDecodeError) as error:
            return Malformed(0, str(error))
        return Decoded(cls(*texts))


def _fields(data: bytes, count: int, what: str) -> list[bytes]:
    """The contents of the fields [0] to [count - 1], all of which must be there."""
    found = der.parts(der.whole(data, der.SEQUENCE, what), what)
    if [one.tag for one in found] != [der.context(place) for place in range(count)]:
        raise der.DerError(f"{what} has not the {count} fields that it needs")
    return [one.contents for one in found]
