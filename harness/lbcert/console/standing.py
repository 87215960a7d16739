"""A lab that stays up: its product, who is connected where, and faults by name."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import faults
from ..drivers import DriverError
from ..dut import resolve
from ..dut_model import Deployment, Product
from ..endpoints.control import MockServer
from ..lab import Files, HarnessError, Lab, LabError
from ..session import Run, Session, SetupError
from ..topology.plan import CLIENT_HOST
from ..topology.probe import raise_file_limit
from ..wire import ConnectionRequest, Decoded

RESTORE = "restore"
CHECKS_ARE_SHORT = 1.0
"""s after which a connection without a name is no health check"""
TIDIED_EVERY = 60.0
"""s"""
_NOWHERE = Path("/dev/null")
OPERATIONS = (*faults.FAULTS, RESTORE)


class Refused(Exception):
    """What was asked for is not possible; one clear sentence for the user."""


@dataclass
class Guest:
    """A connection that a real server has."""

    peer: str
    since: float
    """time.time()"""
    user: str | None = None
    """the name in its first packet; empty: it had none; None: no first packet yet"""
    told: bool = False
    """whether its coming was news"""

    @property
    def is_user(self) -> bool:
        """Health checks say nothing, or nothing with a name in it, and leave at once."""
        return bool(self.user) or (self.user is not None and time.time() - self.since > CHECKS_ARE_SHORT)


@dataclass
class Seat:
    """A real server, its fault if it has one, and its guests by connection number."""

    server: MockServer
    host: str
    fault: str | None = None
    guests: dict[int, Guest] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return {"crash": "crashed", "hang": "hung", "refuse": "refuses"}.get(self.fault or "", self.fault or "up")

    @property
    def users(self) -> list[Guest]:
        return [guest for guest in self.guests.values() if guest.is_user]


class StandingLab:
    """One lab for people. `news` collects lines about what happened, for whoever shows them."""

    def __init__(self, product: Product, deployment: Deployment, folder: Path, capture: Path | None = None):
        raise_file_limit()
        run = Run(folder)
        run.create(product, [deployment],
                   {"topology": "netns", "seed": 0, "command": "lbcert lab", "selected": {}, "deselected": {}})  # fmt: skip
        self.product, self.deployment = product, deployment
        self.news: list[str] = []
        self.over: str | None = None
        """why the lab cannot go on"""
        self.output = folder / "output" / "product.log"
        self._exits: dict[int, int] = {}
        self._tidy_at = time.monotonic() + TIDIED_EVERY
        self._session = Session(product, run, "netns", 0, lambda text, deadline: None)
        try:
            self.discovery = self._session.discover(deployment)
            files = Files(_NOWHERE, capture or _NOWHERE, self.output)
            self.lab = Lab(self._session.provider(), self._session.driver(), deployment, self.discovery, files,
                           self._session.lag, seed=0)  # fmt: skip
        except BaseException:
            self._session.close()
            raise
        self._before = self.lab.broker.on_event
        self.lab.broker.on_event = self._on_event
        self.seats = [Seat(server, server.host) for server in self.lab.mocks]

    def close(self) -> None:
        try:
            self.lab.close()
        finally:
            self._session.close()

    @property
    def hosts(self) -> dict[str, str]:
        """What a host may be called -> its name in the lab; the product's own names of servers come first."""
        names = {host.name: host.name for host in self.lab.plan.hosts}
        return {**names, **{seat.server.name: seat.host for seat in self.seats}}

    # -- what happens -----------------------------------------------------------------------------

    def step(self, longest: float) -> None:
        """Handle what happens, for at most `longest` seconds of silence. `over` then says whether that was the end."""
        try:
            self.lab.loop.step(longest)
            if time.monotonic() > self._tidy_at:
                self._forget_lags()
        except LabError as error:
            self.over = str(error)
            return
        self.take_in()
        if self.lab.trouble is not None:
            self.over = str(self.lab.trouble)

    def take_in(self) -> None:
        """Read the new events and forget them: a lab may stand for weeks."""
        events = self.lab.history.events
        fresh, events[1:] = events[1:], []
        for event in fresh:
            seat = next((seat for seat in self.seats if seat.server.name == event["who"]), None)
            if seat is not None:
                self._guest(seat, event)
            elif event["kind"] == "exit":
                self._product_ended(event)
        for seat in self.seats:
            for guest in seat.guests.values():
                self._tell(seat, guest)

    def _forget_lags(self) -> None:
        """Late wake-ups are of interest to checks only; without one they would pile up in every process of the lab."""
        self._tidy_at = time.monotonic() + TIDIED_EVERY
        self._session.lag.take()
        self.lab.broker.request("lag")
        for seat in self.seats:
            if seat.server.running and not seat.server.stopped:
                with contextlib.suppress(OSError):  # it has just died; the broker will say so
                    seat.server.tell("lag")

    def _guest(self, seat: Seat, event: dict[str, Any]) -> None:
        if event["kind"] == "accept":
            host, port = event["peer"]
            seat.guests[event["conn"]] = Guest(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", event["t"] / 1e9)
        elif event["kind"] == "request" and event["conn"] in seat.guests:
            guest = seat.guests[event["conn"]]
            guest.user = name_in(bytes.fromhex(event["bytes"]))
            if guest.user:
                self._tell(seat, guest)
        elif event["kind"] == "close":
            guest = seat.guests.pop(event["conn"], None)
            if guest is not None and guest.told:
                self.news.append(f"{seat.server.name}: {called(guest)} left ({event['how']})")

    def _tell(self, seat: Seat, guest: Guest) -> None:
        if guest.is_user and not guest.told:
            guest.told = True
            self.news.append(f"{seat.server.name}: {called(guest)} connected, from {guest.peer}")

    def _product_ended(self, event: dict[str, Any]) -> None:
        """A daemon's parent ends with 0 and means nothing by it."""
        status = event["status"]
        if event["process"] in ("product", "balancer") and status:
            said = self.output.read_text(errors="replace").strip().splitlines()[-1:]
            self.news.append(f"the product ended with {'signal' if status < 0 else 'status'} {abs(status)}: {' '.join(said)}")

    # -- what is asked for ------------------------------------------------------------------------

    def disturb(self, name: str, operation: str) -> str:
        """Do a fault to a server, or undo it; returns what was done, raises Refused."""
        seat = self._seat(name)
        if operation not in OPERATIONS:
            raise Refused(f"{operation!r} is no fault; known: {', '.join(OPERATIONS)}")
        shown = seat.server.name
        try:
            if operation == RESTORE:
                if seat.fault is None:
                    raise Refused(f"{shown} has no fault")
                faults.restore(self.lab, seat.server, seat.fault)
                done = f"{shown}: restored ({seat.fault})"
                seat.fault = None
            else:
                if seat.fault is not None:
                    raise Refused(f"{shown} {seat.state if seat.fault == 'refuse' else 'is ' + seat.state} already; "
                                  f"first: lbcert fault {name} {RESTORE}")  # fmt: skip
                faults.FAULTS[operation](self.lab, seat.server)
                seat.fault = operation
                if operation == "crash":
                    seat.guests.clear()
                done = f"{shown}: {operation}"
        except (HarnessError, LabError) as error:
            raise Refused(f"{shown}, {operation}: {error}") from None
        self.news.append(done)
        return done

    def _seat(self, name: str) -> Seat:
        host = self.hosts.get(name)
        seat = next((seat for seat in self.seats if seat.host == host), None)
        if seat is None:
            known = ", ".join(one.server.name for one in self.seats)
            raise Refused(f"{name!r} is no real server of this lab; it has: {known}")
        return seat

    # -- programs ---------------------------------------------------------------------------------

    def start(self, host: str, argv: list[str], env: dict[str, str], terminal: list[int] | None,
              streams: list[int] = ()) -> tuple[int, int | None]:  # fmt: skip
        """Start a program in a host; returns its process id in the lab and, with a terminal, our end of it."""
        if host not in self.hosts:
            raise Refused(f"no host {host!r} in this lab; it has: {', '.join(self.hosts)}")
        try:
            reply, fds = self.lab.broker.request_fds("program", list(streams), host=self.hosts[host], argv=argv, env=env,
                                                     terminal=terminal)  # fmt: skip
        except LabError as error:
            raise Refused(str(error)) from None
        return reply["pid"], fds[0] if fds else None

    def ended(self, pid: int) -> int | None:
        """The exit status of a program, as a shell has it; None while it runs. It is told once."""
        status = self._exits.pop(pid, None)
        return status if status is None or status >= 0 else 128 - status

    def signal(self, pid: int, number: int) -> None:
        """Signal a program's process group; one that has ended is left alone."""
        try:
            self.lab.broker.request("signal", pid=pid, number=number, group=True)
        except LabError:
            pass

    def hang_up(self, pid: int) -> None:
        self.signal(pid, int(signal.SIGHUP))

    def _on_event(self, event: dict[str, Any]) -> None:
        if event["event"] == "exit" and event["name"] == "program":
            self._exits[event["pid"]] = event["status"]
        else:
            self._before(event)


def make(reference: str, folder: Path, capture: Path | None = None) -> StandingLab:
    """The lab of a `--dut` reference; raises ReportError or SetupError with one clear message."""
    product = resolve(reference)
    try:
        return StandingLab(product, product.deployments[0], folder, capture)
    except (DriverError, LabError, HarnessError) as error:
        raise SetupError(str(error)) from None


def name_in(request: bytes) -> str:
    """The user's name in a first packet; empty where there is none."""
    outcome = ConnectionRequest.decode(request)
    cookie = outcome.value.cookie if isinstance(outcome, Decoded) else None
    return cookie.decode("latin-1") if cookie else ""


def called(guest: Guest) -> str:
    """A guest's name, safe for a terminal: it is whatever a client sent."""
    return "".join(char if char.isprintable() else "?" for char in guest.user or "") or "(no name)"


def age(since: float) -> str:
    """How long ago: 5 s, 3 min, 2 h."""
    seconds = max(0.0, time.time() - since)
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


__all__ = ["CLIENT_HOST", "OPERATIONS", "Refused", "StandingLab", "make"]
