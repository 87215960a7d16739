"""How many connections are made for which question, fixed before the first of them; the numbers that a verdict needs."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..clients.rdp import connection_request
from ..evidence.statistics import ERROR_RATE, binomial_region
from ..wire import ConnectionRequest

AT_ONCE = 20
"""connections that are open at any time, at most"""
REPEATS = 270
"""returns of users: fewer would miss, more often than once in a million, a balancer that loses one user in 20 visits"""
ROUNDS = (3, 20)
"""visits of each user, at least and at most"""
FEWEST = -(-REPEATS // (ROUNDS[1] - 1))
"""users with which RDP-PERSIST-01 can pass"""
MOST = 50
"""users that take part, where the question of the spread needs no more"""
LARGEST = 600
"""users or clients without a name, whatever a verdict takes: enough for twenty servers"""
BARE = 5
"""requests of eleven bytes, and as many with a name for comparison"""
NAMELESS = 12
"""requests without a name, where the number of servers is not known"""

assert (1 - 1 / 20) ** REPEATS <= float(ERROR_RATE)


@dataclass(frozen=True)
class Call:
    """One connection to be made."""

    phase: str
    """look, round, roaming, control, nameless, named-bare, bare"""
    user: str | None
    source: str
    request: bytes
    turn: int = 0


def enough(n: int, servers: int) -> bool:
    """Whether the exact region of `n` users excludes a server that gets none of them, and one that gets twice its share."""
    low, high = binomial_region(n, servers)
    return low >= 1 and high * servers < 2 * n


def needed(servers: int) -> int:
    """Users or clients with which a spread over `servers` can be judged."""
    high = 32
    while not enough(high, servers):
        high *= 2
    low = 1
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle, servers) else (middle, high)
    return high


@dataclass(frozen=True)
class Scheme:
    """What is going to be sent."""

    users: tuple[str, ...]
    of: int
    """names in the file"""
    sources: tuple[str, ...]
    rounds: int
    nameless: int

    @property
    def roaming(self) -> tuple[str, ...]:
        """Users who come from every source."""
        return self.users[:MOST] if len(self.sources) > 1 else ()

    @property
    def connections(self) -> int:
        return 1 + len(self.users) * self.rounds + len(self.roaming) * len(self.sources) + 2 * self.nameless + 2 * BARE

    def parts(self, rng: random.Random) -> Iterator[list[Call]]:
        """The connections, in parts of which each has ended before the next begins."""
        home = self.sources[0]
        yield [_named("look", self.users[0], home)]
        for turn in range(self.rounds):
            yield [_named("round", user, home, turn) for user in _shuffled(self.users, rng)]
        places = {user: _shuffled(self.sources, rng) for user in self.roaming}
        for turn in range(len(self.sources) if self.roaming else 0):
            yield [_named("roaming", user, places[user][turn], turn) for user in _shuffled(self.roaming, rng)]
        # Those with a name in between tell whether the VIP was well meanwhile, and whether servers refuse what offers no TLS.
        controls = [_named("control", user, home) for user in (self.users * self.nameless)[: self.nameless]]
        unnamed = [Call("nameless", None, home, connection_request(None))] * self.nameless
        yield rng.sample(controls + unnamed, 2 * self.nameless)
        named = [Call("named-bare", user, home, ConnectionRequest(cookie=user.encode()).encode())
                 for user in (self.users * BARE)[:BARE]]  # fmt: skip
        yield rng.sample(named + [Call("bare", None, home, ConnectionRequest().encode())] * BARE, 2 * BARE)


def make(users: Sequence[str], sources: Sequence[str], servers: int | None, rng: random.Random) -> Scheme:
    """The scheme for these users; of very many, some are drawn."""
    sample = min(needed(servers), LARGEST) if servers and servers > 1 else NAMELESS
    chosen = _shuffled(users, rng)[: max(MOST, sample)]
    rounds = min(max(ROUNDS[0], math.ceil(REPEATS / len(chosen)) + 1), ROUNDS[1])
    return Scheme(tuple(chosen), len(users), tuple(sources), rounds, sample)


def _named(phase: str, user: str, source: str, turn: int = 0) -> Call:
    return Call(phase, user, source, connection_request(user), turn)


def _shuffled(things: Sequence[str], rng: random.Random) -> list[str]:
    return rng.sample(list(things), len(things))
