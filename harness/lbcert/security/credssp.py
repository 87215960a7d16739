"""CredSSP from both sides ([MS-CSSP] 3.1.5), inside a TLS connection that stands.

    client                                server
    negotiate                       ->
                                    <-    challenge
    authenticate, binding           ->                    the server checks password and binding
                                    <-    binding         the client checks the binding
    credentials                     ->
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping

from ..wire.credssp import LOGON_FAILURE, NEWEST, NONCE_LENGTH, OLDEST, PasswordCredentials, TsRequest, binding, reports_errors
from ..wire.outcome import Decoded, Malformed
from .login import Login, SecurityError
from .ntlm import NtlmClient, NtlmServer


class _Side:
    """Takes messages from a stream, one at a time. `bound`: whether the peer proved to know the key; None until it could."""

    def __init__(self, key: bytes, version: int):
        self._key = key
        self.version = version
        self._buffer = b""
        self._step: Callable[[TsRequest], bytes] | None = None
        self.bound: bool | None = None

    @property
    def done(self) -> bool:
        return self._step is None

    @property
    def rest(self) -> bytes:
        """What came behind the last message; it belongs to the session."""
        return self._buffer

    def hear(self, data: bytes) -> bytes:
        """Take in bytes of the peer; returns what to say. SecurityError where the exchange ends badly."""
        self._buffer += data
        out = b""
        while self._step is not None:
            outcome = TsRequest.decode(self._buffer)
            if isinstance(outcome, Malformed):
                raise SecurityError(f"CredSSP: {outcome.reason} (byte {outcome.offset})")
            if not isinstance(outcome, Decoded):
                break
            self._buffer = outcome.rest
            out += self._step(outcome.value)
        return out

    def _agree(self, message: TsRequest) -> None:
        if message.version < OLDEST:
            raise SecurityError(f"CredSSP: version {message.version} is older than {OLDEST}")
        self.version = min(self.version, message.version)

    def _check(self, sealed: bytes | None, unseal: Callable[[bytes], bytes], expected: bytes) -> None:
        self.bound = sealed is not None and hmac.compare_digest(unseal(sealed), expected)
        if not self.bound:
            raise SecurityError("CredSSP: the peer's TLS is about another key")


class CredsspClient(_Side):
    """`key`: the public key of the certificate that TLS showed. Say `start` first."""

    def __init__(self, login: Login, key: bytes, version: int = NEWEST):
        super().__init__(key, version)
        self._login = login
        self._ntlm = NtlmClient(login)
        self._nonce: bytes | None = None
        self._step = self._on_challenge

    def start(self) -> bytes:
        return TsRequest(self.version, (self._ntlm.negotiate(),)).encode()

    def _on_challenge(self, message: TsRequest) -> bytes:
        self._refused(message)
        self._agree(message)
        if not message.tokens:
            raise SecurityError("CredSSP: the server sent no challenge")
        answer = self._ntlm.authenticate(message.tokens[0])
        self._nonce = os.urandom(NONCE_LENGTH) if self.version >= 5 else None
        proof = self._ntlm.sealing.seal(binding("client", self.version, self._key, self._nonce))
        self._step = self._on_binding
        return TsRequest(self.version, (answer,), pub_key_auth=proof, client_nonce=self._nonce).encode()

    def _on_binding(self, message: TsRequest) -> bytes:
        self._refused(message)
        self._check(message.pub_key_auth, self._ntlm.sealing.unseal, binding("server", self.version, self._key, self._nonce))
        self._step = None
        login = self._login
        sealed = self._ntlm.sealing.seal(PasswordCredentials(login.domain, login.user, login.password).encode())
        return TsRequest(self.version, auth_info=sealed).encode()

    @staticmethod
    def _refused(message: TsRequest) -> None:
        if message.error_code:
            raise SecurityError(f"CredSSP: the server refuses the login ({message.error_code & 0xFFFFFFFF:08x})")


class CredsspServer(_Side):
    """`key`: the public key of the server's own certificate. `user` and `domain` are known once the password was right."""

    def __init__(self, accounts: Mapping[str, str], key: bytes, name: str):
        super().__init__(key, NEWEST)
        self._ntlm = NtlmServer(accounts, name)
        self.user: str | None = None
        self.domain: str | None = None
        self._step = self._on_negotiate

    def refusal(self) -> bytes:
        """The message that tells a client that it is turned away; empty where its version knows none."""
        return TsRequest(NEWEST, error_code=LOGON_FAILURE).encode() if reports_errors(self.version) else b""

    def _on_negotiate(self, message: TsRequest) -> bytes:
        self._agree(message)
        if not message.tokens:
            raise SecurityError("CredSSP: the client's first message holds no token")
        self._step = self._on_authenticate
        return TsRequest(NEWEST, (self._ntlm.challenge(message.tokens[0]),)).encode()

    def _on_authenticate(self, message: TsRequest) -> bytes:
        if not message.tokens:
            raise SecurityError("CredSSP: the client's second message holds no token")
        self.user, self.domain = self._ntlm.login(message.tokens[0])
        try:
            expected, answer = (binding(who, self.version, self._key, message.client_nonce) for who in ("client", "server"))
        except ValueError as error:
            raise SecurityError(f"CredSSP: {error}") from None
        self._check(message.pub_key_auth, self._ntlm.sealing.unseal, expected)
        self._step = self._on_credentials
        return TsRequest(NEWEST, pub_key_auth=self._ntlm.sealing.seal(answer)).encode()

    def _on_credentials(self, message: TsRequest) -> bytes:
        if message.auth_info is None:
            raise SecurityError("CredSSP: the client's last message holds no credentials")
        outcome = PasswordCredentials.decode(self._ntlm.sealing.unseal(message.auth_info))
        if not isinstance(outcome, Decoded) or outcome.value.user != self.user:
            raise SecurityError(f"CredSSP: the credentials handed over are not those of {self.user!r}")
        self._step = None
        return b""
