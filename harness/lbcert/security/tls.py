"""One end of a TLS connection whose bytes somebody else carries."""

from __future__ import annotations

import hashlib
import os
import ssl
from typing import Any

from .login import SecurityError

SLICE = 8192
"""bytes that a memory BIO holds at once: it never gives back what it once had, and thousands of connections are held"""
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server_context(pem: str) -> ssl.SSLContext:
    """A server's side with its key and certificate. Needs no file system but /proc."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = os.memfd_create("certificate")
    try:
        os.write(file, pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
    return context


def client_context(newest: str) -> ssl.SSLContext:
    """A client's side that takes any certificate, for whose it was is judged later; `newest` version of TLS it speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = VERSIONS[newest]
    return context


def log_keys(context: ssl.SSLContext, path: str) -> None:
    """From now on the secrets of this context's connections go to a file, as readers of captures want them; not with an empty path.

    The file stays open as long as the context lives: connections should share contexts.
    """
    if path and context.keylog_filename != path:
        context.keylog_filename = path


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in DER, in hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()


class Tls:
    """Feed it what came, send what `take` gives."""

    def __init__(self, context: ssl.SSLContext, server_side: bool, server_name: str | None = None, session: Any = None):
        """`server_name`: what a client asks for (SNI); `session`: of an earlier connection with this context, to be resumed."""
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=server_side, server_hostname=server_name, session=session)
        self._sealed: list[bytes] = []
        self.established = False
        self.ended = False
        """whether the peer has said that it has no more to say"""

    def feed(self, data: bytes = b"") -> bytes:
        """Take in bytes of the peer (a client starts with none); returns what they say in plain, or SecurityError."""
        if len(data) <= SLICE:
            return self._feed(data)
        return b"".join([self._feed(data[at : at + SLICE]) for at in range(0, len(data), SLICE)])

    def _feed(self, data: bytes) -> bytes:
        self._in.write(data)
        plain = []
        try:
            if not self.established:
                self._tls.do_handshake()
                self.established = True
            while piece := self._tls.read(65536):
                plain.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            raise SecurityError(f"TLS: {error.reason or error}") from None
        return b"".join(plain)

    def say(self, plain: bytes) -> None:
        """Encrypt for the peer."""
        if len(plain) <= SLICE:
            self._tls.write(plain)
            return
        for at in range(0, len(plain), SLICE):
            self._tls.write(plain[at : at + SLICE])
            self._sealed.append(self._out.read())

    def take(self) -> bytes:
        """What is to be sent now."""
        if not self._sealed:
            return self._out.read()
        self._sealed.append(self._out.read())
        sealed, self._sealed = b"".join(self._sealed), []
        return sealed

    @property
    def certificate(self) -> bytes:
        """The peer's certificate in DER; empty if it showed none."""
        return self._tls.getpeercert(binary_form=True) or b""

    @property
    def peer(self) -> str:
        """The fingerprint of the peer's certificate; empty if it showed none."""
        return fingerprint(shown) if self.established and (shown := self.certificate) else ""

    @property
    def version(self) -> str:
        return self._tls.version() or ""

    @property
    def chain(self) -> list[str]:
        """The fingerprints of the certificates that the peer sent, in their order; empty where this Python does not tell."""
        try:
            sent = self._tls._sslobj.get_unverified_chain() or ()  # public from Python 3.13 on
            return [fingerprint(ssl.PEM_cert_to_DER_cert(one.public_bytes())) for one in sent] if self.established else []
        except AttributeError:
            return []

    @property
    def session(self) -> Any:
        """What a later connection can resume; with TLS 1.3 once the server has sent a ticket, which comes behind the handshake."""
        return self._tls.session

    @property
    def resumed(self) -> bool:
        return bool(self._tls.session_reused)
