"""RDP-SESS-01a: how long a silent session lives, on the product's own clock.

Where that clock is faster than ours, control listeners of the same process tell by how much: their timeouts are known, and
what they took is in the capture. All times are the kernel's.
"""

from __future__ import annotations

from dataclasses import dataclass

from ... import deadlines
from ...dut import declares
from ...dut_model import IDLE_FLOOR
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .session import Sides, echoes_of, ending

_SECOND = 1_000_000_000
AGREE = 0.01
"""share by which the rates that two control listeners show may differ"""
PLAUSIBLE = 0.1
"""share by which a rate may differ from the nominal one; 4.6 % was seen at ×60"""
LATENESS = 0.1
"""s of real time that a busy machine may put between the ends of two connections; on a faster clock this is much of a second"""
_NEEDED = 0.5
"""of the sessions must stand, or nothing is said about idle ones"""


class NoClock(Exception):
    """The control listeners do not tell how fast the product's clock ran; the message says why."""


@dataclass(frozen=True)
class Clock:
    """How fast the product's clock ran."""

    rate: float
    text: str
    """how that is known, for the report"""

    def seconds(self, begin: int, end: int) -> float:
        """Seconds of the product's clock between two stamps of ours."""
        return (end - begin) / _SECOND * self.rate


def idle_time_is_kept(history: History) -> Finding:
    """RDP-SESS-01a: a session without any byte ends at 95 to 105 % of the declared idle time, and both ends are told.

    Visits `held`, all of which echoed (phase `begin`) before the mark `silence`; at the mark `over` they were looked at, and
    then those that lived echoed again (phase `end`). `pace` says what was waited for; `control` are the control connections.
    """
    pace, declared = history.last("pace"), declares(served.setup(history)["declares"]).idle
    assert pace is not None and declared is not None
    span = pace["span"]
    low, high = (share * span for share in deadlines.IDLE_SHARES)
    tally = Tally(_expected(declared, span, low, high))
    if declared != "none" and declared < IDLE_FLOOR:
        tally.faults.append(f"the declared idle time is {text(declared)}, and users are silent for {text(IDLE_FLOOR)}")
    try:
        clock = clock_of(history, pace)
    except NoClock as reason:
        return Finding(Verdict.HARNESS_ERROR, tally.expected, str(reason), str(reason))
    sides, echoes = Sides(history), echoes_of(history)
    everyone = served.some(served.visits(history, "held"), "held session")
    held = [visit for visit in everyone if sides.peer(visit) and echoes[visit["visit"], "begin"]]
    if len(held) < _NEEDED * len(everyone):
        reason = (f"{len(everyone) - len(held)} of {len(everyone)} sessions carried no data to begin with, which "
                  "RDP-PARSE-02 is about")  # fmt: skip
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    lives = [Life(history, sides, visit, echoes[visit["visit"], "end"], f"{served.name_of(visit)} on {visit['server']}")
             for visit in held]  # fmt: skip
    for life in lives:
        tally.faults += life.faults(clock, None if declared == "none" else (low, high))
    observed = _observed(lives, clock, declared)
    ends = [stamp for life in lives for stamp in life.ends.values()]
    window = (min(ends) - _SECOND, max(ends) + _SECOND) if ends else None
    lasted = [clock.seconds(life.begin, life.first) for life in lives if life.first is not None]
    measured = [{"id": "idle-time", "value": round(sum(lasted) / len(lasted), 3), "unit": "s", "requirement": "RDP-SESS-01a",
                 "error": round(_error(lasted, clock, span), 3)}] if lasted else []  # fmt: skip
    return tally.finding(observed, window=window, margin=(span - low) / clock.rate, silence=True, measurements=tuple(measured))


