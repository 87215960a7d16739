"""A Front End of an Office Communications Server 2007 R2 pool: on each of its ports it speaks what a real one speaks there.

Ports and their purposes: Microsoft's guide dd572362 and the article. One process is one Front End; who it is shows in every protocol.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NoReturn

from ..security.mutual import server_context
from ..wire.talk import MakeService
from .desk import Counter, Desk
from .http import Web
from .mapper import Mapper
from .mock import run
from .monitor import Monitor
from .remoting import Remoting
from .sip import SipService
from .stand_in import StandIn

PORTS: Mapping[int, tuple[str, MakeService, str]] = {
    5060: ("sip", SipService, "plain"),
    5061: ("sip", SipService, "tls"),
    5065: ("sip", SipService, "plain"),
    5069: ("monitoring", Monitor, "plain"),
    5071: ("sip", SipService, "plain"),
    5072: ("sip", SipService, "plain"),
    5073: ("sip", SipService, "plain"),
    5074: ("sip", SipService, "plain"),
    135: ("endpoint mapper", Mapper, "plain"),
    443: ("web", Web, "tls"),
    444: ("focus", Web, "tls"),
    8404: ("remoting", Remoting, "mutual"),
}
"""port -> what is spoken there, by whom, over what: `tls` takes a client's certificate if it shows one, `mutual` demands it"""
ELSEWHERE = ("any", StandIn, "either")
"""what a server says on any other port, as one does that stands in for all when no Front End is left: over TLS or not"""


class PoolServer(Desk):
    """One Front End, or who stands in for the pool."""

    def make_counters(self, config: dict[str, Any]) -> Mapping[int, Counter]:
        self.certificate: dict[str, str] = config["certificate"]
        self.trusts: str = config["authority"]
        made = {}
        for _, port in self.addresses:
            name, make, over = PORTS.get(port, ELSEWHERE)
            contexts = {"plain": None, "tls": lambda: self._tls, "either": lambda: self._tls, "mutual": lambda: self._mutual}
            made[port] = Counter(name, make, contexts[over], over == "either")
        return made

    @cached_property
    def _tls(self):
        return server_context(self.certificate["pem"], self.trusts, "optional")

    @cached_property
    def _mutual(self):
        return server_context(self.certificate["pem"], self.trusts, "required")


def serve(control: socket.socket, config: dict[str, Any]) -> NoReturn:
    """Be the Front End until the control stream ends.

    `config`: what every desk has, `certificate` (`security.authority.Leaf.told`) and `authority`: PEM of whose clients it trusts.
    """
    run(PoolServer, control, config)
