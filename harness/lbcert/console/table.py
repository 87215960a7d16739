"""Who is connected where, as lines of text, and their drawing on a terminal."""

from __future__ import annotations

import datetime
import textwrap
from collections import Counter
from collections.abc import Callable
from typing import TextIO

from ..endpoints.control import MockServer
from ..lab import Lab
from ..scenes import papers
from .guests import Guest, Seat, age, clean
from .standing import StandingLab
from .terminal import size

SERVICES_WIDTH = 90
"""characters of a line of services"""
NAMES_SHOWN = 12
"""of users or clients in one line"""
DRAWN_EVERY = 1.0
"""s between two drawings when nothing happens: ages change"""


def about(standing: StandingLab, number: int) -> list[str]:
    """What a lab is and where its machines are."""
    lab, build = standing.lab, standing.discovery.build
    others = [one.id for one in standing.product.deployments if one.id != standing.deployment.id]
    lines = [f"lab {number}: {standing.product.name} {build.version}, {standing.deployment.id} ({standing.product.ref})"]
    if others:
        lines.append(f"  of this product also: {', '.join(f'{standing.product.ref}:{name}' for name in others)}")
    several = len(lab.services) > 1
    rows = [("VIP", lab.vip[0] if several else _endpoint(*lab.vip), f"on host {lab.plan.hosts[1].name}")]
    if several:
        rows += [("", text, "") for text in textwrap.wrap(", ".join(_services(lab)), SERVICES_WIDTH)]
    rows += [(seat.server.name, _where(seat.server, lab), _what(seat)) for seat in standing.seats]
    client = lab.plan.host("client")
    own = ", ".join(text.partition("/")[0] for link in client.links for text in link.addresses)
    rows.append(("client", own, f"and every address of {', '.join(client.prefixes)}"))
    wide = max(21, *(len(where) for _, where, what in rows if what))
    lines += [f"  {name:<{_width(rows)}}  {where:<{wide}}  {what}".rstrip() for name, where, what in rows]
    return lines + _papers(standing)


def _services(lab: Lab) -> list[str]:
    """Each service and its port, with its address where that is another than the VIP's."""
    return [f"{name} {port if address == lab.vip[0] else _endpoint(address, port)}" for name, (address, port) in lab.services.items()]


def _where(server: MockServer, lab: Lab) -> str:
    """Where a mock server listens."""
    vips = set(lab.services.values())
    own = [pair for pair in server.listen if pair not in vips]
    address = own[0][0]
    if len(own) <= 2 or any(pair[0] != address for pair in own):
        text = ", ".join(_endpoint(*pair) for pair in own)
    elif {port for _, port in own} == {port for _, port in vips}:
        text = f"{address}, the same ports"
    else:
        text = f"{address}, ports {', '.join(str(port) for _, port in own)}"
    return text if len(own) == len(server.listen) else f"{text}, and the VIP"


def _what(seat: Seat) -> str:
    what = f"a mock {seat.server.kind.replace('-', ' ')} on host {seat.host}"
    if seat.fallback:
        return f"{what}, for when no other is left"
    return what if seat.server.active else f"{what}, gets no new users while all is well"


def _papers(standing: StandingLab) -> list[str]:
    """How programs in the client host meet certificates."""
    if not standing.papers:
        return []
    name = papers.names(standing.lab)[0]
    lines = [f"  in the host client: curl --cacert {papers.ROOT} https://{name}/"]
    if papers.CLIENT in standing.papers:
        lines.append(f"    with a client's certificate: curl --cert {papers.CLIENT} ...")
    return lines


def state(standing: StandingLab) -> list[str]:
    """A line for each server: its state, how many users or connections it has, and who they are."""
    rows = [(seat.server.name, seat.state, len(seat.users), names(seat)) for seat in standing.seats]
    wide = max(8, *(len(row[1]) for row in rows))
    return [f"  {name:<{_width(rows)}}  {what:<{wide}} {count:>5}  {_some(who)}".rstrip() for name, what, count, who in rows]


def names(seat: Seat) -> list[str]:
    """Users, the first to come first; clients of several ports with these, by name or address."""
    users = sorted(seat.users, key=lambda guest: guest.since)
    if seat.terminal:
        return [f"{clean(one.name or '') or '(no name)'} ({age(one.since)})" for one in users]
    clients: dict[str, list[Guest]] = {}
    for one in users:
        clients.setdefault(one.name or one.address, []).append(one)
    return [f"{client} on {_ports(theirs)} ({age(theirs[0].since)})" for client, theirs in clients.items()]


def _ports(guests: list[Guest]) -> str:
    count = Counter(guest.local for guest in guests)
    return ", ".join(f"{port} ×{many}" if many > 1 else str(port) for port, many in sorted(count.items()))


def _width(rows: list[tuple]) -> int:
    return max(len(row[0]) for row in rows)


def _some(names: list[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f", and {rest} more" if rest > 0 else "")


def _endpoint(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Board:
    """Shows news as lines; on a terminal with the table below them, drawn again in its place."""

    def __init__(self, out: TextIO, now: Callable[[], datetime.datetime] = datetime.datetime.now):
        self._out, self._now = out, now
        self._drawn: list[str] = []
        self._live = out.isatty()

    def show(self, standing: StandingLab) -> None:
        """Bring what is shown up to date."""
        news, standing.news[:] = list(standing.news), []
        table: list[str] = []
        if self._live and not standing.over:
            rows, columns = size(self._out.fileno())
            who = "users" if standing.seats[0].terminal else "connections"
            heading = f"who is connected where, {self._now():%H:%M:%S} (server, state, {who})"
            table = [line[: columns - 1] for line in ["", heading, *state(standing)][: max(3, rows - 1)]]
        if not news and table == self._drawn:
            return
        self.clear()
        for line in news:
            self._out.write(f"{self._now():%H:%M:%S} {line}\n")
        self._drawn = table
        self._out.write("".join(f"{line}\n" for line in table))
        self._out.flush()

    def finish(self, standing: StandingLab) -> None:
        """The last news, without a table."""
        self._live = False
        self.show(standing)

    def clear(self) -> None:
        """Take the table away."""
        if self._drawn:
            self._out.write(f"\x1b[{len(self._drawn)}F\x1b[J")
            self._drawn = []
