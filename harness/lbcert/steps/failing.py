"""What tests of failure do with users: let them find their servers, come back, come in a crowd, come all the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..addresses import sequential
from ..clients.rdp import Connection, Visit
from ..deadlines import FINDERS_EVERY, MARGIN, detection, patience
from ..deadlines import requirement as requirement_deadline

if TYPE_CHECKING:
    from ..lab import Lab

USERS = 180
"""at least 40 of each of two or three servers, whatever hash decides (chance of fewer: below 1e-6)"""
ENOUGH = 40
"""users of one server with whom a test of failure can be made"""
MANY_USERS = 600
"""at least 160 of each of two or three servers"""
FINDERS = 20
"""of a dead server's users: those who find out that it is dead, where no check does"""
WINDOW = 2.0
"""s: each of the two windows in which attempts at the dead server are counted"""
KEY = b"a key is pressed"
CROWD = 300
"""users who come in the second window: one of them in 100 at the dead server would be seen"""


def settle_users(lab: Lab, count: int = USERS) -> dict[str, list[Connection]]:
    """Let users find their servers; returns the visits of each server's users, first those of the server that should fail.

    That is the busiest, unless the product itself says that it checks another one less well: not at all.
    """
    lab.need_servers(2)
    lab.settle()
    made = lab.visit([Visit(lab.sources.one(), user, label="settle") for user in lab.shuffled(sequential(count))])
    homes: dict[str, list[Connection]] = {server.name: [] for server in lab.servers}
    for visit in made:
        if visit.server in homes:
            homes[visit.server].append(visit)
    doubtful = {name for name in lab.unchecked if len(homes.get(name, ())) >= ENOUGH}
    return dict(sorted(homes.items(), key=lambda item: (item[0] not in doubtful, -len(item[1]))))


def again(visit: Connection, label: str) -> Visit:
    """The same user from the same address once more."""
    return Visit(visit.visit.source, visit.visit.user, label=label)


def until_dead(lab: Lab, what: str, fault: str, theirs: list[Any], until: Callable[[], bool] = lambda: False,
               busy: Sequence[Any] = (), come: Callable[[Any, str], Any] = again, use: Callable[[Any], bytes] = lambda _session: KEY,
               ) -> list[Any]:  # fmt: skip
    """Wait until `what` must be known as dead (`fault`: refused, dark or hung), or `until`; returns who did not come.

    The sessions `busy` are in use meanwhile: a product that ends idle ones too soon must not seem to end them for the fault.

    Nobody comes: the product must find it out by its own checks. Where the deployment declares that it has none
    (`kind: passive`), users of the dead server come every 100 ms, since a product that nobody uses can learn nothing.
    `come` makes the next visit of one of them, `use` says what a session in use sends.
    """
    check = lab.declares.health_check
    deadline = requirement_deadline("detection", detection(check, fault) + MARGIN)

    def use_all() -> None:
        for session in busy:
            if session.alive:
                session.send(use(session))

    if not check.passive:
        lab.every(1.0, deadline, f"{what} is known as dead", use_all, until)
        return theirs
    finders, rest = theirs[:FINDERS], theirs[FINDERS:]
    begun: list[Any] = []

    def find() -> None:
        use_all()
        begun.extend(lab.clients.start([come(finders[len(begun) % len(finders)], "finder")]))

    lab.every(FINDERS_EVERY, deadline, f"{what} is known as dead", find, until)
    return rest


def crowd_after_detection(lab: Lab, dead: str, known: list[Connection]) -> None:
    """Two windows of equal length: with users of the dead server and new ones, then without any client.

    What reaches the dead server in the second are health checks; the check compares. `known` are users who did not
    come since the fault: a table product has rewritten the entries of those who did.
    """
    crowd = [again(visit, "after") for visit in known[: CROWD // 2]]
    crowd += [Visit(lab.sources.one(), f"late{number}", label="after") for number in range(CROWD - len(crowd))]
    two_windows(lab, dead, lab.shuffled(crowd))


def two_windows(lab: Lab, dead: str, crowd: list[Any], patient: float | None = None) -> None:
    """The two windows of `crowd_after_detection` with these visits, the last one first.

    `patient`: s after the first window in which an answer must be there, where users of a dead server may wait for ever.
    """
    begun: list[Any] = []
    size = max(1, len(crowd))
    lab.mark("busy")
    lab.every(WINDOW / size, requirement_deadline("window", WINDOW), f"{dead} is left alone",
              lambda: begun.extend(lab.clients.start([crowd.pop()]) if crowd else ()))  # fmt: skip
    lab.mark("over")
    if patient is None:
        lab.wait("answers to users after detection", lambda: all(v.done for v in begun), patience("outcome"))
    else:
        lab.watch("answers to users after detection", lambda: all(v.done for v in begun), requirement_deadline("answer", patient))
        for visit in begun:
            if not visit.done:
                visit.finish("unanswered")
    lab.mark("quiet")
    lab.watch(f"{dead} sees health checks only", lambda: False, requirement_deadline("window", WINDOW))
    lab.mark("end")


class Stream:
    """Users, one every `interval` seconds, until it is stopped; lateness is caught up.

    They are new ones. With `moved` and `fresh`, every third is one of the first, over and over again, and every third one
    of the second, once each: users of a dead server who were moved, and such who have not come since it died.
    """

    def __init__(self, lab: Lab, interval: float, label: str, moved: Sequence[Connection] = (), fresh: Sequence[Connection] = ()):
        self.begun: list[Connection] = []
        self._moved, self._fresh = list(moved), list(fresh)
        self._lab, self._interval, self._label = lab, interval, label
        self._running = True
        self._due = time.monotonic()
        self._come()

    def _come(self) -> None:
        if not self._running:
            return
        while self._due <= time.monotonic():
            self.begun += self._lab.clients.start([self._next(len(self.begun))])
            self._due += self._interval
        self._lab.loop.call_later(max(0.0, self._due - time.monotonic()), self._come)

    def _next(self, number: int) -> Visit:
        if number % 3 == 1 and self._moved:
            return again(self._moved[number // 3 % len(self._moved)], self._label)
        if number % 3 == 2 and self._fresh:
            return again(self._fresh.pop(), self._label)
        return Visit(self._lab.sources.one(), f"{self._label}{number}", label=self._label)

    def stop(self) -> None:
        """Let nobody come any more, and wait for what comes of those who did."""
        self._running = False
        self._lab.wait("answers to all users", lambda: all(visit.done for visit in self.begun), patience("outcome"))
