"""The model: where the declared values say that each user is served. No lab, no clock, no randomness.

A product that *remembers* (a table) keeps a user on one server; when that server fails it chooses a new one, and when
the old one returns the declared rule says where the user goes. A product that *computes* (declared `size: none`, a hash) may
choose anew for everybody whenever the set of servers changes, and has the same answer whenever the set is the same.
Where no declaration says which server is right, every one that is up and takes users is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..dut_model import SHORT_LIFETIME, Declares, Deployment

KEPT = 0.9
"""of a declared lifetime, for which a user must be remembered; beyond it nothing is expected"""
LATER = 0.3
"""of a declared lifetime; who is forgotten after that is lost to the lifetime (RDP-PERSIST-05), sooner to RDP-PERSIST-01"""
NOBODY: frozenset[str] = frozenset()


def declared(deployment: Deployment) -> Declares:
    """What a deployment declares; in the variant short-lifetime its lifetime is that one."""
    declares = deployment.declares
    if deployment.variant != "short-lifetime":
        return declares
    return replace(declares, persistence={**declares.persistence, "timer": SHORT_LIFETIME})


@dataclass
class User:
    """What the model knows of one user (or of one address, where that is the declared key)."""

    home: str | None = None
    """the server where the user belongs"""
    away: str | None = None
    """the server that took over while the home is down, where users return"""
    away_when: frozenset[str] = NOBODY
    """the servers that took users then"""
    seen: dict[frozenset[str], str] = field(default_factory=dict)
    """set of servers -> what a product that computes answered"""
    maybe: frozenset[str] = NOBODY
    """further servers that are as right as the home, until the user is seen again"""
    lost: set[str] = field(default_factory=set)
    """servers that failed under this user"""
    last_place: int | None = None
    last_set: frozenset[str] = NOBODY
    last_seen: float = 0.0
    """s: when the last connection began"""
    last_end: float = 0.0
    """s: when the last session ended"""
    reloaded: bool = False
    """whether the product was reloaded since"""
    moved: bool = False
    """whether the last visit was served elsewhere because of a failure"""


@dataclass(frozen=True)
class Expected:
    """The servers that are right for one visit, and the requirement that says so."""

    servers: frozenset[str]
    requirement: str


class Model:
    """Users and servers, as the declared values describe them. Times are seconds on one clock."""

    def __init__(self, servers: Iterable[str], declares: Declares):
        self.servers = tuple(servers)
        self.returns = declares.returns_after_recovery
        self.computes = declares.size == "none"
        self.by_address = declares.persistence.get("key") == "source"
        self.follows = declares.persistence.get("key") != "none"
        self.lifetime = float(declares.timer) if isinstance(declares.timer, (int, float)) else None
        self.users: dict[int, User] = {}
        self.down: dict[str, str] = {}
        """server -> its fault, from the fault on"""
        self.failing: str | None = None
        """the one of them that need not be known as dead yet"""
        self.drained: list[str] = []

    @property
    def up(self) -> frozenset[str]:
        return frozenset(self.servers) - set(self.down)

    @property
    def usable(self) -> frozenset[str]:
        """Servers that take new users."""
        return self.up - set(self.drained)

    def user(self, number: int, place: int) -> User:
        return self.users.setdefault(-1 - place if self.by_address else number, User())

    # -- what is right ----------------------------------------------------------------------------

    def expected(self, number: int, place: int, now: float, reached: str) -> Expected:
        """The servers that are right for a user who came by `now`; `reached` only decides what a wrong one is called."""
        user = self.user(number, place)
        if user.home is None or not self.follows or self._forgotten(user, now):
            return Expected(self.usable | ({user.home} - {None} & self.up), "RDP-SESS-04")
        if self.computes:
            return self._computed(user)
        if user.home in self.down:
            if user.away in self.up and user.away_when == self.usable:
                return Expected(frozenset({user.away}), "RDP-FAIL-09")
            return Expected(self.usable | ({user.away} & self.up), "RDP-SESS-04")
        if user.home in self.drained:
            # Whether known users go on to a drained server is the product's own rule (RDP-SESS-04).
            return Expected(self.usable | {user.home} | (user.maybe & self.up), "RDP-SESS-04")
        return Expected(frozenset({user.home}) | (user.maybe & self.up), self._why(user, reached, now))

    def _computed(self, user: User) -> Expected:
        known = user.seen.get(self.usable)
        if known is None or self.failing:
            # Known users of a drained server may stay; who is served elsewhere until a failure is known is open.
            return Expected(self.usable | ({user.home} & set(self.drained) & self.up), "RDP-SESS-04")
        if self.down:
            return Expected(frozenset({known}), "RDP-FAIL-09" if user.moved else "RDP-PERSIST-01")
        came_back = user.moved and user.last_set != self.usable
        return Expected(frozenset({known}), "RDP-FAIL-06" if came_back else "RDP-SESS-06" if user.reloaded else "RDP-PERSIST-01")

    def _why(self, user: User, reached: str, now: float) -> str:
        """The requirement by which a user belongs to its home."""
        if user.reloaded:
            return "RDP-SESS-06"
        if user.away is not None or (reached in user.lost and reached in self.up):
            return "RDP-FAIL-06"
        if user.moved and self.down:
            return "RDP-FAIL-09"
        if self.lifetime is not None:
            if now - user.last_seen > KEPT * self.lifetime:
                return "RDP-PERSIST-04"
            if now - user.last_end > LATER * self.lifetime:
                return "RDP-PERSIST-05"
        return "RDP-PERSIST-01"

    def _forgotten(self, user: User, now: float) -> bool:
        return self.lifetime is not None and now - user.last_end > KEPT * self.lifetime

    # -- what happened ----------------------------------------------------------------------------

    def visited(self, number: int, place: int, server: str, since: float, until: float) -> None:
        """This user has reached this server, right or wrong, at some moment between the two.

        A lifetime that begins with it began at `since` at the earliest, and one that it is to fall in must last until `until`.
        """
        user = self.user(number, place)
        forgotten = user.home is not None and self._forgotten(user, until)
        user.moved = user.home in self.down if user.home is not None and not forgotten else False
        if self.computes:
            self._has_computed(user, server)
        elif user.home is None or forgotten:
            user.home, user.away, user.maybe = server, None, NOBODY
            user.lost.clear()
        elif user.home in self.down:
            self._moved(user, server)
        elif user.home in self.drained:
            user.maybe |= {server} - {user.home}
        else:
            if server != user.home:
                user.home = server
            user.maybe, user.away = NOBODY, None
        user.lost &= set(self.down)
        user.last_place, user.reloaded = place, False
        user.last_seen, user.last_end = since, max(since, user.last_end)

    def _has_computed(self, user: User, server: str) -> None:
        if self.failing:
            return
        user.home = server
        user.moved = bool(self.down)
        user.seen[self.usable] = server
        user.last_set = self.usable

    def _moved(self, user: User, server: str) -> None:
        assert user.home is not None
        if self.returns:
            if not self.failing:
                user.away, user.away_when = server, self.usable
            return
        user.lost.add(user.home)
        if self.returns is None:
            # Nothing is declared about the way back, so either is right.
            user.maybe |= {user.home}
        user.home = server

    def connected(self, number: int, place: int, now: float) -> None:
        """A session of this user is open at this moment, so that its lifetime has not begun."""
        user = self.user(number, place)
        user.last_end = max(user.last_end, now)

    def recovered(self, server: str) -> None:
        """A server that was down is in use again."""
        del self.down[server]

    def was_reloaded(self, remembered: bool) -> None:
        """The product has read its configuration again; `remembered`: whether that must not forget anybody."""
        for user in self.users.values():
            if remembered:
                user.reloaded = True
            elif not self.computes:
                user.home = None

    def forget_ways_back(self) -> None:
        """All servers were down at once; where users are then is not laid down, unless it is computed or they return."""
        for user in self.users.values():
            user.away, user.moved, user.maybe = None, False, NOBODY
            if not self.computes and not self.returns:
                user.home = None
