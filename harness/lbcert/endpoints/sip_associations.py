"""Security associations of one Front End ([MS-SIPAE] 3.3): the NTLM login of a client, and the signatures after it.

An association belongs to one Front End. A message signed for another one names a target that is not here, so it is refused
with a fresh challenge that names this one (3.3.5.1); so is one that speaks of an association that this Front End has not.
"""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode
from collections import OrderedDict
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from ..security import ntlm_datagram
from ..security.login import SecurityError
from ..wire.sip import Message
from ..wire.sipae import REALM, VERSION, field_of, parameters_of, signed_content

KEPT = 20_000
"""associations, and logins under way, that one Front End remembers"""
WINDOW = 256
"""how far back a client's sequence number may lie"""
FAILED = '1000;reason="Final handshake failed";source="{name}"'
"""`ms-diagnostics` of a login that came to nothing"""


@dataclass(eq=False)
class Association:
    """One client's; `established` is None until its login is finished."""

    opaque: str
    nonce: bytes
    owner: str
    """the From URI that it was made for"""
    version: int = VERSION
    established: ntlm_datagram.Established | None = None
    highest: int = 0
    seen: set[int] = field(default_factory=set)
    sent: int = 0
    """messages signed by the server"""

    def fresh(self, number: str) -> bool:
        """Whether this sequence number of the client is new."""
        if not (number.isascii() and number.isdigit() and len(number) <= 10):
            return False
        value = int(number)
        if value in self.seen or value + WINDOW <= self.highest:
            return False
        self.highest = max(self.highest, value)
        self.seen = {one for one in self.seen if one + WINDOW > self.highest} | {value}
        return True


@dataclass(frozen=True)
class Admission:
    """What comes of a request: `why` is one word; with `fields` it is refused by a 401 that carries them."""

    why: str
    association: Association | None = None
    fields: tuple[tuple[str, str], ...] | None = None
    target: str = ""
    """the Front End that the request names"""


class Associations:
    """All of one Front End, whichever connection they came by."""

    def __init__(self, name: str, options: dict[str, Any]):
        """`options`: `realm`, `accounts` (user -> password), `domain`; others may take their place at any time."""
        self.name = name
        self.options = options
        self._kept: OrderedDict[str, Association] = OrderedDict()

    @property
    def _realm(self) -> str:
        return self.options.get("realm", REALM)

    def forget(self) -> None:
        self._kept.clear()

    def admit(self, request: Message) -> Admission:
        """Whether the request is signed under an association of this Front End, or goes on with a login here."""
        given = [
            parameters
            for name in ("authorization", "proxy-authorization")
            for value in request.fields.get(name, ())
            if (parameters := parameters_of(value)) is not None
        ]
        here = [p for p in given if p.get("realm") == self._realm and p.get("targetname", "").lower() == self.name.lower()]
        if not here:
            target = given[0].get("targetname", "") if given else ""
            return self._challenge("foreign-target" if given else "unsigned", target)
        parameters = here[0]
        if "gssapi-data" in parameters:
            return self._login(request, parameters)
        return self._verify(request, parameters, self._kept.get(parameters.get("opaque", "")))

    def _challenge(self, why: str, target: str = "", *more: tuple[str, str], **parameters: str) -> Admission:
        told = {**parameters, "realm": self._realm, "targetname": self.name, "version": str(VERSION)}
        fields = (("Date", formatdate(usegmt=True)), ("WWW-Authenticate", field_of(told)), *more)
        return Admission(why, fields=fields, target=target)

    def _login(self, request: Message, parameters: dict[str, str]) -> Admission:
        owner = request.address("from").uri
        if not parameters["gssapi-data"]:
            made = Association(os.urandom(4).hex().upper(), os.urandom(8), owner)
            self._keep(made)
            offer = ntlm_datagram.challenge(self.name, self.options.get("domain", "LBCERT"), made.nonce)
            return self._challenge("challenged", self.name, opaque=made.opaque, **{"gssapi-data": b64encode(offer).decode()})
        association = self._kept.get(parameters.get("opaque", ""))
        if association is None or association.established or association.owner != owner:
            return self._challenge("unknown-association", self.name)
        try:
            message = b64decode(parameters["gssapi-data"], validate=True)
            association.established = ntlm_datagram.verify(message, self.options.get("accounts", {}), association.nonce)
        except (binascii.Error, ValueError, SecurityError):
            del self._kept[association.opaque]
            return self._challenge("wrong-login", self.name, ("ms-diagnostics", FAILED.format(name=self.name)))
        if parameters.get("version") in ("2", "3"):
            association.version = int(parameters["version"])
        if "response" not in parameters and association.version < VERSION:
            # Only version 4 signs the message that carries the login.
            return Admission("right", association, target=self.name)
        admission = self._verify(request, parameters, association)
        if admission.fields is not None:
            del self._kept[association.opaque]
        return admission

    def _keep(self, association: Association) -> None:
        self._kept[association.opaque] = association
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _verify(self, request: Message, parameters: dict[str, str], association: Association | None) -> Admission:
        if association is None or not association.established or association.owner != request.address("from").uri:
            return self._challenge("unknown-association", self.name)
        content = signed_content(request, parameters, server=False, version=association.version)
        if parameters.get("response", "").upper() != association.established.signer.client(content):
            return self._challenge("wrong-signature", self.name)
        if not association.fresh(parameters.get("cnum", "")):
            return self._challenge("replayed", self.name)
        self._kept.move_to_end(association.opaque)
        return Admission("right", association, target=self.name)

    def sign(self, message: bytes, association: Association) -> bytes:
        """`message` with the server's signature, as its first field."""
        association.sent += 1
        parameters = {"srand": os.urandom(4).hex().upper(), "snum": str(association.sent), "opaque": association.opaque,
                      "qop": "auth", "targetname": self.name, "realm": self._realm}  # fmt: skip
        read = Message.datagram(message)
        content = signed_content(read, parameters, server=True, version=association.version)
        signature = association.established.signer.server(content)
        value = field_of({"rspauth": signature, **parameters})
        start, end, rest = message.partition(b"\r\n")
        return start + end + b"Authentication-Info: " + value.encode("latin-1", "replace") + end + rest
