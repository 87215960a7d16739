"""The two ends of one connection as pure objects: bytes in, bytes out. Who has the socket, and TLS, is somebody else.

`clients.talk` gives a Speech its connection, `endpoints.desk` a Service. Both may be fed any segmentation. Neither knows a
clock: what takes time is ordered from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Report = Callable[..., None]
"""`report(kind, **facts)`: an event of this connection for the history; the facts must go into JSON"""


@dataclass(frozen=True)
class Identity:
    """Who answers: what a Service says inside its protocol, and a Speech reads there."""

    index: int
    """of the server, 1 to 15"""
    conn: int
    """the server's own number of the connection, from 1"""


@dataclass(frozen=True)
class Place:
    """Where a Service stands."""

    identity: Identity
    name: str
    """of the server as a machine: its host name in certificates and in protocols that tell one (`fe2.pool.lbcert.test`)"""
    port: int
    """the local port that the connection came to"""
    peer: tuple[str, int]
    options: dict[str, Any]
    """what the server was configured with, for all of its services"""


class Speech(Protocol):
    """What one client says on one connection, and how it understands the answer."""

    token: str
    """unique to the connection; the request carries it, so that the server's event of it can be told from all others"""

    @property
    def outcome(self) -> str | None:
        """None while under way; `answered` when the answer is whole and right; else one word for what came instead."""

    @property
    def identity(self) -> Identity | None:
        """Who answered, by the protocol's own words; None until that is known."""

    def begin(self) -> bytes:
        """The first bytes to send."""

    def take(self, data: bytes) -> bytes:
        """Bytes of the server; returns what is to be sent for them. Also after the outcome, while the connection is held."""

    def again(self) -> bytes:
        """A further request on the held connection, to prove it alive: `answers` grows when it has been answered as well."""

    @property
    def answers(self) -> int:
        """How many of this speech's requests have been answered, rightly and by the same server."""

    def told(self) -> dict[str, Any]:
        """Facts for the history when the outcome is known (for JSON)."""


class Service(Protocol):
    """What one server says on one connection. For each request it reports `request` with `token`, and facts of its own."""

    closing: bool
    """whether the server closes when what was returned is sent"""

    def begin(self) -> bytes:
        """What it says without being asked."""

    def take(self, data: bytes) -> bytes:
        """Bytes of the client; returns the answer. Bytes that are not of the protocol are reported (`malformed`), never raised."""

    def push(self, what: dict[str, Any]) -> bytes:
        """What a command of the test makes it say to this client (`lab` tells a server `push`)."""


MakeService = Callable[[Place, Report], Service]
