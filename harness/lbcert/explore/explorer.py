"""The steps of an exploration, each checked against the model. Usable by hand: the pasted tests call them.

Servers are named by their users: `drain(3)` is about the server where user 3 belongs, whichever that is with this product.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence

from .. import admin
from ..clients.rdp import Visit
from ..deadlines import (
    ANOTHER_WITHIN,
    CLOSE_WITHIN,
    CONFIRM_WITHIN,
    MARGIN,
    TURNED_AWAY_WITHIN,
    detection,
    patience,
    recovery,
)
from ..endpoints.control import MockServer
from ..evidence.finding import Finding
from ..faults import DETECTED_AS, FAULTS, restore
from ..lab import Ended
from ..verdicts import Verdict
from .basics import AGAIN, Basics, chosen
from .people import NAMES, NO_NAME, STRANGERS, stranger
from .violation import DETECTED, SESSIONS_CUT, Impossible, Violation

CROWD = 120
"""visits of one `crowd`"""
CROWD_OF_STRANGERS = 30
"""of whom all are on one of two servers by chance below 1e-8"""
ROUNDS = 2
LINGER = 2.5
"""s for which sessions are held after an administrator's act"""
SETTLED = 1.0
"""s between a reload and the first user, for the table to be handed over (RDP-SESS-06)"""
SHORT = 10.0
"""s: lifetimes up to this one are waited for"""
READY_WITHIN = 2.0
"""s in a hurry until a server that was put back must have had a user"""
GROUP = 30


def step(action: Callable[..., None]) -> Callable[..., None]:
    """Note the step. In a pasted test a violation ends it with that verdict; an exploration asks for the exception."""

    @functools.wraps(action)
    def noted(self: Explorer, *arguments) -> None:
        self.steps.append((action.__name__, arguments))
        began = time.monotonic()
        try:
            action(self, *arguments)
        except Violation as violation:
            violation.certain = began >= self.sure_at
            if self.raises:
                raise
            raise Ended(self.finding(violation).verdict, violation.observed) from None

    return noted


