"""Steps of the administrator, and of time."""

from __future__ import annotations

import time

from ..steps import admin
from ..clients.rdp import Visit
from ..deadlines import patience, recovery
from .basics import chosen
from .newcomers import CROWD_OF_STRANGERS, Newcomers
from .people import stranger
from .step import step
from .violation import Impossible

LINGER = 2.5
"""s for which sessions are held after an administrator's act"""
SETTLED = 1.0
"""s between a reload and the first user, for the table to be handed over (RDP-SESS-06)"""
SHORT = 10.0
"""s: lifetimes up to this one are waited for"""
READY_WITHIN = 2.0
"""s in a hurry until a server that was put back must have had a user"""


class Administration(Newcomers):
    """What the administrator does to the product."""

    @step
    def drain(self, user: int) -> None:
        """A user's server is drained: no new user reaches it, and nobody's session is cut."""
        self.rules.needed("RDP-SESS-04")
        server = self._of(user)
        if len(self.model.usable) < 2:
            raise Impossible("one server must take users")
        admin.drain(self.lab, server)
        self.model.drained.append(server.name)
        self.sessions_live("RDP-SESS-04")
        for number in range(2 * CROWD_OF_STRANGERS):
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
