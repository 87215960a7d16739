"""Steps of known users: they come, stay, leave, come all at once."""

from __future__ import annotations

import time

from ..deadlines import CLOSE_WITHIN, MARGIN, patience
from .basics import Basics, Comer, chosen
from .people import USERS
from .step import step
from .violation import Impossible

CROWD = 120
"""visits of one `crowd`"""
ROUNDS = 2


class Users(Basics):
    """What users do who were here before, or will be known from now on."""

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
            self.come([(number % USERS, place, "plain")], hold=True)

    @step
    def disconnect(self, which: int, how: str) -> None:
        """One of the held sessions is closed by its client (fin) or reset (rst); its server is told within a second."""
        live = [(number, place, one) for number, place, one in self.held if one.server in self.model.up]
        number, place, session = chosen(live, which, "nobody holds a session on a server that is up")
        server = self.lab.server(session.server)

        def there() -> bool:
            return any(conn & 0xFFF == session.connection for conn in server.connected)

        self.lab.wait(f"{server.name} reports the session", there, patience("report"))
        left = time.monotonic()
        session.leave(abort=how == "rst")
        told = self.wait_bound(f"{server.name} is told", CLOSE_WITHIN + MARGIN, lambda: not there())
        self.rules.hold("RDP-SESS-02", told, f"{server.name} was not told within {CLOSE_WITHIN + MARGIN:g} s that the session of "
                        f"user {number} is over ({how})")  # fmt: skip
        self.model.connected(number, place, left)
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

    def _everyone(self) -> list[Comer]:
        if not (known := self.known()):
            raise Impossible("nobody is known")
        return [(number, place, "plain") for number, place in known.items()]
