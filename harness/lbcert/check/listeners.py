"""Which listeners of a configuration the profile `rdp` fits, and why the others are not tested."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..addresses import endpoint
from ..drivers.base import RDP_PORT
from . import others
from .assumptions import Assumptions, free_address
from .question import Question
from .reader import Bind, Section, Text

MOST_ASKED = 6
"""listeners to which a user is sent at the start"""
MOST_TESTED = 3
"""deployments of one check, for its time's sake: a run of one takes minutes"""
_WILD = ("0.0.0.0", "::")
_OWN = ("127.0.0.1", "::1")


@dataclass
class Choice:
    """The listeners that fit, as the addresses clients use, and all others with a reason."""

    text: Text
    assumed: Assumptions
    wanted: tuple[str, int] | None = None
    """what the user gave with --vip"""
    vips: dict[tuple[str, int], Bind | None] = field(default_factory=dict)
    reasons: dict[tuple[str, int], str] = field(default_factory=dict)
    """the origin of a VIP that was guessed, by VIP"""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(listener, why it is not tested)"""
    others: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """other profile -> its listeners"""

    def choose(self, listening: tuple[tuple[str, int], ...]) -> list[tuple[str, int]]:
        """The VIPs to which a user is to be sent; called once the product says where it listens."""
        self.vips.clear()
        self.reasons.clear()
        self.left_out.clear()
        self.others.clear()
        if self.wanted is not None:
            self._take_wanted(listening)
            return list(self.vips)
        fitting: list[tuple[str, int]] = []
        rest: dict[str, list[tuple[str, int]]] = {}
        for pair in sorted(set(listening), key=lambda pair: (pair[1] != RDP_PORT, pair[1], pair[0])):
            if why := self._unfit(pair):
                rest.setdefault(why, []).append(pair)
            else:
                fitting.append(pair)
        both = {port for ip, port in fitting if ip == "0.0.0.0"}
        for ip, port in fitting:
            if ip == "::" and port in both:
                continue
            vip = self._vip(ip, port)
            if len(self.vips) < MOST_ASKED:
                self.vips[vip] = self.text.bound(ip, port)
            else:
                rest.setdefault(f"only {MOST_ASKED} listeners are looked at; choose one with --vip", []).append((ip, port))
        self.left_out += [(_several(pairs), why) for why, pairs in rest.items()]
        return list(self.vips)

    def _take_wanted(self, listening: tuple[tuple[str, int], ...]) -> None:
        host, port = self.wanted
        if not any(there[1] == port and there[0] in (host, *_WILD) for there in listening):
            known = ", ".join(endpoint(*pair) for pair in sorted(set(listening))[:20])
            raise Question(f"--vip {endpoint(host, port)}: the product does not listen there; it listens on: {known or 'nothing'}")
        self.vips[host, port] = self.text.bound(host, port)
        self.reasons[host, port] = "given with --vip"
        self.left_out = [(_several([pair for pair in sorted(set(listening)) if pair[1] != port]), "--vip names another one")]
        self.left_out = [one for one in self.left_out if one[0]]

    def _unfit(self, pair: tuple[str, int]) -> str:
        """Why a listener is none of RDP; empty if it may be one."""
        ip, port = pair
        bind = self.text.bound(ip, port)
        if ip in _OWN:
            return "it listens on the machine itself only"
        if port == RDP_PORT or (bind is not None and self._speaks_rdp(bind.section)):
            return ""
        if profile := others.profile_of(self.text, bind, pair):
            self.others.setdefault(profile, []).append(pair)
            return others.why(profile)
        if bind is not None and bind.section.find("mode", "http") and not bind.section.all("mode", "tcp"):
            return "it speaks HTTP, and no server is behind it"
        return f"nothing says that it serves RDP: its port is not {RDP_PORT}, and neither are its servers'"

    def _speaks_rdp(self, section: Section) -> bool:
        """Whether the text of a listener, or of the backend it usually sends to, is about RDP."""
        for one in self.text.both(section):
            if one.is_http:
                return False
            for line in one.lines:
                joined = line.text.lower()
                if "rdp_cookie" in joined or "rdp-cookie" in joined or (line.starts("server") and f":{RDP_PORT}" in joined):
                    return True
        return False

    def _vip(self, ip: str, port: int) -> tuple[str, int]:
        """The address that clients use: the listener's own, or a guess where it takes every address."""
        if ip not in _WILD:
            return ip, port
        network = self.assumed.network()
        if ip == "0.0.0.0" and network.version == 6:
            return "192.0.2.10", port
        vip = free_address(network, self.assumed.taken(), 10)
        self.reasons[vip, port] = f"the listener takes every address; another one: --vip ADDRESS:{port}"
        return vip, port


def _several(pairs: list[tuple[str, int]]) -> str:
    """Some listeners, the first few by name."""
    shown = ", ".join(endpoint(*pair) for pair in pairs[:4])
    return shown + (f" and {len(pairs) - 4} more" if len(pairs) > 4 else "")
