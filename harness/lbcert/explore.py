"""Exploration: random sequences of what users and servers do, against the model that the DUT declares.

The model is small: each user has a home; a home that is up is the only right answer; while it is down any server that
is up will do, and the same one from then on; when it returns, the declared rule says where the user goes. A step that
the product answers differently is a `Violation` of one requirement. Hypothesis makes the sequences and shrinks them
(`pytest suites/rdp --explore 200`); the shortest one is printed as a test that can be pasted into a suite.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from .clients.rdp import Connection, Visit
from .deadlines import MARGIN, detection, recovery
from .deadlines import requirement as requirement_deadline
from .evidence.finding import Finding
from .faults import FAULTS, restore
from .lab import Lab
from .verdicts import Verdict

USERS, PLACES = 6, 3
CROWD = 60
"""visits of one `crowd` step"""
STEPS = 8
"""steps of one sequence at most"""
SESSIONS = "RDP-FAIL-05"
DETECTED_AS = {"crash": "refused", "dark": "dark", "hang": "hung"}


class Violation(AssertionError):
    """The product did not do what its model says; about one requirement."""

    def __init__(self, requirement: str, observed: str):
        super().__init__(f"{requirement}: {observed}")
        self.requirement = requirement
        self.observed = observed


@dataclass
class User:
    """What the model knows of one user."""

    home: str | None = None
    """the server that serves this user while all is well"""
    away: str | None = None
    """the server that took over while the home was down, if the user came in that time"""
    away_when: frozenset[str] = frozenset()
    """the servers that were up then: a hash chooses anew when they change"""
    last_place: int | None = None
    lost: set[str] = field(default_factory=set)
    """servers that failed under this user"""


@dataclass
class Explorer:
    """Steps on one lab, each checked against the model. Usable by hand: the pasted tests call it."""

    lab: Lab
    cut: bool = True
    """whether sessions on a dead server must be closed"""
    steps: list[str] = field(default_factory=list)
    users: dict[int, User] = field(default_factory=dict)
    down: dict[str, str] = field(default_factory=dict)
    """server -> its fault"""
    held: list[tuple[int, Connection]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = [[self.lab.sources.one() for _ in range(PLACES)] for _ in range(USERS)]
        self.returns = bool(self.lab.declares.returns_after_recovery)
        self.lab.need_servers(2)

    @property
    def names(self) -> list[str]:
        return [server.name for server in self.lab.servers]

    @property
    def up(self) -> frozenset[str]:
        return frozenset(name for name in self.names if name not in self.down)

    @property
    def homes(self) -> list[int]:
        """Servers, by number, that are up and have users."""
        homes = {user.home for user in self.users.values()} & self.up
        return [number for number, name in enumerate(self.names) if name in homes]

    # -- steps ------------------------------------------------------------------------------------

    def connect(self, user: int, place: int) -> None:
        """One user connects from one of three addresses, and leaves."""
        self.steps.append(f"connect({user}, {place})")
        self._visit([(user, place)])

    def everybody(self) -> None:
        """All known users connect twice, in turns."""
        self.steps.append("everybody()")
        for _ in range(2):
            self._visit([(user, known.last_place or 0) for user, known in self.users.items()])

    def crowd(self) -> None:
        """All known users connect many times: what goes wrong once in fifty is seen."""
        self.steps.append("crowd()")
        for _ in range(CROWD // len(self.users) + 1):
            self._visit([(user, known.last_place or 0) for user, known in self.users.items()])

    def hold(self, user: int, place: int) -> None:
        """One user connects and stays."""
        self.steps.append(f"hold({user}, {place})")
        self._visit([(user, place)], hold=True)

    def fail(self, fault: str, server: int) -> None:
        """A server fails (crash, dark, hang); returns when it must be known as dead."""
        self.steps.append(f"fail({fault!r}, {server})")
        self.lab.settle()
        name = self.names[server]
        FAULTS[fault](self.lab, self.lab.server(name))
        bound = detection(self.lab.declares.health_check, DETECTED_AS[fault]) + MARGIN
        self.lab.watch(f"{name} is known as dead", lambda: False, requirement_deadline("detection", bound))
        self.down[name] = fault
        self._check_sessions()

    def restore(self, server: int) -> None:
        """A failed server returns; returns when it must be in use again."""
        self.steps.append(f"restore({server})")
        name = self.names[server]
        restore(self.lab, self.lab.server(name), self.down.pop(name))
        self.held = [(user, session) for user, session in self.held if session.server != name]
        seconds = recovery(self.lab.declares.health_check) + MARGIN
        self.lab.watch(f"{name} is in use again", lambda: False, requirement_deadline("recovery", seconds))

    # -- the model --------------------------------------------------------------------------------

    def _visit(self, who: list[tuple[int, int]], hold: bool = False) -> None:
        visits = [Visit(self.places[user][place], f"explorer{user}", hold=hold, label=f"step {len(self.steps)}")
                  for user, place in who]  # fmt: skip
        for (user, place), made in zip(who, self.lab.visit(visits), strict=True):
            self._judge(user, place, made)
            if hold:
                self.held.append((user, made))

    def _judge(self, number: int, place: int, made: Connection) -> None:
        user = self.users.setdefault(number, User())
        server, text = made.server, f"user explorer{number} from place {place}"
        if made.outcome != "answered" or server is None:
            what = "RDP-FAIL-01" if self.down else "RDP-PERSIST-01"
            raise Violation(what, f"{text} was not served ({made.outcome}); up: {', '.join(sorted(self.up))}")
        if server not in self.up:
            raise Violation("RDP-FAIL-01", f"{text} was served by {server}, which is down")
        wanted, requirement = self._wanted(user, place, server)
        if wanted is not None and server != wanted:
            raise Violation(requirement, f"{text} reached {server} instead of {wanted}; down: {', '.join(self.down) or 'none'}")
        if user.home is None or user.home in self.down:
            if self.returns and user.home is not None:
                user.away, user.away_when = server, self.up
            elif not self.returns or not self.down:
                user.lost |= {user.home} - {None}
                user.home = server
        elif self.returns:
            user.away = None
        user.last_place = place

    def _wanted(self, user: User, place: int, reached: str) -> tuple[str | None, str]:
        """The only server that is right, if there is one, and the requirement that says so."""
        if user.home is not None and user.home in self.up:
            if user.away is not None:
                return user.home, "RDP-FAIL-06"
            if reached in user.lost:
                return user.home, "RDP-FAIL-06"
            moved = user.last_place is not None and user.last_place != place
            return user.home, "RDP-PERSIST-02" if moved else "RDP-PERSIST-01"
        if user.away is not None and user.away in self.up and user.away_when == self.up:
            return user.away, "RDP-PERSIST-01"
        return None, ""

    def _check_sessions(self) -> None:
        """Sessions on servers that are up live; those on a dark or hung one are cut."""
        for user, session in self.held:
            if session.server in self.up and not session.alive:
                raise Violation("RDP-FAIL-01", f"the session of explorer{user} on {session.server} was cut, which is up")
            if self.cut and session.server in self.down and session.alive:
                raise Violation(SESSIONS, f"the session of explorer{user} on {session.server}, which is dead, is still open")

    def as_test(self, violation: Violation) -> str:
        """The sequence as a test that can be pasted into a suite."""
        lines = "\n".join(f"    explorer.{step}" for step in self.steps)
        return (
            "from lbcert.api import Explorer, Lab, requirement\n\n\n"
            f'@requirement("{violation.requirement}", timing=True)\n'
            "def test_found_by_exploration(lab: Lab) -> None:\n"
            f'    """{violation.observed}."""\n'
            "    explorer = Explorer(lab)\n"
            f"{lines}\n"
            "    explorer.finish()\n"
        )

    def finish(self) -> None:
        """The end of a pasted test: everything was as the model says."""
        text = f"{len(self.steps)} steps, all as declared"
        self.lab.judge(lambda history: Finding(Verdict.PASS, "Every step is answered as the declared model says.", text))


@dataclass
class Found:
    """What an exploration came to."""

    sequences: int = 0
    steps: int = 0
    violation: Violation | None = None
    test: str = ""


def explore(make_lab: Callable[[], Lab], sequences: int, seed: int, *, cut: bool = True) -> Found:
    """Run up to `sequences` random sequences, each on a lab of its own; stops at the first violation, shrunk.

    `cut`: whether sessions on a dead server must be closed (RDP-FAIL-05, a SHOULD).
    """
    found = Found()
    machine = _machine(make_lab, found, cut)
    profile = settings(max_examples=sequences, stateful_step_count=STEPS, deadline=None, database=None, print_blob=False,
                       suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
                       report_multiple_bugs=False)  # fmt: skip
    hypothesis_seed(seed)(machine)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            run_state_machine_as_test(machine, settings=profile)
        except Violation as violation:
            found.violation = violation
        except Flaky:
            # The product did it once and not again: still done.
            pass
    return found


class Labs(Protocol):
    """What the plugin gives an exploring test."""

    sequences: int
    seed: int

    def __call__(self) -> Lab: ...

    def judge(self, finding: Finding) -> None: ...


def explore_model(labs: Labs) -> None:
    """Explore; what a SHOULD forbids is noted, and the search goes on without it."""
    found = explore(labs, labs.sequences, labs.seed)
    if found.violation and found.violation.requirement == SESSIONS:
        labs.judge(_finding(found))
        found = explore(labs, labs.sequences, labs.seed, cut=False)
    labs.judge(_finding(found))


def _finding(found: Found) -> Finding:
    expected = "Whatever users and servers do, every step is answered as the declared model says."
    ran = f"{found.sequences} sequences, {found.steps} steps"
    if found.violation is None:
        return Finding(Verdict.PASS, expected, f"{ran}, all as declared")
    verdict = Verdict.NON_STRICT if found.violation.requirement == SESSIONS else Verdict.FAIL
    return Finding(verdict, expected, f"{ran}; the shortest violation: {found.violation.observed}", found.violation.observed,
                   evidence=(found.test,), about=(found.violation.requirement,))  # fmt: skip


def _machine(make_lab: Callable[[], Lab], found: Found, cut: bool) -> type[RuleBasedStateMachine]:
    """A state machine over labs that `make_lab` makes."""
    users, places = st.integers(0, USERS - 1), st.integers(0, PLACES - 1)

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.lab = make_lab()
            self.explorer = Explorer(self.lab, cut=cut)
            hung = self.lab.declares.health_check.speaks
            self.faults = ["crash", "dark", "hang"] if hung else ["crash", "dark"]
            found.sequences += 1

        def step(self, action: Callable[..., None], *arguments: Any) -> None:
            found.steps += 1
            try:
                action(*arguments)
            except Violation as violation:
                # Hypothesis runs the shortest sequence last, so the last one recorded is the one to show.
                found.violation, found.test = violation, self.explorer.as_test(violation)
                raise

        @rule(user=users, place=places)
        def connect(self, user: int, place: int) -> None:
            self.step(self.explorer.connect, user, place)

        @precondition(lambda self: len(self.explorer.users) >= 2)
        @rule()
        def crowd(self) -> None:
            self.step(self.explorer.crowd)

        @precondition(lambda self: len(self.explorer.held) < USERS)
        @rule(user=users, place=places)
        def hold(self, user: int, place: int) -> None:
            self.step(self.explorer.hold, user, place)

        @precondition(lambda self: len(self.explorer.up) >= 2 and bool(self.explorer.homes))
        @rule(data=st.data())
        def fail(self, data: st.DataObject) -> None:
            # Somebody's server, and everybody comes after it: a failure that nobody notices teaches nothing.
            server = data.draw(st.sampled_from(self.explorer.homes))
            self.step(self.explorer.fail, data.draw(st.sampled_from(self.faults)), server)
            self.step(self.explorer.everybody)

        @precondition(lambda self: bool(self.explorer.down))
        @rule(data=st.data())
        def restore(self, data: st.DataObject) -> None:
            down = [number for number, name in enumerate(self.explorer.names) if name in self.explorer.down]
            self.step(self.explorer.restore, data.draw(st.sampled_from(down)))
            self.step(self.explorer.everybody)

        def teardown(self) -> None:
            self.lab.close()

    return Machine
