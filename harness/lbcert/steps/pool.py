"""What tests of a pool do with clients of its ports: they find their Front Ends, come again, hold connections, ask all the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..clients.talk import Call, Talk
from ..deadlines import patience, recovery
from ..wire.digest import Digest
from .calling import dial

if TYPE_CHECKING:
    from ..endpoints.control import MockServer
    from ..lab import Lab

SIP_SERVICES = ("sip", "sip-tls")
"""the ports at which clients log on and stay"""
SIP_APPLICATIONS = ("sharing", "response-group", "attendant", "announcement", "voice-control")
"""the other ports that speak SIP"""
BENOTIFY = (
    b"BENOTIFY sip:alice@lbcert.test SIP/2.0\r\nVia: SIP/2.0/TCP pool.lbcert.test:5060;branch=z9hG4bKbe1\r\nMax-Forwards: 70\r\n"
    b"From: <sip:alice@lbcert.test>;tag=be1\r\nTo: <sip:alice@lbcert.test>;tag=be2\r\nCall-ID: be@pool.lbcert.test\r\n"
    b"CSeq: 1 BENOTIFY\r\nEvent: presence\r\nContent-Length: 0\r\n\r\n"
)
"""presence as OCS sends most of it: nobody answers ([MS-SIP] 1.3, best effort NOTIFY)"""
EACH = 30
"""clients for each Front End that there is: the one with most of them has as many or more"""
_MORE_ROUNDS = 3
"""of clients who come until the Front End whose turn it is has enough of them"""
_CHEAP = ("sip", "monitoring", *SIP_APPLICATIONS)
"""services that speak SIP without TLS"""


def settle_clients(lab: Lab, each: int = EACH, turn: int | None = None) -> dict[str, list[Talk]]:
    """Let clients find their Front Ends; returns those of each, first of the one that should fail, `each` or more where that can be.

    What is wrong with one line of a configuration is wrong with one Front End only. With a `turn` (see `in_turn`) each fails in its turn;
    those that the product itself says it does not check come first. Without, it is one of these, or any. Who gets no clients is left out.
    """
    lab.need_servers(2)
    lab.settle()
    homes: dict[str, list[Talk]] = {server.name: [] for server in lab.servers}
    _find_homes(lab, homes, each * len(lab.servers))
    order = sorted(homes, key=lambda name: name not in lab.unchecked)
    doubtful = [name for name in order if name in lab.unchecked]
    if turn is not None:
        doubtful = [order[turn % len(order)]]
        for _ in range(_MORE_ROUNDS):
            if len(homes[doubtful[0]]) >= each:
                break
            _find_homes(lab, homes, each * len(lab.servers) // 2)
    busy = [name for name, talks in homes.items() if len(talks) >= each] or [max(homes, key=lambda name: len(homes[name]))]
    chosen = lab.random.choice([name for name in doubtful if homes[name] and (turn is None or name in busy)] or busy)
    return dict(sorted(homes.items(), key=lambda item: (item[0] != chosen, -len(item[1]))))


def _find_homes(lab: Lab, homes: dict[str, list[Talk]], count: int) -> None:
    """So many new clients come and go; each is added to those of its Front End."""
    service = cheap_services(lab)[0]
    for talk in lab.visit([dial(lab, service, label="settle") for _ in range(count)]):
        if talk.server in homes:
            homes[talk.server].append(talk)
    # A connection that a server has not closed yet when it fails would count as one of its own for a product that counts.
    lab.watch("these clients have gone", lambda: not any(server.connected for server in lab.servers), patience("sessions"))


def hold_on_each(lab: Lab, homes: dict[str, list[Talk]], services: Sequence[str] = (), label: str = "held") -> list[Talk]:
    """One connection on every service (or these) at every Front End, of the clients who have found it, held."""
    names = list(services) or list(lab.services)
    calls = [come(lab, talks[number % len(talks)], service, label, hold=True)
             for talks in homes.values() if talks for number, service in enumerate(names)]  # fmt: skip
    return lab.visit(lab.shuffled(calls), at_once=12)


def cheap_services(lab: Lab) -> list[str]:
    """Services that speak SIP without TLS, which costs little; where there is none, the one over TLS."""
    return [service for service in _CHEAP if service in lab.services] or ["sip-tls"]


def come(lab: Lab, talk: Talk, service: str, label: str, hold: bool = False) -> Call:
    """The same client once more, on this service."""
    return dial(lab, service, talk.visit.source, label=label, hold=hold)


def newcomers(lab: Lab, count: int, label: str, services: Sequence[str] = (), hold: bool = False) -> list[Call]:
    """So many new clients, on all services in turn (or these), in mixed order.

    `hold`: they stay. Where the fewest connections decide, a Front End without any that is in the pool gets the next one for sure.
    """
    names = list(services) or list(lab.services)
    return lab.shuffled([dial(lab, names[number % len(names)], label=label, hold=hold) for number in range(count)])


def ask_more(talk: Talk) -> bytes:
    """What a held connection says to be in use."""
    return talk.speech.again()


def until_used(lab: Lab, server: MockServer, label: str = "fresh") -> None:
    """New clients come in groups until the server gets one of them; the check sees it if none does."""
    deadline = patience("recovery", recovery(lab.declares.health_check))
    services = cheap_services(lab)
    while not deadline.expired:
        if any(talk.server == server.name for talk in lab.visit(newcomers(lab, 6, label, services))):
            return
        lab.watch(f"{server.name} is used again", lambda: False, patience("pause"))


def push_all(lab: Lab, talks: Sequence[Talk], **what: object) -> None:
    """Have the servers of all these held connections say something unasked; returns when they have (`pushed`)."""
    waiting: dict[MockServer, int] = {}
    for talk in talks:
        if talk.server is None or talk.connection is None:
            continue
        server = lab.server(talk.server)
        waiting[server] = waiting.get(server, server.count("pushed")) + 1
        server.tell("push", conn=talk.connection, what=what)
    lab.wait("the servers speak first", lambda: all(server.count("pushed") >= count for server, count in waiting.items()),
             patience("report"))  # fmt: skip


def say_all(lab: Lab, talks: Sequence[Talk], what: str) -> None:
    """Have every held connection say `what` (see its speech); a `sent` event each, with the bytes."""
    for talk in talks:
        if talk.alive:
            data = talk.speech.say(what)
            lab.history.add("client", "sent", call=talk.number, bytes=data.hex())
            talk.send(data)


def until_answered(lab: Lab, talks: Sequence[Talk]) -> None:
    """Wait until the Front End of each of these SIP clients has the client's answers to its own requests."""
    wanted = sum(talk.speech.seen.notified for talk in talks)
    lab.watch("clients' answers", lambda: sum(server.count("response") for server in lab.mocks) >= wanted, patience("report"))


