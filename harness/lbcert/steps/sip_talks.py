"""What tests have SIP clients and Front Ends of a pool say to each other, and what both then tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..deadlines import patience
from ..wire.octets import stream
from ..wire.sip import write
from ..wire.sip_vectors import UNFIT, recorded, torture
from .calling import push

if TYPE_CHECKING:
    from ..clients.talk import Talk
    from ..lab import Lab

_LONG = 48_000
"""bytes of the longest message in each direction"""
_ACTS = ("options", "subscribe", "invite", "bye", "register")


def require_login(lab: Lab) -> None:
    """From now on every Front End asks clients of the ports 5060 and 5061 for a login and takes signed messages only."""
    for server in lab.mocks:
        before = server.count("options")
        server.tell("options", options={"sip": {**server.extra["options"]["sip"], "auth": "ntlm"}})
        lab.wait(f"{server.name} asks for logins", lambda s=server, b=before: s.count("options") > b, patience("report"))


def exchange_sip(lab: Lab, talks: Sequence[Talk]) -> None:
    """Each held SIP connection: requests of several kinds, long messages both ways, and the recorded signed 200 OK.

    Afterwards a `said` event for each: digests of all messages that the client sent and received, in order.
    """
    for act in _ACTS:
        for talk in talks:
            if talk.alive:
                talk.send(talk.speech.say(act))
        lab.watch(f"Front Ends answer ({act})", lambda: not any(talk.alive and talk.speech.waits for talk in talks), patience("answer"))
    signed = recorded("ocs2007")["response"]
    strange = {talk: talk.speech.seen.strange + 1 for talk in talks}
    for talk in talks:
        if talk.alive and lab.is_connected(talk):
            if talk.speech.told()["target"] is None:
                # To send it signed is nothing that a client of ours knows.
                _send_long(talk)
                strange[talk] += 1
            push(lab, talk, say="notify", body=stream(talk.speech.token, _LONG // 2).hex())
            push(lab, talk, say="bytes", hex=signed.hex())
    lab.watch("what Front Ends said has arrived", lambda: not any(talk.alive and not _has_all(talk, strange[talk]) for talk in talks),
              patience("report"))  # fmt: skip
    for talk in talks:
        seen = talk.speech.seen
        lab.history.add("client", "said", call=talk.number, sent=seen.sent, received=seen.received, signatures=seen.signatures,
                        alive=talk.alive)  # fmt: skip


def recite_torture(lab: Lab, talks: Sequence[Talk]) -> None:
    """Each held SIP connection carries RFC 4475's messages one way and a recorded answer the other, and is then used once more.

    Afterwards a `recited` event for each: SHA-256 and number of all bytes that the client sent and received, and a `digest` of its
    Front End. Messages after which nothing can follow on a stream are left out.
    """
    messages = [message for name, message in torture().items() if name not in UNFIT]
    signed = recorded("ocs2007")["response"]
    for talk in talks:
        for message in messages if talk.alive else ():
            talk.send(talk.speech.recite(message))
    for talk in talks:
        if talk.alive and lab.is_connected(talk):
            push(lab, talk, say="bytes", hex=signed.hex())
            talk.send(talk.speech.again())
    lab.watch("Front Ends answer behind all that", lambda: not any(talk.alive and talk.speech.answers < 2 for talk in talks), patience("answer"))
    for talk in talks:
        if talk.alive and lab.is_connected(talk):
            push(lab, talk, say="digest")
        lab.history.add("client", "recited", call=talk.number, alive=talk.alive, messages=len(messages), **talk.speech.digest())


def _has_all(talk: Talk, strange: int) -> bool:
    """Whether the client has all that it was sent, the last with `strange` answers to nothing that it knows of."""
    return talk.speech.seen.notified >= 2 and talk.speech.seen.strange >= strange


def _send_long(talk: Talk) -> None:
    """A MESSAGE with a long body; its answer is strange to the speech."""
    token = talk.speech.token
    raw = write("MESSAGE sip:alice@lbcert.test SIP/2.0", [
        ("Via", f"SIP/2.0/TCP client.lbcert.test;branch=z9hG4bK{token[:8]}long"), ("Max-Forwards", "70"),
        ("From", "<sip:alice@lbcert.test>;tag=long"), ("To", "<sip:alice@lbcert.test>"), ("Call-ID", token), ("CSeq", "900 MESSAGE"),
        ("Content-Type", "text/plain"),
    ], stream(f"long {token}", _LONG))  # fmt: skip
    talk.speech.seen.message("sent", raw)
    talk.send(raw)


def tell_certificates(lab: Lab) -> None:
    """Record the certificates of Front Ends and of the clients of this lab, by their SHA-256."""
    from ..scenes.pool import client_certificate

    lab.history.add("harness", "certificates", client=client_certificate().fingerprint,
                    servers={server.name: server.extra["certificate"]["fingerprint"] for server in lab.mocks})  # fmt: skip
