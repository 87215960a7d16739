"""What a Front End and the listeners of its applications say in SIP, on one connection, as OCS 2007 R2 does.

Answers go out on the connection that the request came by, nothing is ever sent twice, and each answer says who gives it:
`Server: RTC/3.5 (fe=1; conn=7)`. What a Front End knows (associations, bindings, dialogs) it knows on all of its connections.

Options (`Place.options["sip"]`): `accounts` (user -> password) and `realm`; `auth`, on the ports `auth_ports` (5060 and 5061):
"ntlm" asks everybody for a login, "accounts" only those who call themselves (From) by the name of an account, and without it
nobody is asked; `keepalive` and `expires` (s). The Front End goes by `fqdn`, or by the machine's name.

Reports: `request`, `response`, `sent` (a request of its own), `keepalive`, `signed`, `malformed`, and `digest`, when ordered:
SHA-256 and number of all bytes that came and went on this connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import aiosipua.message  # noqa: F401  needed where no disk is to import it from

from ..wire.digest import Digest
from ..wire.outcome import Malformed
from ..wire.sip import Message, answer
from ..wire.sip_stream import PING, PONG, KeepAlive, SipStream
from ..wire.sipae import MsKeepAlive
from ..wire.talk import Place, Report
from .sip_associations import Admission, Association
from .sip_dialogs import Subscription, dialog_of, new_tag, reached, received
from .sip_front_end import FrontEnd

ALLOW = "REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE, SUBSCRIBE, NOTIFY, MESSAGE, INFO, SERVICE, REFER, PUBLISH, UPDATE"
EVENTS = "vnd-microsoft-provisioning,vnd-microsoft-roaming-contacts,vnd-microsoft-roaming-self,presence,presence.wpending"
UNDERSTOOD = {"gruu-10", "adhoclist", "msrtc-event-categories", "ms-forking", "timer", "replaces", "eventlist", "ms-sender"}
"""extensions that a request may require"""
AUTH_PORTS = (5060, 5061)
SUBSCRIPTIONS = 1_000
"""on one connection"""
_EXPIRES = re.compile(r";\s*expires\s*=\s*(\d{1,9})", re.IGNORECASE)
_SDP = b"v=0\r\no=- 0 0 IN IP4 %s\r\ns=session\r\nc=IN IP4 %s\r\nt=0 0\r\nm=message 5060 sip null\r\n"


class SipService:
    """One connection."""

    def __init__(self, place: Place, report: Report):
        options = place.options.get("sip", {})
        self._place, self._report = place, report
        self._front_end = FrontEnd.named(options.get("fqdn", place.name), options)
        self._expires = int(options.get("expires", 600))
        self._keepalive = int(options.get("keepalive", 300))
        self._auth = options.get("auth", "") if place.port in options.get("auth_ports", AUTH_PORTS) else ""
        self._accounts = options.get("accounts", {})
        self._stream = SipStream(pings=True)
        self._association: Association | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._cid = f"{place.identity.conn:X}00"
        self._server = ("Server", f"RTC/3.5 (fe={place.identity.index}; conn={place.identity.conn})")
        self._came, self._went = Digest(), Digest()
        self.closing = False

    def begin(self) -> bytes:
        return b""

    def take(self, data: bytes) -> bytes:
        self._came.add(data)
        out = []
        for item in self._stream.feed(data):
            if isinstance(item, KeepAlive):
                self._report("keepalive", bytes=item.octets.hex())
                out.append(PONG if item.octets == PING else b"")
            elif isinstance(item, Malformed):
                out.append(self._unreadable(item))
            elif item.status or item.start[:4].upper() == "SIP/":
                self._responded(item)
            else:
                out.append(self._request(item))
        return self._went.add(b"".join(out))

    def push(self, what: dict[str, Any]) -> bytes:
        """`{"say": "ping"}`, `notify` (with `body`, to each subscription), `bytes` (`hex`).

        `forget`, everything that the Front End knows, and `digest`, report it, say nothing. ValueError for anything else.
        """
        return self._went.add(self._pushed(what))

    def _pushed(self, what: dict[str, Any]) -> bytes:
        match what.get("say"):
            case "ping":
                return PONG
            case "bytes":
                return bytes.fromhex(what["hex"])
            case "notify":
                body = what.get("body", "").encode()
                return b"".join(self._notify(one, body) for one in list(self._subscriptions.values()))
            case "forget":
                self._front_end.forget()
                self._association = None
                return b""
            case "digest":
                self._report("digest", came=self._came.told(), went=self._went.told())
                return b""
        raise ValueError(f"a SIP service cannot say {what!r}")

    # -- what comes

    def _unreadable(self, item: Malformed) -> bytes:
        self.closing = True
        head = self._stream.broken
        self._report("malformed", reason=item.reason, offset=item.offset, token=head.call_id if head else None)
        return self._refuse(head, 400, "Bad Request") if head and head.method != "ACK" else b""

    def _refuse(self, request: Message, status: int, reason: str) -> bytes:
        """Answered only if somebody could know what is answered."""
        if request.status or not request.first("via"):
            return b""
        return answer(request, status, reason, [self._server])

    def _responded(self, response: Message) -> None:
        if response.fault:
            self._faulty(response)
            return
        number, method = response.cseq
        self._report("response", token=response.call_id, method=method, cseq=number, status=response.status,
                     sha256=sha256(response.raw).hexdigest())  # fmt: skip

    def _faulty(self, message: Message) -> None:
        self._report("malformed", reason=message.fault, offset=0, token=message.call_id or None,
                     sha256=sha256(message.raw).hexdigest())  # fmt: skip

    def _request(self, request: Message) -> bytes:
        if request.fault:
            self._faulty(request)
            return b"" if request.method == "ACK" else self._refuse(request, 400, "Bad Request")
        answers = self._answers(request)
        status = int(answers[-1][8:11]) if answers and answers[-1].startswith(b"SIP/") else None
        if len(answers) > 1 and status is None:
            status = int(answers[0][8:11])
        self._report(
            "request", token=request.call_id, method=request.method, cseq=request.cseq[0], uri=request.uri,
            source=request.address("from").uri, status=status, sha256=sha256(request.raw).hexdigest(),
            length=len(request.raw), answers=[sha256(one).hexdigest() for one in answers],
        )  # fmt: skip
        return b"".join(answers)

    def _answers(self, request: Message) -> list[bytes]:
        if request.version.upper() != "SIP/2.0":
            return [self._refuse(request, 505, "Version Not Supported")]
        if self._guards(request):
            admission = self._front_end.associations.admit(request)
            self._signed(request, admission)
            if admission.fields is not None:
                # [MS-SIPAE] 3.3.5.1: these two are thrown away, everything else is challenged.
                quiet = request.method in ("ACK", "CANCEL")
                return [] if quiet else [self._plain(request, 401, "Unauthorized", admission.fields)]
            self._association = admission.association
        if request.method in ("ACK", "BENOTIFY"):
            return []
        if request.uri.partition(":")[0].lower() not in ("sip", "sips", "tel"):
            return [self._made(request, 416, "Unsupported URI Scheme")]
        required = {one.strip() for value in request.fields.get("require", ()) for one in value.split(",")} - UNDERSTOOD - {""}
        if required and request.method != "CANCEL":
            return [self._made(request, 420, "Bad Extension", [("Unsupported", ", ".join(sorted(required)))])]
        handle = _METHODS.get(request.method)
        return handle(self, request) if handle else [self._made(request, 405, "Method Not Allowed", [("Allow", ALLOW)])]

    def _guards(self, request: Message) -> bool:
        """Whether the request needs a signature, or belongs to a login."""
        if not self._auth:
            return False
        return self._auth == "ntlm" or request.address("from").uri.partition(":")[2].partition("@")[0] in self._accounts

    def _signed(self, request: Message, admission: Admission) -> None:
        if admission.why != "challenged":
            self._report("signed", token=request.call_id, method=request.method, ok=admission.fields is None,
                         why=admission.why, target=admission.target)  # fmt: skip

    # -- what goes

    def _plain(self, request: Message, status: int, reason: str, fields=(), body: bytes = b"", tag: str = "") -> bytes:
        via = received(request, self._place.peer, self._cid)
        return answer(request, status, reason, [*fields, self._server], body, tag=tag or new_tag(), via=via)

    def _made(self, request: Message, status: int, reason: str, fields=(), body: bytes = b"", tag: str = "") -> bytes:
        """A response, signed where the client has an association."""
        return self._sealed(self._plain(request, status, reason, fields, body, tag))

    def _sealed(self, message: bytes) -> bytes:
        return self._front_end.associations.sign(message, self._association) if self._association else message

    def _granted(self, request: Message) -> int:
        """Seconds: what the client asks for, and no more than the configured time. Expires of a Contact goes first."""
        found = _EXPIRES.search(request.first("contact"))
        text = found[1] if found else request.first("expires")
        return min(int(text), self._expires) if text.isascii() and text.isdigit() and len(text) < 10 else self._expires

    # -- methods

    def _register(self, request: Message) -> list[bytes]:
        owner, bindings, seconds = request.address("to").uri, self._front_end.bindings, self._granted(request)
        action = "refreshed" if owner in bindings else "added"
        if not seconds:
            bindings.pop(owner, None)
            action = "deleted"
        else:
            self._front_end.keep(bindings, owner, self._cid)
        fields = [("Contact", f"{reached(request, self._place.peer, self._cid)};expires={seconds}"), ("Expires", str(seconds)),
                  ("presence-state", f'register-action="{action}"'), ("Allow-Events", EVENTS),
                  ("Supported", "adhoclist, msrtc-event-categories")]  # fmt: skip
        asked = request.fields.get("ms-keep-alive", ())
        if len(asked) == 1:
            outcome = MsKeepAlive.decode(asked[0])
            if not isinstance(outcome, Malformed) and outcome.value.role == "UAC" and outcome.value.hop_hop:
                told = MsKeepAlive("UAS", hop_hop=True, timeout=self._keepalive)
                fields.insert(0, ("ms-keep-alive", told.encode()))
        return [self._made(request, 200, "OK", fields)]

    def _options(self, request: Message) -> list[bytes]:
        return [self._made(request, 200, "OK", [("Allow", ALLOW), ("Accept", "application/sdp"), ("Allow-Events", EVENTS)])]

    def _invite(self, request: Message) -> list[bytes]:
        dialogs, dialog = self._front_end.dialogs, dialog_of(request)
        if dialog[2] and dialog not in dialogs:
            return [self._made(request, 481, "Call/Transaction Does Not Exist")]
        tag = dialog[2] or new_tag()
        self._front_end.keep(dialogs, (dialog[0], dialog[1], tag), None)
        host = self._front_end.name.encode("latin-1", "replace")
        contact = f"<sip:{self._front_end.name}:{self._place.port};transport=tcp>"
        fields = [("Contact", contact), ("Content-Type", "application/sdp")]
        routes = [("Record-Route", value) for value in request.fields.get("record-route", ())]
        return [
            self._made(request, 100, "Trying", tag=tag),
            self._made(request, 180, "Ringing", tag=tag),
            self._made(request, 200, "OK", [*routes, *fields], _SDP % (host, host), tag=tag),
        ]

    def _within(self, request: Message) -> list[bytes]:
        """BYE and CANCEL: of a call that this Front End has."""
        dialog, dialogs = dialog_of(request), self._front_end.dialogs
        # A CANCEL names no tag of the server's.
        known = dialog in dialogs or request.method == "CANCEL" and any(one[:2] == dialog[:2] for one in dialogs)
        if not known:
            return [self._made(request, 481, "Call/Transaction Does Not Exist")]
        if request.method == "BYE":
            del dialogs[dialog]
        return [self._made(request, 200, "OK")]

    def _subscribe(self, request: Message) -> list[bytes]:
        if not request.first("event"):
            return [self._made(request, 489, "Bad Event", [("Allow-Events", EVENTS)])]
        seconds, key = self._granted(request), f"{request.call_id} {request.address('from').tag}"
        one = self._subscriptions.get(key)
        if request.address("to").tag and (one is None or one.tag != request.address("to").tag):
            return [self._made(request, 481, "Subscription Does Not Exist")]
        if one is None:
            one = self._subscriptions[key] = Subscription(request, reached(request, self._place.peer, self._cid)[1:-1])
        one.seconds = seconds
        if not seconds or len(self._subscriptions) > SUBSCRIPTIONS:
            del self._subscriptions[key]
        accepted = self._made(request, 200, "OK", [("Expires", str(seconds)), ("Event", request.first("event")),
                              ("Contact", f"<sip:{self._front_end.name}:{self._place.port}>")], tag=one.tag)  # fmt: skip
        return [accepted, self._notify(one, b"")]

    def _notify(self, one: Subscription, body: bytes) -> bytes:
        made = self._sealed(one.notify(self._front_end.name, self._server, body))
        self._report("sent", token=one.call_id, method="NOTIFY", cseq=one.number, sha256=sha256(made).hexdigest())
        return made

    def _fine(self, request: Message) -> list[bytes]:
        return [self._made(request, 202 if request.method == "REFER" else 200, "Accepted" if request.method == "REFER" else "OK")]


_METHODS: dict[str, Callable[[SipService, Message], list[bytes]]] = {
    "REGISTER": SipService._register, "OPTIONS": SipService._options, "INVITE": SipService._invite, "BYE": SipService._within,
    "CANCEL": SipService._within, "SUBSCRIBE": SipService._subscribe,
    **dict.fromkeys(("MESSAGE", "INFO", "SERVICE", "REFER", "PUBLISH", "UPDATE", "NOTIFY"), SipService._fine),
}  # fmt: skip