class Explorer(Basics):
    """Steps on one lab."""

    raises = False

    # -- users ------------------------------------------------------------------------------------

    @step
    def gather(self, count: int) -> None:
        """The first so many users connect, one after the other, from addresses in turn."""
        for number in range(count):
            self.come([(number, number % len(self.places), "plain")])

    @step
    def connect(self, user: int, place: int, form: str = "plain") -> None:
        """One user connects from one of the addresses, with a request of some form, and leaves."""
        self.come([(user, place, form)])

    @step
    def hold(self, user: int, place: int, count: int = 1) -> None:
        """One user connects and stays, and so do those with the next numbers."""
        for number in range(user, user + count):
            self.come([(number % len(NAMES), place, "plain")], hold=True)

    @step
    def disconnect(self, which: int, how: str) -> None:
        """One of the held sessions is closed by its client (fin) or reset (rst); its server is told within a second."""
        live = [(number, place, one) for number, place, one in self.held if one.server in self.model.up]
        number, place, session = chosen(live, which, "nobody holds a session on a server that is up")
        server = self.lab.server(session.server)

        def there() -> bool:
            return any(conn & 0xFFF == session.connection for conn in server.connected)

        self.lab.wait(f"{server.name} reports the session", there, patience("report"))
        session.leave(abort=how == "rst")
        told = self.wait_bound(f"{server.name} is told", CLOSE_WITHIN + MARGIN, lambda: not there())
        self.rules.hold("RDP-SESS-02", told, f"{server.name} was not told within {CLOSE_WITHIN + MARGIN:g} s that the session of "
                        f"user {number} is over ({how})")  # fmt: skip
        self.model.connected(number, place, time.monotonic())
        self.drop_ended()

    @step
    def everybody(self) -> None:
        """All known users connect twice, in turns."""
        self._everybody(ROUNDS)

    @step
    def crowd(self) -> None:
        """All known users connect many times at once: what goes wrong once in fifty is seen."""
        # First one by one: a user whom a failure has moved is not raced against.
        self._everybody(1)
        everyone = self._everyone()
        self.come(everyone * (CROWD // len(everyone)))

    def _everybody(self, rounds: int) -> None:
        for _ in range(rounds):
            self.come(self._everyone())

    def _everyone(self) -> list[tuple[int, int, str]]:
        if not (known := self.known()):
            raise Impossible("nobody is known")
        return [(number, place, "plain") for number, place in known.items()]

    def known(self) -> dict[int, int]:
        """The users that were here, and where they were last."""
        if self.model.by_address:
            return {number: number % len(self.places) for number in range(len(NAMES))}
        return {number: user.last_place or 0 for number, user in self.model.users.items() if user.last_place is not None}

    @step
    def strangers(self, kind: str) -> None:
        """Thirty of one kind come one after the other from one address; they are not all on one server."""
        if self.held or len(self.model.usable) < 2:
            raise Impossible("somebody holds a session, so that load may decide; or there is one server only")
        if kind == "twice":
            return self._twice()
        reached = self._come_as(kind)
        by_address = kind in NO_NAME and self.lab.declares.fallback == "source"
        if kind == "nameless" and by_address:
            self.rules.hold(STRANGERS[kind], len(set(reached)) == 1, f"{len(reached)} clients without a name from one address "
                            "reached more than one server, although `fallback: source` is declared")  # fmt: skip
        elif not by_address and len(set(reached)) == 1 and reached[0] in self.model.usable:
            alike = kind == "new" or len(set(self._come_as("new"))) > 1
            self.rules.hold(STRANGERS[kind if alike else "new"], False,
                            f"{len(reached)} strangers ({kind if alike else 'new'}) from one address all reached {reached[0]}; "
                            f"{self._situation()}")  # fmt: skip

    def _come_as(self, kind: str) -> list[str]:
        """Strangers of one kind come; everybody must be served, by a server that takes new users."""
        requirement = "RDP-PARSE-04" if kind in ("nameless", "correlated") else "RDP-PERSIST-01"
        reached = []
        for number in range(CROWD_OF_STRANGERS):
            request = stranger(kind, number, self.lab.random)
            one = self._visit([Visit(self.places[0], request=request, label=f"step {len(self.steps)}, {kind}")], None)[0]
            if one.outcome != "answered" or one.server is None:
                down = next(iter(self.model.down.values()), None)
                what = DETECTED[down] if down else requirement
                self.rules.hold(what, False, f"a stranger ({kind}) was not served ({one.outcome}); {self._situation()}")
                continue
            self._is_open_to_new(one.server, f"a stranger ({kind})")
            reached.append(one.server)
        return reached or [""]

    def _is_open_to_new(self, server: str, who: str) -> None:
        down = self.model.down.get(server)
        if down:
            self.rules.hold(DETECTED[down], False, f"{who} was served by {server}; {self._situation()}")
        self.rules.hold("RDP-SESS-04", server not in self.model.drained, f"{who} reached {server}, which is drained")

    def _twice(self) -> None:
        """New users open two connections at the same moment, and both reach the same server."""
        visits = []
        for number in range(CROWD_OF_STRANGERS):
            request = stranger("new", number, self.lab.random)
            visits += [Visit(self.places[0], request=request, gated=True, label=f"step {len(self.steps)}, twice")] * 2
        made = self.lab.clients.run_together(visits, patience("answer"))
        pairs = [(one.server, other.server) for one, other in zip(made[::2], made[1::2], strict=True)]
        split = sum(one != other for one, other in pairs)
        self.rules.hold(STRANGERS["twice"], not split, f"{split} of {len(pairs)} new users who opened two connections at the same "
                        "moment reached two servers")  # fmt: skip

    # -- servers fail and return ------------------------------------------------------------------

    @step
    def fail(self, fault: str, user: int, early: int = 0) -> None:
        """A user's server fails (crash, dark, hang); ends when it must be known as dead.

        `early` of its users come before that is known, several times.
        """
        server = self._of(user)
        if len(self.model.usable) < 2:
            raise Impossible("one server must stay")
        if not self.hurry:
            self.lab.settle()
        theirs = [number for number, place in self.known().items() if self.model.user(number, place).home == server.name]
        stamp = FAULTS[fault](self.lab, server)
        began = time.monotonic()
        self.model.down[server.name] = fault
        if early and fault != "hang":
            self._come_early(fault, server.name, theirs[:early])
            stamp = time.time_ns()
        bound = detection(self.lab.declares.health_check, DETECTED_AS[fault]) + MARGIN
        left = max(0.0, began + bound - time.monotonic())
        self.until_checked(server, self.lab.declares.health_check.fall, stamp, left, f"{server.name} is known as dead")
        self._cut_sessions(fault, server.name, began + bound)

    def _come_early(self, fault: str, server: str, users: Sequence[int]) -> None:
        if DETECTED[fault] in self.rules.off:
            return
        self.model.failing = server
        for _ in range(AGAIN):
            for number in users:
                self.come([(number, self.known()[number], "plain")], within=ANOTHER_WITHIN if fault == "dark" else CONFIRM_WITHIN)
        self.model.failing = None

    def _cut_sessions(self, fault: str, server: str, until: float) -> None:
        """Sessions on a server that is dark or hung are closed (RDP-FAIL-05); those elsewhere live."""
        there = [(number, one) for number, _, one in self.held if one.server == server and one not in self.carried]
        if fault != "crash" and SESSIONS_CUT not in self.rules.off:
            self.wait_bound(f"sessions on {server} are closed", max(0.0, until - time.monotonic()),
                            lambda: not any(one.alive for _, one in there))  # fmt: skip
            for number, one in there:
                text = f"the session of user {number} on {server}, which is dead ({fault}), is still open"
                self.rules.hold(SESSIONS_CUT, not one.alive or time.monotonic() < until, text)
        self.sessions_live(DETECTED[fault])
        # What is left belongs to a server that is gone; nothing more is expected of it.
        self.held = [entry for entry in self.held if entry[2].server != server]

    @step
    def restore(self, which: int = 0) -> None:
        """A failed server returns; ends when it must be in use again."""
        name = chosen(list(self.model.down), which, "no server is down")
        server = self.lab.server(name)
        stamp = restore(self.lab, server, self.model.down[name])
        seconds = recovery(self.lab.declares.health_check) + MARGIN
        self.until_checked(server, self.lab.declares.health_check.rise, stamp, seconds, f"{name} is in use again")
        self.model.recovered(name)

    @step
    def blackout(self) -> None:
        """All servers crash, everybody is turned away at once, all return, and everybody is served again."""
        if self.model.down or self.model.drained or self.held:
            raise Impossible("servers are down or drained, or somebody holds a session")
        check, start = self.lab.declares.health_check, 0
        for server in self.lab.servers:
            start = FAULTS["crash"](self.lab, server)
        self.until_checked(server, check.fall, start, detection(check, "refused") + MARGIN, "all servers are known as dead")
        self._turned_away()
        for server in self.lab.servers:
            start = restore(self.lab, server, "crash")
        self.until_checked(server, check.rise, start, recovery(check) + MARGIN, "all servers are in use again")
        self._checks.clear()
        self.model.forget_ways_back()
        # Checks go round: one of another server may be the last.
        served = self.wait_used(lambda reached: bool(reached), MARGIN if self.hurry else 0.0)
        self.rules.hold("RDP-FAIL-07", served, "nobody is served after all servers have failed and returned")

    def _turned_away(self) -> None:
        visits = [Visit(self.places[0], NAMES[number]) for number in range(3)] + [Visit(self.places[1]) for _ in range(3)]
        made = self.lab.clients.start(visits)
        self.wait_bound("everybody is turned away", TURNED_AWAY_WITHIN, lambda: all(one.done for one in made))
        left = sum(not one.done for one in made)
        self.rules.hold("RDP-FAIL-07", not left, f"{left} of {len(made)} clients were kept waiting for more than "
                        f"{TURNED_AWAY_WITHIN:g} s while no server was up")  # fmt: skip

    # -- the administrator ------------------------------------------------------------------------

    @step
    def drain(self, user: int) -> None:
        """A user's server is drained: no new user reaches it, and nobody's session is cut."""
        server = self._of(user)
        if len(self.model.usable) < 2:
            raise Impossible("one server must take users")
        admin.drain(self.lab, server)
        self.model.drained.append(server.name)
        self.sessions_live("RDP-SESS-04")
        for number in range(2 * GROUP):
            request = stranger("new", number, self.lab.random)
            one = self._visit([Visit(self.places[number % len(self.places)], request=request, label="while drained")], None)[0]
            if one.server is not None:
                self._is_open_to_new(one.server, "a new user")

    @step
    def ready(self, which: int = 0) -> None:
        """A drained server is put back: nobody's session is cut, and new users reach it again."""
        name = chosen(self.model.drained, which, "no server is drained")
        admin.ready(self.lab, self.lab.server(name))
        self.model.drained.remove(name)
        self.sessions_live("RDP-SESS-04")
        bound = patience("recovery", recovery(self.lab.declares.health_check)).seconds
        used = self.wait_used(lambda reached: name in reached, READY_WITHIN if self.hurry else bound)
        if not used and self.hurry:
            self.sure_at = float("inf")
        self.rules.hold("RDP-SESS-04", used, f"no new user reaches {name}, which was drained and put back")

    @step
    def reload(self) -> None:
        """The product reads its configuration again: sessions go on, and users keep their servers."""
        if self.model.down or self.model.drained:
            raise Impossible("a new process need not know who is down or drained")
        if self.hurry:
            self.sure_at = float("inf")
        else:
            self.lab.mature()
        admin.reload(self.lab)
        self.lab.ready_at = time.monotonic()
        self.carried |= {one for _, _, one in self.held}
        self.model.was_reloaded(remembered="RDP-SESS-06" not in self.rules.off)
        if not self.hurry:
            self.wait_bound("the table is handed over", SETTLED)
        self.sessions_live("RDP-SESS-06")

    @step
    def linger(self) -> None:
        """Some time passes, after which every session carries data."""
        if not self.held:
            raise Impossible("nobody holds a session")
        self.wait_bound("sessions live on", LINGER)
        self.sessions_live("RDP-SESS-06" if self.carried else "RDP-SESS-04")

    @step
    def pause(self, share: float) -> None:
        """A share of the declared lifetime passes, where that is short."""
        lifetime = self.model.lifetime
        if lifetime is None or lifetime > SHORT:
            raise Impossible("no short lifetime is declared")
        self.wait_bound("time passes", share * lifetime)
        self.drop_ended()

    # -- shared -----------------------------------------------------------------------------------

    def _of(self, user: int) -> MockServer:
        """The server where a user belongs; if that takes no users, the one of the next user whose server does."""
        for number in [*range(user, len(NAMES)), *range(user)]:
            place = self.known().get(number)
            home = self.model.user(number, place).home if place is not None else None
            if home in self.model.usable:
                return self.lab.server(home)
        raise Impossible("nobody here has a server that takes users")

    def wait_used(self, enough: Callable[[set[str]], bool], seconds: float) -> bool:
        """New users come in groups, and stay until the group is complete, so that no load keeps them from a server."""
        deadline = patience("recovery")
        until = time.monotonic() + seconds
        while True:
            group = [Visit(self.places[0], request=stranger("new", number, self.lab.random), hold=True, label="group")
                     for number in range(GROUP)]  # fmt: skip
            made = self._visit(group, None)
            reached = {one.server for one in made if one.outcome == "answered" and one.server is not None}
            for one in made:
                one.leave()
            if enough(reached):
                return True
            if time.monotonic() >= until or deadline.expired:
                return False
            self.wait_bound("the next group", patience("pause").seconds)

    # -- the end ----------------------------------------------------------------------------------

    def finding(self, violation: Violation) -> Finding:
        """Complete the history and judge the violation, as any check is judged: not if the machine was too slow."""
        since = self.changed_at or time.time_ns()
        expected = "Every step is answered as the declared model says."

        def exploration(_history) -> Finding:
            return Finding(violation.verdict, expected, violation.observed, violation.observed, window=(since, time.time_ns()),
                           margin=MARGIN, about=(violation.requirement,))  # fmt: skip

        return self.lab.judge(exploration)

    def finish(self) -> None:
        """The end of a pasted test: everything was as the model says."""
        text = f"{len(self.steps)} steps, all as declared"
        self.lab.judge(lambda history: Finding(Verdict.PASS, "Every step is answered as the declared model says.", text))
