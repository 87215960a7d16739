"""The state machine that Hypothesis drives: which steps may come when, and how often.

Hypothesis wants the same choices to lead to the same questions, and a lab does not promise that. So what may come next
depends on the steps drawn so far, never on what the product did with them; a step that has no meaning in the end is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ..lab import Ended
from .administration import SHORT
from .explorer import Explorer
from .people import FORMS, PLACES, STRANGERS, USERS
from .violation import Impossible, Violation

EARLY = 3
"""users at most who come before a failure is known"""
HELD = 6
"""sessions held at once at most"""
TOGETHER = 3
"""users at most who begin a session one after the other"""
KINDS = 3
"""kinds of strangers who come one after the other"""
FAILURES = 3
"""failures of a server in one sequence at most: each takes a second"""
LARGE = 1000
"""entries that a table needs at least for strangers to come: they must push nobody out"""


class Search(Protocol):
    """What a machine needs to know of the search that it is a part of."""

    def begin(self) -> Explorer: ...

    def end(self, explorer: Explorer) -> None: ...

    def violated(self, explorer: Explorer, violation: Violation) -> None: ...

    def broken(self, error: Exception) -> None: ...


def machine_for(search: Search) -> type[RuleBasedStateMachine]:
    """A state machine whose instances are the sequences of `search`."""
    users, places = st.integers(0, USERS - 1), st.integers(0, PLACES - 1)

    class Sequence(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.explorer = search.begin()
            declares = self.explorer.lab.declares
            self.faults = ["crash", "dark", "hang"] if declares.health_check.speaks else ["crash", "dark"]
            self.room = declares.size == "none" or (isinstance(declares.size, int) and declares.size >= LARGE)
            lifetime = self.explorer.model.lifetime
            self.short = lifetime is not None and lifetime <= SHORT
            self.usable = len(self.explorer.lab.servers)
            self.down = self.drained = self.held = 0
            self.administered = self.blackened = False
            self.failures = 0

        def do(self, action: Callable[..., None], *arguments: Any) -> None:
            """One step, unless it has no meaning here or the product cannot do it."""
            steps = self.explorer.steps
            before = len(steps)
            try:
                action(*arguments)
            except (Impossible, Ended):
                del steps[before:]
            except Violation as violation:
                search.violated(self.explorer, violation)
            except Exception as error:
                search.broken(error)

        def whole(self) -> bool:
            return not self.down and not self.drained

        @initialize(count=st.integers(1, USERS))
        def gather(self, count: int) -> None:
            self.do(self.explorer.gather, count)

        @rule(user=users, place=places, form=st.sampled_from(list(FORMS)))
        def connect(self, user: int, place: int, form: str) -> None:
            # A form is told apart from the plain one, which comes first.
            self.do(self.explorer.connect, user, place)
            self.do(self.explorer.connect, user, place, form)

        @rule()
        def crowd(self) -> None:
            self.do(self.explorer.crowd)

        @precondition(lambda self: self.room and not self.held and self.usable >= 2)
        @rule(first=st.integers(0, len(STRANGERS) - 1))
        def strangers(self, first: int) -> None:
            for number in range(first, first + KINDS):
                self.do(self.explorer.strangers, list(STRANGERS)[number % len(STRANGERS)])

        @precondition(lambda self: self.held < HELD)
        @rule(user=users, place=places, count=st.integers(1, TOGETHER))
        def hold(self, user: int, place: int, count: int) -> None:
            self.held += count
            self.do(self.explorer.hold, user, place, count)

        @precondition(lambda self: self.held)
        @rule(which=st.integers(0, HELD - 1), how=st.sampled_from(["fin", "rst"]))
        def disconnect(self, which: int, how: str) -> None:
            self.held -= 1
            self.do(self.explorer.disconnect, which, how)

        @precondition(lambda self: self.usable >= 2 and self.failures < FAILURES)
        @rule(data=st.data(), user=users, early=st.integers(0, EARLY))
        def fail(self, data: st.DataObject, user: int, early: int) -> None:
            self.usable, self.down, self.failures = self.usable - 1, self.down + 1, self.failures + 1
            self.do(self.explorer.fail, data.draw(st.sampled_from(self.faults)), user, early)
            # A failure that nobody notices teaches nothing.
            self.do(self.explorer.everybody)

        @precondition(lambda self: self.down)
        @rule(which=st.integers(0, 1))
        def restore(self, which: int) -> None:
            self.usable, self.down = self.usable + 1, self.down - 1
            self.do(self.explorer.restore, which)
            self.do(self.explorer.everybody)

        @precondition(lambda self: self.room and self.whole() and not self.held and not self.blackened)
        @rule()
        def blackout(self) -> None:
            self.blackened = True
            self.do(self.explorer.blackout)
            self.do(self.explorer.everybody)

        @precondition(lambda self: self.usable >= 2 and self.room)
        @rule(user=users)
        def drain(self, user: int) -> None:
            self.usable, self.drained, self.administered = self.usable - 1, self.drained + 1, True
            self.do(self.explorer.drain, user)
            self.do(self.explorer.everybody)

        @precondition(lambda self: self.drained)
        @rule(which=st.integers(0, 1))
        def ready(self, which: int) -> None:
            self.usable, self.drained = self.usable + 1, self.drained - 1
            self.do(self.explorer.ready, which)
            self.do(self.explorer.everybody)

        @precondition(lambda self: self.whole())
        @rule()
        def reload(self) -> None:
            self.administered = True
            self.do(self.explorer.reload)
            self.do(self.explorer.everybody)

        @precondition(lambda self: self.administered and self.held)
        @rule()
        def linger(self) -> None:
            self.administered = False
            self.do(self.explorer.linger)

        @precondition(lambda self: self.short)
        @rule(share=st.sampled_from([0.6, 0.8, 1.2]))
        def pause(self, share: float) -> None:
            self.do(self.explorer.pause, share)
            self.do(self.explorer.everybody)

        def teardown(self) -> None:
            search.end(self.explorer)

    return Sequence
