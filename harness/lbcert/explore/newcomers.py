"""Steps of people who are nobody's known users: they are spread, or kept together, as the declared values say."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..clients.rdp import Visit
from ..deadlines import patience
from .basics import Basics
from .people import NO_NAME, STRANGERS, stranger
from .step import step
from .violation import DETECTED, Impossible

CROWD_OF_STRANGERS = 30
"""of whom all are on one of two servers by chance below 1e-8"""


class Newcomers(Basics):
    """What people do who come once."""

    @step
    def strangers(self, kind: str) -> None:
        """Thirty of one kind come one after the other from one address; they are not all on one server."""
        self.rules.needed(STRANGERS[kind])
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
        self.rules.hold(STRANGERS["twice"], not split, f"{split} of {len(pairs)} new users who opened two connections "
                        "at the same moment reached two servers")  # fmt: skip

    def wait_used(self, enough: Callable[[set[str]], bool], seconds: float) -> bool:
        """New users come in groups, and stay until the group is complete, so that no load keeps them from a server."""
        deadline = patience("recovery")
        until = time.monotonic() + seconds
        while True:
            group = [Visit(self.places[0], request=stranger("new", number, self.lab.random), hold=True, label="group")
                     for number in range(CROWD_OF_STRANGERS)]  # fmt: skip
            made = self._visit(group, None)
            reached = {one.server for one in made if one.outcome == "answered" and one.server is not None}
            for one in made:
                one.leave()
            if enough(reached):
                return True
            if time.monotonic() >= until or deadline.expired:
                return False
            self.wait_bound("the next group", patience("pause").seconds)