def listen(talks: Sequence[Talk]) -> None:
    """Keep what comes on these connections from now on."""
    for talk in talks:
        talk.heard = []


def tell_heard(lab: Lab, talks: Sequence[Talk]) -> None:
    """Put what came since `listen` into the history: a `heard` event for each piece."""
    for talk in talks:
        for stamp, data in talk.heard or ():
            lab.history.add("client", "heard", stamp, call=talk.number, bytes=data.hex())
        talk.heard = None


def recite(lab: Lab, talks: Sequence[Talk], rounds: int) -> None:
    """Held connections of any service ask so many times, each when it has its answer, and both ends keep what was said.

    Afterwards a `recited` event for each, as of `sip_talks.recite_torture`, and a `digest` of its Front End.
    """
    there = [talk for talk in talks if talk.alive and lab.is_connected(talk)]
    for talk in there:
        lab.server(talk.server).tell("watch", conn=talk.connection)
    lab.wait("Front Ends keep what is said", lambda: sum(server.count("watched") for server in lab.mocks) >= len(there), patience("report"))
    listen(there)
    went = {talk: Digest() for talk in there}
    for _ in range(rounds):
        before = {talk: talk.speech.answers for talk in there if talk.alive}
        for talk in before:
            data = talk.speech.again()
            went[talk].add(data)
            talk.send(data)
        lab.watch("Front Ends answer", lambda before=before: not any(talk.alive and talk.speech.answers <= count for talk, count in before.items()),
                  patience("report"))  # fmt: skip
        there = [talk for talk in before if talk.alive and talk.speech.answers > before[talk]]
    for talk in went:
        lab.server(talk.server).tell("digest", conn=talk.connection)
    lab.wait("Front Ends tell what was said", lambda: sum(server.count("digest") + server.count("gone") for server in lab.mocks) >= len(went),
             patience("report"))  # fmt: skip
    for talk, said in went.items():
        came = Digest()
        for _, data in talk.heard or ():
            came.add(data)
        lab.history.add("client", "recited", call=talk.number, alive=talk in there, messages=rounds, went=said.told(), came=came.told())


class Pulse:
    """Held connections that ask again and again, each when it has its answer and `interval` seconds have passed.

    The history gets a `pulse` event for each request when its answer is there (`asked`, `heard`: ns), or when it is stopped.
    """

    TICK = 0.05

    def __init__(self, lab: Lab, talks: Sequence[Talk], interval: float):
        self._lab, self._talks, self._interval = lab, list(talks), interval
        self._waiting: dict[Talk, tuple[int, int]] = {}
        """connection -> when it asked (ns), and its answers before"""
        self._due = {talk: time.monotonic() + interval * number / len(self._talks) for number, talk in enumerate(self._talks)}
        self._running = True
        self._beat()

    def _beat(self) -> None:
        if not self._running:
            return
        now = time.monotonic()
        for talk in self._talks:
            if talk in self._waiting:
                asked, before = self._waiting[talk]
                if talk.speech.answers > before:
                    self._note(talk, asked, talk.heard_at)
                    del self._waiting[talk]
            elif talk.alive and self._due[talk] <= now:
                self._due[talk] = now + self._interval
                self._waiting[talk] = time.time_ns(), talk.speech.answers
                talk.send(talk.speech.again())
        self._lab.loop.call_later(self.TICK, self._beat)

    def _note(self, talk: Talk, asked: int, heard: int | None) -> None:
        self._lab.history.add("client", "pulse", call=talk.number, asked=asked, heard=heard)

    def stop(self) -> None:
        """Nobody asks any more; what is unanswered is noted as such."""
        self._beat()
        self._running = False
        for talk, (asked, _before) in self._waiting.items():
            self._note(talk, asked, None)


class Trickle:
    """Clients, one every `interval` seconds, until it is stopped; `make` says who comes next."""

    def __init__(self, lab: Lab, interval: float, make: Callable[[int], Call]):
        self.begun: list[Talk] = []
        self._lab, self._interval, self._make = lab, interval, make
        self._running = True
        self._come()

    def _come(self) -> None:
        if self._running:
            self.begun += self._lab.clients.start([self._make(len(self.begun))])
            self._lab.loop.call_later(self._interval, self._come)

    def stop(self) -> None:
        """Let nobody come any more, and wait for what comes of those who did."""
        self._running = False
        self._lab.wait("answers to all clients", lambda: all(talk.done for talk in self.begun), patience("outcome"))
