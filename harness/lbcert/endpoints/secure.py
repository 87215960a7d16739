"""What a mock server does after a Confirm that chose TLS or CredSSP, when it is told to mean it.

Imported before a lab is forked or not at all: inside there is no disk to load it from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ..security.credssp import CredsspServer
from ..security.login import SecurityError
from ..security.tls import Tls, server_context
from ..wire import Protocols

SECURE = {Protocols.SSL: "tls", Protocols.HYBRID: "credssp"}
"""protocols that a Confirm can choose -> their name in the history"""
_HEAD = 64
"""bytes of a client's first words inside that are reported"""


class Means:
    """A server's certificate and accounts: what all of its secured sessions share."""

    def __init__(self, certificate: Mapping[str, str], accounts: Mapping[str, str], name: str):
        self.fingerprint = certificate["fingerprint"]
        self.public_key = bytes.fromhex(certificate["public_key"])
        self.context = server_context(certificate["pem"])
        self.accounts = dict(accounts)
        self.name = name


class Secured:
    """The server's end of one session: TLS, then with CredSSP a login, then an echo of all that is said inside.

    Reports `tls` (what was agreed on), `login` (who, and whether the client knew our key), `inside` (the client's first words),
    and `security-failed` with the reason where it ends badly. It never closes in between: what a client lacks shows by itself.
    """

    def __init__(self, means: Means, chosen: Protocols, transport: asyncio.Transport, report: Callable[..., None]):
        self._means = means
        self._transport = transport
        self._report = report
        self._protocol = SECURE[chosen]
        self._tls = Tls(means.context, server_side=True)
        self._login = CredsspServer(means.accounts, means.public_key, means.name) if chosen == Protocols.HYBRID else None
        self._told = False
        self._inside = False
        self._failed = False

    def hear(self, data: bytes) -> None:
        if self._failed:
            return
        try:
            plain = self._tls.feed(data)
            self._tell()
            if self._login is not None and plain:
                plain = self._log_in(self._login, plain)
            if plain:
                self._echo(plain)
        except SecurityError as error:
            self._fail(error)
        self._send()
        if self._failed or self._tls.ended:
            self._transport.close()

    def end(self) -> bool:
        """The client's FIN; this side does not outlast it."""
        return False

    def _tell(self) -> None:
        if self._tls.established and not self._told:
            self._told = True
            self._report("tls", protocol=self._protocol, certificate=self._means.fingerprint, version=self._tls.version)

    def _log_in(self, login: CredsspServer, plain: bytes) -> bytes:
        """One step of the login; what came behind its end is the client's first words."""
        answer = login.hear(plain)
        if answer:
            self._tls.say(answer)
        if not login.done:
            return b""
        self._login = None
        self._report("login", user=login.user, domain=login.domain, ok=True, bound=login.bound, version=login.version)
        return login.rest

    def _echo(self, plain: bytes) -> None:
        if not self._inside:
            self._inside = True
            self._report("inside", head=plain[:_HEAD].hex())
        self._tls.say(plain)

    def _fail(self, error: SecurityError) -> None:
        self._failed = True
        login = self._login
        if self._tls.established and login is not None:
            self._report("login", user=login.user, domain=login.domain, ok=False, bound=login.bound, version=login.version,
                         reason=str(error))  # fmt: skip
            if refusal := login.refusal():
                self._tls.say(refusal)
        else:
            self._report("security-failed", reason=str(error))

    def _send(self) -> None:
        if data := self._tls.take():
            self._transport.write(data)
