"""What a SIP client says on one connection: registers, with NTLM or without, calls, subscribes, keeps the connection alive.

A Speech of this module does one thing first and, while its connection is held, others on demand (`say`). Its outcome is
that of the first thing:

    answered    the answer is whole, right, and, with a login, signed by the Front End that the login was made with
    declined    another final answer (`told()["statuses"]`)
    foreign     another Front End answered a message of an association
    unsigned, forged   the answer carries no signature (also: no login was asked for), or a wrong one
    anonymous   the answer names no mock server; with `named=False` that is `answered`, too
    strange     a message that answers nothing asked
    malformed   bytes that cannot be read

Nothing is ever sent twice.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from ..security.login import Login, SecurityError
from ..wire.digest import Digest
from ..wire.outcome import Malformed
from ..wire.sip import Message, answer, write
from ..wire.sip_stream import PING, KeepAlive, SipStream
from ..wire.talk import Identity
from .sip_acts import WITH_A_USER, Asked, wanted
from .sip_seen import Seen

_NO_TOKEN = re.compile("[^A-Za-z0-9]")
AGENT = "UCCAPI/3.5.6907.0 OC/3.5.6907.0 (Microsoft Office Communicator 2007 R2)"


class SipSpeech:
    """`first`: what it is about (`register`, `options`, `invite`, `subscribe`). With `login`, it registers with NTLM before."""

    def __init__(
        self, first: str = "register", *, user: str = "user", domain: str = "lbcert.test", login: Login | None = None,
        extended: bool = False, token: str | None = None, host: str = "client.lbcert.test:5060", transport: str = "TCP",
        expires: int = 600, raw: bool = False, named: bool = True,
    ):  # fmt: skip
        """`extended`: NTLM with extended session security, as Communicator 2007 R2 does it.
        `raw`: tell messages, not only their digests."""
        self.token = token or uuid.uuid4().hex
        self.identity: Identity | None = None
        self.later: list[str] = []
        """outcomes of what was said after the first thing, in order of their answers"""
        self.outcome: str | None = None
        self._first, self._login, self._extended = first, login, extended
        self._named = named
        self._association: Any = None
        self._aor = f"sip:{user}@{domain}"
        self._registrar = f"sip:{domain}"
        self._tag = _NO_TOKEN.sub("", self.token)[:12]
        self._host, self._transport, self._expires = host, transport, expires
        self._stream = SipStream(pings=False)
        self._number = 0
        self._asked: dict[tuple[int, str], Asked] = {}
        self._remote: dict[str, str] = {}
        self._awaits_notify = False
        self._came, self._went = Digest(), Digest()
        self.seen = Seen(raw=[] if raw else None)

    # -- Speech

    def begin(self) -> bytes:
        return self._went.add(self._ask("login" if self._login else self._first))

    def take(self, data: bytes) -> bytes:
        self._came.add(data)
        out = []
        for item in self._stream.feed(data):
            if isinstance(item, KeepAlive):
                self.seen.pongs += 1
            elif isinstance(item, Malformed):
                self._ended(self._first, "malformed")
            else:
                self.seen.message("received", item.raw)
                out.append(self._responded(item) if item.status else self._requested(item))
        return self._went.add(b"".join(out))

    def say(self, what: str) -> bytes:
        """More on the held connection: `ping`, `register` (a refresh), `options`, `invite`, `bye`, `subscribe`, `leave`, `ack`.

        `ack` is a request that nobody answers; `leave` ends the registration. Each but `ack` and `ping` adds a word to `later`
        when it is answered. ValueError for others.
        """
        if what == "ping":
            self.seen.pings += 1
            return self._went.add(PING)
        return self._went.add(self._ask(what))

    def recite(self, octets: bytes) -> bytes:
        """Any bytes, as they are: somebody else's message. Their answer counts as `strange`."""
        return self._went.add(octets)

    def digest(self) -> dict[str, list[str | int]]:
        """SHA-256 and number of all bytes that `went` and `came` so far."""
        return {"went": self._went.told(), "came": self._came.told()}

    def again(self, what: str = "") -> bytes:
        """Ask the server once more (without a word, for what it was about); `answers` grows when the answer is right."""
        return self.say(what or self._first)

    @property
    def answers(self) -> int:
        """Right answers so far, without those of a login on the way."""
        return (self.outcome == "answered") + self.later.count("answered")

    @property
    def waits(self) -> int:
        """Requests without a final answer."""
        return len(self._asked) + self._awaits_notify

    def told(self) -> dict[str, Any]:
        own = self._association.target if self._association is not None and self._association.stands else None
        return {**self.seen.told(), "target": own, "later": self.later}

    # -- asking

    def _ask(self, act: str) -> bytes:
        method, more = wanted(act, self._expires)
        self._awaits_notify |= act == "subscribe"
        uri = self._aor if method in WITH_A_USER else self._registrar
        return self._send(act, method, uri, more, to_tag=self._remote.get("invite" if act == "bye" else act, ""))

    def _send(self, act: str, method: str, uri: str, more: list[tuple[str, str]], to_tag: str = "", number: int = 0) -> bytes:
        if not number:
            self._number += 1
            number = self._number
        to = f"<{self._aor}>" + (f";tag={to_tag}" if to_tag else "")
        fields = [
            ("Via", f"SIP/2.0/{self._transport} {self._host};branch=z9hG4bK{self._tag}{number}{method}"),
            ("Max-Forwards", "70"), ("From", f"<{self._aor}>;tag={self._tag};epid={self._tag}"), ("To", to),
            ("Call-ID", self.token), ("CSeq", f"{number} {method}"),
            ("Contact", f"<sip:{self._host};transport={self._transport.lower()}>"), ("User-Agent", AGENT), *more,
        ]  # fmt: skip
        raw = write(f"{method} {uri} SIP/2.0", fields)
        if self._association is not None:
            fields.append(("Authorization", self._association.credentials(Message.datagram(raw))))
            raw = write(f"{method} {uri} SIP/2.0", fields)
        if method != "ACK":
            self._asked[number, method] = Asked(act, method, number)
        self.seen.message("sent", raw)
        return raw

    # -- what comes

    def _responded(self, response: Message) -> bytes:
        number, method = response.cseq
        asked = self._asked.get((number, method))
        if response.fault or asked is None or response.call_id != self.token or response.address("from").tag != self._tag:
            self.seen.strange += 1
            self._ended(self._first, "strange")
            return b""
        self._recognise(response)
        if response.status < 200:
            return b""
        del self._asked[number, method]
        self.seen.statuses.append(response.status)
        acknowledged = b""
        if method == "INVITE":
            self._remote["invite"] = response.address("to").tag
            acknowledged = self._send("ack", "ACK", self._aor, [], to_tag=self._remote["invite"], number=number)
        if response.status in (401, 407) and asked.act == "login":
            return self._challenged(response)
        return acknowledged + self._answered(asked, response)

    def _challenged(self, response: Message) -> bytes:
        from .sip_association import ClientAssociation, challenge_of

        challenge = challenge_of(response)
        if challenge is None:
            self._ended("login", "declined")
            return b""
        self.seen.targets.append(challenge["targetname"])
        if self._association is None:
            self._association = ClientAssociation(challenge, self._login, extended=self._extended)
            return self._ask("login")
        if challenge["targetname"] != self._association.target:
            self._ended("login", "foreign")
        elif self._association.stands:
            self._ended("login", "declined")
        else:
            try:
                self._association.take(challenge)
            except SecurityError:
                self._ended("login", "declined")
                return b""
            return self._ask("login")
        return b""

    def _answered(self, asked: Asked, response: Message) -> bytes:
        word = self._judge(response)
        if response.status >= 300:
            word = "declined"
            if self._association is not None and (target := self._association.other_target(response)):
                self.seen.targets.append(target)
                word = "foreign"
        elif word == "right":
            word = "answered" if self.seen.server(response) or not self._named else "anonymous"
        if word == "answered" and asked.method == "REGISTER":
            self.seen.promise(response)
        if asked.act == "subscribe":
            self._remote["subscribe"] = response.address("to").tag
            if word == "answered" and self._awaits_notify:
                return b""
            self._awaits_notify = False
        if asked.act == "login" and word == "answered" and self._first != "register":
            return self._ask(self._first)
        self._ended(asked.act, word)
        return b""

    def _judge(self, message: Message) -> str:
        """`right` where nothing has to be signed, too."""
        if self._association is None or not self._association.stands:
            return "right" if self._login is None else "unsigned"
        word = self._association.judge(message)
        self.seen.signatures[word] = self.seen.signatures.get(word, 0) + 1
        return word

    def _requested(self, request: Message) -> bytes:
        self._recognise(request)
        if request.fault or request.method in ("ACK", "BENOTIFY"):
            return b""
        if request.method != "NOTIFY" or request.call_id != self.token:
            status, reason = (200, "OK") if request.method == "OPTIONS" else (481, "Subscription Does Not Exist")
            return self._reply(request, status, reason)
        word = self._judge(request)
        self.seen.notified += 1
        if self._awaits_notify:
            self._awaits_notify = False
            self._ended("subscribe", "answered" if word == "right" else word)
        return self._reply(request, 200, "OK")

    def _reply(self, request: Message, status: int, reason: str) -> bytes:
        raw = answer(request, status, reason, [("User-Agent", AGENT)], tag=self._tag)
        self.seen.message("sent", raw)
        return raw

    def _recognise(self, message: Message) -> None:
        who = self.seen.server(message)
        if who and self.identity is None:
            self.identity = Identity(*who)

    def _ended(self, act: str, word: str) -> None:
        if self.outcome is None:
            self.outcome = word
        elif act != "login":
            self.later.append(word)


class Register(SipSpeech):
    """REGISTER without a login."""


class SignedRegister(SipSpeech):
    """A login by NTLM; then everything is signed."""

    def __init__(self, login: Login, **how: Any):
        super().__init__("register", user=login.user, login=login, **how)


class Options(SipSpeech):
    def __init__(self, **how: Any):
        super().__init__("options", **how)


class Invite(SipSpeech):
    """A call: INVITE, 200, ACK; `say("bye")` ends it."""

    def __init__(self, **how: Any):
        super().__init__("invite", **how)


class Subscribe(SipSpeech):
    """SUBSCRIBE; its outcome is there when the first NOTIFY is."""

    def __init__(self, **how: Any):
        super().__init__("subscribe", **how)
