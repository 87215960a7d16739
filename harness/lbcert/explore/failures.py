"""Steps of servers: they fail, one or all, and return."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..clients.rdp import Visit
from ..deadlines import ANOTHER_WITHIN, CONFIRM_WITHIN, MARGIN, TURNED_AWAY_WITHIN, detection, recovery
from ..faults import DETECTED_AS, FAULTS, restore
from .basics import AGAIN, chosen
from .newcomers import Newcomers
from .people import NAMES
from .step import step
from .violation import DETECTED, SESSIONS_CUT, Impossible


class Failures(Newcomers):
    """What happens to servers."""

    @step
    def fail(self, fault: str, user: int, early: int = 0) -> None:
        """A user's server fails (crash, dark, hang); ends when it must be known as dead.

        `early` of its users come before that is known, several times.
        """
        self.rules.needed(DETECTED[fault])
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
        self.rules.needed("RDP-FAIL-07")
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
