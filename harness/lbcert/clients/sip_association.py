"""A client's security association with one Front End ([MS-SIPAE] 3.2): its login by NTLM, and signatures both ways."""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode

from ..security import ntlm_datagram
from ..security.login import Login, SecurityError
from ..wire.sip import Message
from ..wire.sipae import VERSION, field_of, parameters_of, signed_content


class ClientAssociation:
    """Made from the first challenge; `offer`, then `answer` go out, and from then on each request is signed."""

    def __init__(self, challenge: dict[str, str], login: Login, *, extended: bool):
        self.realm, self.target = challenge["realm"], challenge["targetname"]
        stated = challenge.get("version", "")
        self.version = int(stated) if stated in ("2", "3", "4") else VERSION
        self.opaque = ""
        self._login, self._extended = login, extended
        self._signer: ntlm_datagram.Signer | None = None
        self._token: bytes | None = None
        self._count = 0

    @property
    def stands(self) -> bool:
        return self._signer is not None

    def take(self, challenge: dict[str, str]) -> None:
        """The second challenge. SecurityError if it holds none."""
        try:
            message = b64decode(challenge.get("gssapi-data", ""), validate=True)
        except (binascii.Error, ValueError):
            raise SecurityError("NTLM: the server's token is not Base64") from None
        self.opaque = challenge.get("opaque", "")
        self._token, established = ntlm_datagram.authenticate(message, self._login, extended=self._extended)
        self._signer = established.signer

    def credentials(self, request: Message) -> str:
        """The Authorization that goes with this request."""
        parameters = {"qop": "auth", "realm": self.realm, "opaque": self.opaque, "targetname": self.target,
                      "version": str(self.version)}  # fmt: skip
        if self._signer is None:
            del parameters["opaque"]
            return field_of({**parameters, "gssapi-data": ""})
        if self._token is not None:
            parameters["gssapi-data"], self._token = b64encode(self._token).decode(), None
            if self.version < VERSION:
                return field_of(parameters)
        self._count += 1
        parameters |= {"crand": os.urandom(4).hex(), "cnum": str(self._count)}
        content = signed_content(request, parameters, server=False, version=self.version)
        return field_of({**parameters, "response": self._signer.client(content).lower()})

    def other_target(self, response: Message) -> str:
        """Which other Front End, that knows nothing of this association, wants a login for itself; empty if none does."""
        challenge = challenge_of(response) if response.status in (401, 407) else None
        return challenge["targetname"] if challenge and challenge["targetname"] != self.target else ""

    def judge(self, message: Message) -> str:
        """`right`, or what is wrong with a message of the server: `unsigned`, `foreign` (another Front End's), `forged`."""
        for name in ("authentication-info", "proxy-authentication-info"):
            for value in message.fields.get(name, ()):
                parameters = parameters_of(value)
                if parameters is None:
                    continue
                if (parameters.get("realm"), parameters.get("targetname")) != (self.realm, self.target):
                    return "foreign"
                content = signed_content(message, parameters, server=True, version=self.version)
                right = self._signer is not None and parameters.get("rspauth", "").upper() == self._signer.server(content)
                return "right" if right else "forged"
        return "unsigned"


def challenge_of(response: Message) -> dict[str, str] | None:
    """The NTLM challenge of a 401 or 407; None where there is none that names realm and target."""
    for name in ("www-authenticate", "proxy-authenticate"):
        for value in response.fields.get(name, ()):
            parameters = parameters_of(value)
            if parameters is not None and parameters.get("realm") and parameters.get("targetname"):
                return parameters
    return None
