"""Where the text of a pool's configuration has a page of statistics, and with what that opens.

Source: HAProxy configuration manual 4.2, `stats ...`: each of these lines enables the page in a section with `mode http`, and a
section that has one of its own inherits none of `defaults`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

from ..addresses import endpoint
from ..steps.pages import PATHS
from .reader import WILD, Bind, Line, Text

DEFAULT_URI = "/haproxy?stats"
_KEY = "declares.administration"


@dataclass(frozen=True)
class _Page:
    bind: Bind
    port: int
    lines: list[Line]
    """the lines `stats ...` that make it"""

    def setting(self, word: str) -> str | None:
        return next((line.words[2] for line in self.lines if line.starts("stats", word) and len(line.words) > 2), None)


def page(text: Text, vip: str, pool: Collection[int]) -> tuple[dict[str, str], list[str]]:
    """What dut.yaml is to declare of the page that clients of `vip` reach, and what it is to hold beyond that, a sentence for each.

    A page at another address is not the VIP's. `pool`: ports of the pool, which need no declaration.
    """
    pages = [one for one in _pages(text) if one.port not in pool]
    at_vip = [one for one in pages if one.bind.host in WILD or one.bind.host == vip]
    said = [f"{_KEY}, if clients reach it: {one.bind.line.place}, a page of statistics at {endpoint(one.bind.host, one.port)}, which is not the VIP"
            for one in pages if one not in at_vip and not _own(one.bind.host)]  # fmt: skip
    if not at_vip:
        return {}, said
    first, *more = sorted(at_vip, key=lambda one: ("ssl" in one.bind.line.words, one.setting("auth") is None))
    said += [f"{_KEY} for a second page: {one.bind.line.place}, port {one.port}; one can be declared, and OCS-ADMIN-03 fails for the other"
             for one in more if one.port != first.port]  # fmt: skip
    if vip in WILD:
        return {}, [f"{_KEY}.statistics: {first.bind.line.place}, a page of statistics at port {first.port} of the VIP", *said]
    found = {"statistics": endpoint(vip, first.port)}
    user, colon, password = (first.setting("auth") or "").partition(":")
    uri = first.setting("uri") or DEFAULT_URI
    if "ssl" in first.bind.line.words:
        said.append(f"whom the page of statistics opens to: {first.bind.line.place}, it is in TLS, and OCS-ADMIN-01 asks without")
    elif not any(path.startswith(uri) for path in PATHS):
        said.append(f"whom the page of statistics opens to: it is at {uri}, and OCS-ADMIN-01 asks at {', '.join(PATHS)} only")
    elif not colon:
        said.append(f"{_KEY}.user and .password, if the page asks for some: {first.lines[0].place}, there is no `stats auth`")
    else:
        found |= {"user": user, "password": password}
    return found, said


def _pages(text: Text) -> list[_Page]:
    found = []
    for bind in text.binds():
        if bind.section.is_http:
            for section in text.both(bind.section):
                lines = section.all("stats") or (section.defaults.all("stats") if section.defaults else [])
                if lines:
                    found += [_Page(bind, port, lines) for port in bind.ports]
                    break
    return found


def _own(host: str) -> bool:
    """Whether only the machine itself comes to this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
