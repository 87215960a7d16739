"""A lab that stays up: its product, who is connected where, and faults by name."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import faults
from ..drivers import DriverError
from ..dut import resolve
from ..dut_model import Deployment, Product
from ..lab import Files, HarnessError, Lab, LabError
from ..scenes.papers import hand_out
from ..run.session import Run, Session, SetupError
from ..topology.plan import CLIENT_HOST
from ..topology.probe import raise_file_limit
from .guests import Seat

RESTORE = "restore"
TIDIED_EVERY = 60.0
"""s"""
_NOWHERE = Path("/dev/null")
OPERATIONS = (*faults.FAULTS, RESTORE)


class Refused(Exception):
    """What was asked for is not possible; one clear sentence for the user."""


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
        self.seats = [Seat(server, server.host) for server in [*self.lab.mocks, *self.lab.fallbacks]]
        self.papers = tuple(hand_out(self.lab))
        """files of the client host that programs need for TLS"""
        # What happened while it was made is no news: a question to the kernel or the product may well be answered with no.
        del self.lab.history.events[1:]

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
                self.news += seat.take(event)
            elif event["kind"] == "exit":
                self._product_ended(event)
        for seat in self.seats:
            self.news += seat.greet_all()

    def _forget_lags(self) -> None:
        """Late wake-ups are of interest to checks only; without one they would pile up in every process of the lab."""
        self._tidy_at = time.monotonic() + TIDIED_EVERY
        self._session.lag.take()
        self.lab.broker.request("lag")
        for seat in self.seats:
            if seat.server.running and not seat.server.stopped:
                with contextlib.suppress(OSError):  # it has just died; the broker will say so
                    seat.server.tell("lag")

    def _product_ended(self, event: dict[str, Any]) -> None:
        """A daemon's parent ends with 0 and means nothing by it."""
        status = event["status"]
        if event["process"] in ("product", "balancer") and status:
            said = self.output.read_text(errors="replace").strip().splitlines()[-1:]
            self.news.append(f"the product ended with {'signal' if status < 0 else 'status'} {abs(status)}: {' '.join(said)}")

    # -- what is asked for ------------------------------------------------------------------------

    def disturb(self, name: str, operation: str, ports: Sequence[int] = ()) -> str:
        """Do a fault to a server (`refuse`: to some of its ports, if any are named), or undo it.

        Returns what was done, raises Refused.
        """
        seat = self._seat(name)
        if operation not in OPERATIONS:
            raise Refused(f"{operation!r} is no fault; known: {', '.join(OPERATIONS)}")
        shown = seat.server.name
        self._sensible(seat, operation, ports)
        try:
            if operation == RESTORE:
                if seat.fault is None:
                    raise Refused(f"{shown} has no fault")
                faults.restore(self.lab, seat.server, seat.fault)
                done = f"{shown}: restored ({seat.fault})"
                seat.fault, seat.ports = None, ()
            else:
                if seat.fault is not None:
                    raise Refused(f"{shown} {seat.state if seat.fault == 'refuse' else 'is ' + seat.state} already; "
                                  f"first: lbcert fault {name} {RESTORE}")  # fmt: skip
                if ports:
                    faults.refuse(self.lab, seat.server, ports)
                else:
                    faults.FAULTS[operation](self.lab, seat.server)
                seat.fault, seat.ports = operation, tuple(ports)
                if operation == "crash":
                    seat.guests.clear()
                done = " ".join([f"{shown}: {operation}", *map(str, ports)])
        except (HarnessError, LabError) as error:
            raise Refused(f"{shown}, {operation}: {error}") from None
        self.news.append(done)
        return done

    def _sensible(self, seat: Seat, operation: str, ports: Sequence[int]) -> None:
        if seat.fallback and operation == "dark":
            raise Refused(f"{seat.server.name} runs on the balancer itself, which would be dark with it")
        if ports and operation != "refuse":
            raise Refused(f"ports are for refuse, which closes these and no others; {operation} is for the whole server")
        have = [port for _, port in seat.server.listen]
        if strange := [str(port) for port in ports if port not in have]:
            raise Refused(f"{seat.server.name} does not listen on {', '.join(strange)}; "
                          f"it has: {', '.join(map(str, sorted(set(have))))}")  # fmt: skip

    def _seat(self, name: str) -> Seat:
        for seat in self.seats:
            # The host of a fallback is the balancer, which is no real server.
            if name == seat.server.name or (name == seat.host and not seat.fallback):
                return seat
        known = ", ".join(one.server.name for one in self.seats)
        raise Refused(f"{name!r} is no real server of this lab; it has: {known}")

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


__all__ = ["CLIENT_HOST", "OPERATIONS", "Refused", "StandingLab", "make"]
