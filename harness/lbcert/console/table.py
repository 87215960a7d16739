"""Who is connected where, as lines of text, and their drawing on a terminal."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TextIO

from .standing import StandingLab, age, called
from .terminal import size

NAMES_SHOWN = 12
"""of users or clients in one line"""
DRAWN_EVERY = 1.0
"""s between two drawings when nothing happens: ages change"""


def about(standing: StandingLab, number: int) -> list[str]:
    """What a lab is and where its machines are."""
    lab, build = standing.lab, standing.discovery.build
    vip = _endpoint(*lab.vip)
    others = [one.id for one in standing.product.deployments if one.id != standing.deployment.id]
    lines = [f"lab {number}: {standing.product.name} {build.version}, {standing.deployment.id} ({standing.product.ref})"]
    if others:
        lines.append(f"  of this product also: {', '.join(f'{standing.product.ref}:{name}' for name in others)}")
    rows = [("VIP", vip, f"on host {lab.plan.hosts[1].name}")]
    for seat in standing.seats:
        what = "" if seat.server.active else ", gets no new users while all is well"
        rows.append((seat.server.name, ", ".join(_endpoint(*pair) for pair in seat.server.listen),
                     f"a mock terminal server on host {seat.host}{what}"))  # fmt: skip
    client = lab.plan.host("client")
    own = ", ".join(text.partition("/")[0] for link in client.links for text in link.addresses)
    rows.append(("client", own, f"and every address of {', '.join(client.prefixes)}"))
    lines += [f"  {name:<{_width(rows)}}  {where:<21}  {what}" for name, where, what in rows]
    return lines


def state(standing: StandingLab) -> list[str]:
    """A line for each real server: its state, how many users it has, and who they are."""
    rows = []
    for seat in standing.seats:
        users = sorted(seat.users, key=lambda guest: guest.since)
        rows.append((seat.server.name, seat.state, len(users), [f"{called(one)} ({age(one.since)})" for one in users]))
    return [f"  {name:<{_width(rows)}}  {what:<8} {count:>5}  {_some(who)}".rstrip() for name, what, count, who in rows]


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
            heading = f"who is connected where, {self._now():%H:%M:%S} (server, state, users)"
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