class Life:
    """One session from its last byte on."""

    def __init__(self, history: History, sides: Sides, visit: Event, echoed: bool, who: str, until: str = "over"):
        """`until`: the mark at which the silence ends; `echoed`: whether the session carried data after it."""
        marks = {event["name"]: event["t"] for event in history.of("mark")}
        self._silence, self.over, self.echoed = marks["silence"], marks[until], echoed
        self.who = who
        flows = {"client": sides.client(visit), "server": sides.server(visit)}
        if None in flows.values() or any("last_data" not in flow for flow in flows.values()):
            raise ValueError(f"the capture does not hold both connections of {self.who}")
        seen = {side: ending(flow, side) for side, flow in flows.items()}
        self.ends = {side: stamp for side, stamp in seen.items() if stamp is not None and stamp <= self.over}
        self.first = min(self.ends.values(), default=None)
        # An echo at the very end is no part of the silence before it.
        quiet = [(flow["last_data"], None) if flow["last_data"] < self.over
                 else (flow["pause_from"], flow["pause_from"] + flow["pause"]) for flow in flows.values()]  # fmt: skip
        self.begin = max(begin for begin, _ in quiet)
        self._broken = [begin for begin, _ in quiet if begin > self._silence]
        self._broken += [end for _, end in quiet if end is not None and end < self.over]

    def disturbed(self, clock: Clock) -> str | None:
        """That the silence was none, if so."""
        if not self._broken:
            return None
        return f"{self.who}: a byte passed {text(clock.seconds(self._silence, min(self._broken)))} into the silence"

    def lasted(self, clock: Clock) -> float:
        """Seconds of the product's clock until one end was told of its end, or that it was seen alive at least."""
        return clock.seconds(self.begin, self.over if self.first is None else self.first)

    def faults(self, clock: Clock, bounds: tuple[float, float] | None) -> list[str]:
        """What was wrong with it; `bounds`: of its length in seconds, None where it must live."""
        if disturbed := self.disturbed(clock):
            return [disturbed]
        if self.first is None:
            silent = text(clock.seconds(self.begin, self.over))
            if not self.echoed:
                return [f"{self.who}: after {silent} of silence the session carried no data any more, and neither end was told"]
            return [f"{self.who}: still open after {silent} of silence"] if bounds else []
        lasted = clock.seconds(self.begin, self.first)
        found = []
        if bounds is None:
            found.append(f"{self.who}: ended after {text(lasted)} of silence")
        elif not bounds[0] <= lasted <= bounds[1]:
            found.append(f"{self.who}: ended after {text(lasted)} of silence, {lasted / bounds[0] * 0.95:.1%} of the idle time")
        for side in ("client", "server"):
            if side not in self.ends:
                found.append(f"{self.who}: ended after {text(lasted)} of silence, but the {side} was never told")
            elif self.ends[side] - self.first > told_within(clock) * _SECOND:
                later = clock.seconds(self.first, self.ends[side])
                found.append(f"{self.who}: the {side} was told {text(later)} after the other end")
        return found


def told_within(clock: Clock) -> float:
    """Seconds of real time in which the second end must be told after the first."""
    return deadlines.CLOSE_WITHIN if clock.rate == 1 else deadlines.CLOSE_WITHIN / clock.rate + LATENESS


def clock_of(history: History, pace: Event) -> Clock:
    """The product's clock, from its control listeners where it is not ours."""
    if pace["how"] != "faster":
        return Clock(1.0, "in real time" if pace["how"] == "real" else "in real time, on the variant with the short timer")
    flows = {(flow["client"], flow["cport"], flow.get("sport")): flow for flow in history.of("flow")
             if flow["link"] == "client:eth0"}  # fmt: skip
    rates = []
    for control in served.some(list(history.of("control")), "control connection"):
        flow = flows.get((control["source"], control["cport"], control["port"]), {})
        end = ending(flow, "client")
        if "synack" not in flow or end is None or "last_data" in flow:
            raise NoClock(f"the capture does not show how long the control listener of {control['seconds']:g} s waited")
        rates.append(control["seconds"] / ((end - flow["synack"]) / _SECOND))
    rate, spread = sum(rates) / len(rates), max(rates) / min(rates) - 1
    shown = " and ".join(f"×{one:.2f}" for one in rates)
    if len(rates) < 2 or spread > AGREE:
        raise NoClock(f"the control listeners do not agree on the product's clock within {AGREE:.0%}: {shown}")
    if abs(rate / pace["rate"] - 1) > PLAUSIBLE:
        raise NoClock(f"the product's clock ran at {shown}, which is not near ×{pace['rate']:g}")
    return Clock(rate, f"on a clock that ran at {shown}, as two control listeners of the product show")


def _expected(declared: float | str, span: float, low: float, high: float) -> str:
    if declared == "none":
        return f"A session without any byte lives on, since `idle: none` is declared; looked at for {text(high)}."
    return (f"A session without any byte lives for {text(span)} ({text(low)} to {text(high)}); then both ends are told "
            f"within {deadlines.CLOSE_WITHIN:g} s of each other. The declared time is at least {text(IDLE_FLOOR)}, or none.")  # fmt: skip


def _observed(lives: list[Life], clock: Clock, declared: float | str) -> str:
    lasted = sorted(clock.seconds(life.begin, life.first) for life in lives if life.first is not None)
    parts = []
    if lasted:
        parts.append(f"{len(lasted)} of {len(lives)} silent sessions ended, after {lasted[0]:,.1f} to {lasted[-1]:,.1f} s")
        gaps = [max(life.ends.values()) - min(life.ends.values()) for life in lives if len(life.ends) == 2]
        if gaps:
            parts.append(f"both ends of {len(gaps)} were told, at most {max(gaps) / _SECOND:.4f} s (real time) apart")
    if alive := [life for life in lives if life.first is None]:
        seen = min(clock.seconds(life.begin, life.over) for life in alive)
        parts.append(f"{len(alive)} of {len(lives)} silent sessions were open after {seen:,.1f} s")
    told = "none" if declared == "none" else text(declared)
    return "; ".join(parts) + f", {clock.text}; declared idle time: {told}"


def _error(lasted: list[float], clock: Clock, span: float) -> float:
    """Of the mean, s: half of what the sessions differ by, and on a faster clock as much as the controls may."""
    return (max(lasted) - min(lasted)) / 2 + (AGREE * span if clock.rate != 1 else 0.001)


def text(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"
    return f"{seconds / 60:.4g} min" if seconds < 7200 else f"{seconds / 3600:.4g} h"
