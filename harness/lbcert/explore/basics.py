"""What all steps of an exploration share: visits that are judged by the model, and waits that end when they may."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..clients.rdp import Connection, Visit
from ..deadlines import CONFIRM_WITHIN, MARGIN, patience
from ..deadlines import requirement as requirement_deadline
from ..endpoints.control import MockServer
from ..evidence.finding import Finding
from ..lab import Lab
from .model import Model, declared
from .people import FORMS, LONGEST, NAMES, PLACES, USERS, form_of
from .violation import DETECTED, Impossible, Rules, Violation

AGAIN = 4
"""further visits by which a fault is told from others that look alike"""
LOOK_EVERY = 0.02
"""s between two looks at what a server has seen"""
ALLOWED = 2
"""connections to a dead server that may be health checks, beside those that its rate of checks explains"""

EXPECTED = "Every step is answered as the declared model says."

Comer = tuple[int, int, str]
"""user, place, form of the request"""


class Basics:
    """The lab, the model, and how the one is held against the other."""

    raises = False
    """whether a violation is raised as such, for a search; in a test it ends the test with its verdict"""

    def __init__(self, lab: Lab, rules: Rules | None = None, hurry: bool = False):
        lab.need_servers(2)
        self.lab = lab
        self.rules = rules or Rules()
        self.hurry = hurry
        """whether a wait ends as soon as the product can be expected to have done it, not only when its bound is over"""
        self.model = Model([server.name for server in lab.servers], declared(lab.deployment))
        self.steps: list[tuple[str, tuple]] = []
        self.places = [lab.sources.one() for _ in range(PLACES)]
        self.held: list[tuple[int, int, Connection]] = []
        """user, place, session"""
        self.carried: set[Connection] = set()
        """sessions from before a reload: the product's old process has them, which may check no server any more"""
        self.sure_at = 0.0
        """monotonic: from then on every bound is over"""
        self.changed_at = 0
        """ns: the last fault or return, from which bounds ran"""
        self._checks: dict[str, float] = {}
        """dead server -> connections per second that it saw while nobody came"""

    def finding(self, violation: Violation) -> Finding:
        """Complete the history and judge the violation, as any check is judged: not if the machine was too slow."""
        since = self.changed_at or time.time_ns()

        def exploration(_history) -> Finding:
            return Finding(violation.verdict, EXPECTED, violation.observed, violation.observed, window=(since, time.time_ns()),
                           margin=MARGIN, about=(violation.requirement,))  # fmt: skip

        return self.lab.judge(exploration)

    # -- visits -----------------------------------------------------------------------------------

    def come(self, comers: Sequence[Comer], hold: bool = False, within: float | None = None) -> None:
        """Known users connect, all at the same moment; each is judged."""
        began, since = time.time_ns(), time.monotonic()
        made = self._visit([self._as_visit(comer, hold) for comer in comers], within)
        until = time.monotonic()
        if self.model.failing is None:
            self._left_alone(began)
        for comer, one in zip(comers, made, strict=True):
            if hold and one.alive:
                self.held.append((comer[0], comer[1], one))
            self._judge(comer, one, (since, until), within)

    def _as_visit(self, comer: Comer, hold: bool = False) -> Visit:
        number, place, form = comer
        home = self.model.user(number, place).home
        other = next((server for server in self.lab.servers if server.name != home), self.lab.servers[0])
        segments = form_of(form, number, other.listen[0], self.lab.random)
        return Visit(self.places[place], NAMES[number], segments=segments, hold=hold, label=f"step {len(self.steps)}")

    def _visit(self, visits: Sequence[Visit], within: float | None) -> list[Connection]:
        made = self.lab.clients.start(visits)
        seconds = within or CONFIRM_WITHIN
        deadline = requirement_deadline("answer", seconds) if self.model.down else patience("answer")
        self.lab.watch("answers", lambda: all(one.done for one in made), deadline)
        return made

    def _judge(self, comer: Comer, made: Connection, when: tuple[float, float], within: float | None) -> None:
        number, place, form = comer
        who, server, model = _name(number), made.server, self.model
        served = made.outcome == "answered" and server is not None
        if not served:
            took = f"no answer within {within or CONFIRM_WITHIN:g} s" if not made.done else made.outcome
            requirement = self._unserved(number, place, made.outcome or "timeout", form)
            self.rules.hold(requirement, False, f"{who} from place {place} was not served ({took}); {self._situation()}")
            return
        assert server is not None
        if server in model.down:
            self.rules.hold(DETECTED[model.down[server]], False, f"{who} was served by {server}; {self._situation()}")
            return
        right = model.expected(number, place, when[1], server)
        if server not in right.servers:
            home = model.user(number, place).home
            named = right.requirement
            if named == "RDP-PERSIST-01":
                named = self._told_apart(comer, right.servers, server)
            elif named == "RDP-SESS-04" and server not in model.drained:
                named = "RDP-PERSIST-01"
            wanted = " or ".join(sorted(right.servers)) or "none"
            self.rules.hold(named, False, f"{who} from place {place} reached {server} instead of {wanted} "
                            f"(was on {home}); {self._situation()}")  # fmt: skip
        model.visited(number, place, server, *when)

    def _unserved(self, number: int, place: int, outcome: str, form: str) -> str:
        """The requirement by which somebody should have been served."""
        down = self.model.down
        if not down:
            return FORMS[form] or "RDP-PERSIST-01"
        home = self.model.user(number, place).home
        fault = down.get(self.model.failing or home or "")
        if fault is None:
            waiting = [one for one in down.values() if one != "crash"]
            fault = waiting[0] if outcome == "timeout" and waiting else next(iter(down.values()))
        return DETECTED[fault]

    def _told_apart(self, comer: Comer, wanted: frozenset[str], reached: str) -> str:
        """Why a user was not at home: for the form of the request, its length, the place, or for no reason."""
        number, place, form = comer
        last = self.model.user(number, place).last_place
        plain = (number, place if last is None else last, "plain")
        found = [self._visit([self._as_visit(plain)], None)[0].server for _ in range(AGAIN)]
        if all(server in wanted for server in found):
            if form != "plain":
                return FORMS[form]
            return "RDP-PERSIST-02" if last not in (None, place) else "RDP-PERSIST-01"
        return "RDP-PARSE-10" if len(NAMES[number]) == LONGEST and len({*found}) > 1 else "RDP-PERSIST-01"

    def _situation(self) -> str:
        down = ", ".join(f"{name} ({fault})" for name, fault in self.model.down.items())
        drained = f", drained: {', '.join(self.model.drained)}" if self.model.drained else ""
        return f"down: {down or 'none'}{drained}"

    def known(self) -> dict[int, int]:
        """The users that were here, and where they were last."""
        if self.model.by_address:
            return {number: number % len(self.places) for number in range(USERS)}
        return {number: user.last_place or 0 for number, user in self.model.users.items() if user.last_place is not None}

    def _of(self, user: int) -> MockServer:
        """The server where a user belongs; if that takes no users, the one of the next user whose server does."""
        for number in [*range(user, USERS), *range(user)]:
            place = self.known().get(number)
            home = self.model.user(number, place).home if place is not None else None
            if home in self.model.usable:
                return self.lab.server(home)
        raise Impossible("nobody here has a server that takes users")

    # -- dead servers -----------------------------------------------------------------------------

    def _left_alone(self, since: int) -> None:
        """No connection reaches a server that must be known as dead, beyond health checks."""
        took = (time.time_ns() - since) / 1e9
        for name, fault in self.model.down.items():
            if name not in self._checks or DETECTED[fault] in self.rules.off:
                continue
            tried = len(self.lab.opened(self.lab.server(name), since))
            # Lateness bunches checks: twice their rate, and never less than the declared one, is taken for granted.
            rate = max(self._checks[name], 1 / self.lab.declares.health_check.inter)
            most = ALLOWED + 2 * rate * took
            self.rules.hold(DETECTED[fault], tried <= most, f"{tried} connections to {name}, which is dead, within {took:.3f} s; "
                            f"health checks explain {most:.1f}")  # fmt: skip

    def until_checked(self, server: MockServer, checks: int, since: int, seconds: float, what: str) -> None:
        """Wait until a bound is over; in a hurry only until the product has begun one check more than it needs.

        The one after is begun when the product knows what came of those before.
        """
        deadline = requirement_deadline("check", seconds)
        begun = time.time_ns()
        self.sure_at, self.changed_at = max(self.sure_at, deadline.at), begun

        def seen() -> int:
            return len(self.lab.opened(server, since))

        if self.hurry:
            self.lab.every(LOOK_EVERY, deadline, what, lambda: None, until=lambda: seen() > checks)
        else:
            self.lab.watch(what, lambda: False, deadline)
        self._checks[server.name] = len(self.lab.opened(server, begun)) / max(0.001, (time.time_ns() - begun) / 1e9)

    # -- sessions ---------------------------------------------------------------------------------

    def sessions_live(self, requirement: str) -> None:
        """Every session on a server that is up carries data; those that do not violate `requirement`."""
        there = [(number, one) for number, _, one in self.held if one.server in self.model.up]
        phase = f"echo {len(self.lab.history.events)}"
        self.lab.echo([one for _, one in there], phase)
        good = {event["visit"]: event["ok"] for event in self.lab.history.of("echo") if event["phase"] == phase}
        for number, one in there:
            text = f"the session of {_name(number)} on {one.server}, which is up, was cut"
            self.rules.hold(requirement, good[one.number], text)
        self.drop_ended()

    def drop_ended(self) -> None:
        """Sessions that have ended are no longer held; those that live keep their user's entry alive."""
        now = time.monotonic()
        self.held = [(number, place, one) for number, place, one in self.held if one.alive]
        for number, place, _ in self.held:
            self.model.connected(number, place, now)

    def wait_bound(self, what: str, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Wait for something that has `seconds` to happen."""
        return self.lab.watch(what, done, requirement_deadline("bound", seconds))


def chosen(items: Sequence, index: int, what: str):
    """One of `items`, whatever the number; `what` says why there is none."""
    if not items:
        raise Impossible(what)
    return items[index % len(items)]


def _name(number: int) -> str:
    return f"user {number} ({NAMES[number]})" if len(NAMES[number]) < LONGEST else f"user {number} (a name of {LONGEST} bytes)"
