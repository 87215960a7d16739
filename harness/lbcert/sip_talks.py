"""What tests have SIP clients and Front Ends of a pool say to each other, and what both then tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .calling import push
from .deadlines import patience
from .wire.sip_vectors import recorded

if TYPE_CHECKING:
    from .clients.talk import Talk
    from .lab import Lab

_ACTS = ("options", "subscribe", "invite", "bye", "register")


def require_login(lab: Lab) -> None:
    """From now on every Front End asks clients of the ports 5060 and 5061 for a login and takes signed messages only."""
    for server in lab.mocks:
        before = server.count("options")
        server.tell("options", options={"sip": {**server.extra["options"]["sip"], "auth": "ntlm"}})
        lab.wait(f"{server.name} asks for logins", lambda s=server, b=before: s.count("options") > b, patience("report"))


def exchange_sip(lab: Lab, talks: Sequence[Talk]) -> None:
    """Each held SIP connection: requests of several kinds, a NOTIFY unasked, and the recorded signed 200 OK.

    Afterwards a `said` event for each: digests of all messages that the client sent and received, in order.
    """
    for act in _ACTS:
        for talk in talks:
            if talk.alive:
                talk.send(talk.speech.say(act))
        lab.watch(f"Front Ends answer ({act})", lambda: not any(talk.alive and talk.speech.waits for talk in talks), patience("answer"))
    signed = recorded("ocs2007")["response"]
    for talk in talks:
        if talk.alive and lab.is_connected(talk):
            push(lab, talk, say="notify", body="presence")
            push(lab, talk, say="bytes", hex=signed.hex())
    lab.watch("what Front Ends said has arrived", lambda: not any(talk.alive and not _has_all(talk) for talk in talks),
              patience("report"))  # fmt: skip
    for talk in talks:
        seen = talk.speech.seen
        lab.history.add("client", "said", call=talk.number, sent=seen.sent, received=seen.received, signatures=seen.signatures,
                        alive=talk.alive)  # fmt: skip


def _has_all(talk: Talk) -> bool:
    """Whether the client has the last thing that it was sent, or something in its place: messages come in order."""
    seen = talk.speech.seen
    return seen.notified >= 2 and seen.strange >= 1


def tell_certificates(lab: Lab) -> None:
    """Record the certificates of Front Ends and of the clients of this lab, by their SHA-256."""
    from .scenes.pool import client_certificate

    lab.history.add("harness", "certificates", client=client_certificate().fingerprint,
                    servers={server.name: server.extra["certificate"]["fingerprint"] for server in lab.mocks})  # fmt: skip
