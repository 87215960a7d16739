"""OCS-IDLE-01, -02, -05 and -07: silent connections, on the product's own clock (`idle`). All times are the kernel's.

Connections are held on the SIP ports and answer once (phase `begin`). From the mark `silence` on nobody says anything. At the
mark `late`, when 95 % of the idle time are over, the calls `silent` ask once more (phase `end`), and to the calls `notified` their
Front Ends say something unasked. The calls `left` stay silent until the mark `over`, at 105 %, and then ask (phase `end`) if they can.

All that a connection is held to is in the capture: lateness of ours can make a fault, and no pass.
"""

from __future__ import annotations

from collections import Counter

from ... import deadlines
from ...dut import declares
from ...dut_model import POOL_IDLE_FLOOR
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import calls
from .ends import SECOND, Ends, call_echoes, ending, held_on
from .idle import Clock, Life, NoClock, clock_of, text, told_within

SIP_SERVICES = ("sip", "sip-tls")
_NEEDED = 0.5
"""of the connections must stand, or nothing is said about idle ones"""


class _Story:
    """What the three rows share: connections of one label that stood, and the product's clock."""

    def __init__(self, history: History, label: str, until: str):
        pace = history.last("pace")
        assert pace is not None
        self.pace, self.span = pace, pace["span"]
        self.declared = declares(served.setup(history)["declares"]).idle
        self._ends, echoes = Ends(history), call_echoes(history)
        self.everyone = served.some(calls(history, label), f"call {label}")
        self.calls = [call for call in self.everyone if self._ends.peer(call) and echoes.get((call["call"], "begin"))]
        self.lives = {call["call"]: Life(history, self._ends, call, echoes.get((call["call"], "end"), False), held_on(call), until)
                      for call in self.calls}  # fmt: skip
        self.clock: Clock = clock_of(history, pace)

    @property
    def unfit(self) -> str | None:
        """Why these connections cannot be judged: too few stood, or none on one of the ports."""
        if len(self.calls) < _NEEDED * len(self.everyone):
            return (f"{len(self.everyone) - len(self.calls)} of {len(self.everyone)} connections carried no data to begin with, which "
                    "OCS-NET-02 is about")  # fmt: skip
        stood = {call["service"] for call in self.calls}
        if lost := sorted({call["service"] for call in self.everyone} - stood):
            return f"no connection on {', '.join(lost)} carried data to begin with, which OCS-NET-02 is about"
        return None

    def ended(self, call: Event) -> int | None:
        """When one end of a connection was first told of its end, be it after its silence."""
        stamps = (ending(self._ends.client(call), "client"), ending(self._ends.server(call), "server"))
        return min((stamp for stamp in stamps if stamp is not None), default=None)

    def by_service(self, chosen: list[Event]) -> str:
        """How many of the chosen calls there are on each port, in words."""
        count, everyone = Counter(call["service"] for call in chosen), Counter(call["service"] for call in self.calls)
        return " and ".join(f"{count[service]} of {number} on {service}" for service, number in everyone.items())


def _story(history: History, tally: Tally, label: str, mark: str) -> _Story | Finding:
    """What the history tells of these calls; a finding where it cannot be judged."""
    try:
        story = _Story(history, label, mark)
    except NoClock as reason:
        return Finding(Verdict.HARNESS_ERROR, tally.expected, str(reason), str(reason))
    if reason := story.unfit:
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    return story


def silent_connection_lives(history: History) -> Finding:
    """OCS-IDLE-01: a silent connection is alive at 95 % of the declared idle time, which is half an hour at least."""
    floor = text(POOL_IDLE_FLOOR)
    tally = Tally("Connections without any byte, on every port, are alive at 95 % of the declared idle time, which is "
                  f"{floor} or more.")  # fmt: skip
    story = _story(history, tally, "silent", "late")
    if isinstance(story, Finding):
        return story
    if story.declared != "none" and story.declared < POOL_IDLE_FLOOR:
        tally.faults.append(f"the declared idle time is {text(story.declared)}, less than {floor}")
    low = deadlines.IDLE_SHARES[0] * story.span
    good: list[Event] = []
    for call in story.calls:
        life = story.lives[call["call"]]
        if fault := _short(life, story.clock, low):
            tally.faults.append(fault)
        else:
            good.append(call)
    shortest = min(life.lasted(story.clock) for life in story.lives.values())
    observed = (f"alive: {story.by_service(good)}, each after {shortest:,.1f} s of silence or more, {story.clock.text}; declared "
                f"idle time: {_declared(story.declared)}")  # fmt: skip
    ends = [life.first for life in story.lives.values() if life.first is not None]
    return tally.finding(observed, silence=True, margin=(story.span - low) / story.clock.rate,
                         window=(min(ends) - SECOND, max(ends) + SECOND) if ends else None)  # fmt: skip


def _short(life: Life, clock: Clock, low: float) -> str | None:
    """What was wrong with a connection that should have lived for `low` seconds of the product's clock."""
    if disturbed := life.disturbed(clock):
        return disturbed
    if life.first is None:
        return None if life.echoed else f"{life.who}: after {text(life.lasted(clock))} of silence it carried no data any more"
    lasted = life.lasted(clock)
    return f"{life.who}: ended after {text(lasted)} of silence" if lasted < low else None


def idle_time_exceeds_refresh(history: History) -> Finding:
    """OCS-IDLE-02: the idle time is longer than the pauses that the Front End allows its clients.

    Each answer to a log-on names two: after how long the client must register again (`expires`) and within which time it must say
    something to keep its connection (`keep_alive`), s. A connection must live for longer than the smaller one, by what was seen on it.
    """
    tally = Tally("A silent connection lives longer than the smaller of the registration's lifetime and the keep-alive time that the "
                  "Front End names.")  # fmt: skip
    story = _story(history, tally, "silent", "late")
    if isinstance(story, Finding):
        return story
    lived = min(life.lasted(story.clock) for life in story.lives.values() if life.first is not None or life.echoed)
    if story.pace["how"] == "variant":
        # The variant has another idle time; what it shows is that the declared one is kept.
        lived *= (POOL_IDLE_FLOOR if story.declared == "none" else story.declared) / story.span
    named = {(call["expires"], call["keep_alive"]) for call in story.calls}
    for pair in sorted(named):
        if lived <= min(pair):
            tally.faults.append(f"silent connections lived for {text(lived)}, and clients may be silent for {text(min(pair))}")
    numbers = "; ".join(f"registrations live for {expires:g} s, keep-alive time {alive:g} s" for expires, alive in sorted(named))
    observed = f"{numbers}; silent connections lived for {lived:,.1f} s or more, {story.clock.text}; declared: {_declared(story.declared)}"
    return tally.finding(observed, silence=True)


def both_ends_are_told(history: History) -> Finding:
    """OCS-IDLE-05: when the idle time of a silent connection is over, both ends see a FIN or RST, 1 s apart at most."""
    tally = Tally(f"When a silent connection ends, both ends are told within {deadlines.CLOSE_WITHIN:g} s of each other, and that is so "
                  "by 105 % of the declared idle time.")  # fmt: skip
    story = _story(history, tally, "left", "over")
    if isinstance(story, Finding):
        return story
    lives = list(story.lives.values())
    ended = [life for life in lives if life.first is not None]
    if story.declared == "none" and not ended and all(life.echoed for life in lives):
        watched = text(lives[0].lasted(story.clock))
        reason = f"declares that silent connections never end (idle: none), and none of {len(lives)} did in {watched}"
        return Finding(Verdict.UNSUPPORTED, tally.expected, reason, reason)
    for life in lives:
        if disturbed := life.disturbed(story.clock):
            tally.faults.append(disturbed)
        elif life.first is None:
            silent = text(life.lasted(story.clock))
            tally.faults.append(f"{life.who}: still open after {silent} of silence" if life.echoed else
                                f"{life.who}: after {silent} of silence it carried no data any more, and neither end was told")  # fmt: skip
        else:
            tally.faults += _untold(life, story.clock)
    gaps = [max(life.ends.values()) - min(life.ends.values()) for life in ended if len(life.ends) == 2]
    observed = f"{len(ended)} of {len(lives)} silent connections ended"
    if ended:
        lasted = sorted(life.lasted(story.clock) for life in ended)
        observed += f", after {lasted[0]:,.1f} to {lasted[-1]:,.1f} s, {story.clock.text}"
    observed += f"; both ends of {len(gaps)} were told" + (f", at most {max(gaps) / SECOND:.4f} s (real time) apart" if gaps else "")
    stamps = [stamp for life in ended for stamp in life.ends.values()]
    return tally.finding(observed, Verdict.NON_STRICT, silence=True, margin=told_within(story.clock),
                         window=(min(stamps) - SECOND, max(stamps) + SECOND) if stamps and tally.faults else None)  # fmt: skip


def _untold(life: Life, clock: Clock) -> list[str]:
    """Which end of a connection was not told of its end, or late."""
    found = []
    for side, who in (("client", "client"), ("server", "Front End")):
        if side not in life.ends:
            found.append(f"{life.who}: ended after {text(life.lasted(clock))} of silence, but the {who} was never told")
        elif life.ends[side] - life.first > told_within(clock) * SECOND:
            found.append(f"{life.who}: the {who} was told {text(clock.seconds(life.first, life.ends[side]))} after the other end")
    return found


def front_end_reaches_silent_client(history: History) -> Finding:
    """OCS-IDLE-07: what a Front End says unasked at 95 % of the idle time arrives on that connection.

    `pushed` is what the Front End sent, `heard` what the client got: the same bytes on the same connection.
    """
    tally = Tally("A NOTIFY that a Front End sends on a client's connection at 95 % of the idle time arrives there, unchanged, within "
                  f"{deadlines.PROMPT:g} s.")  # fmt: skip
    story = _story(history, tally, "notified", "late")
    if isinstance(story, Finding):
        return story
    low = deadlines.IDLE_SHARES[0] * story.span
    late = next(history.of("mark", name="late"))["t"]
    heard = {(event["call"], event["bytes"]): event["t"] for event in history.of("heard")}
    sent = {(event["who"], event["conn"]): event for event in history.of("pushed") if event["t"] >= late}
    gone: list[tuple[float, str]] = []
    took: list[float] = []
    pushed = []
    for call in story.calls:
        life, push, ended = story.lives[call["call"]], sent.get((call["server"], call["conn"])), story.ended(call)
        if push is None or not push["bytes"]:
            if ended is None:
                raise ValueError(f"the Front End of {life.who} sent nothing")
            lasted = story.clock.seconds(life.begin, ended)
            gone.append((lasted, f"{life.who}: ended after {text(lasted)} of silence, before its Front End said anything"))
            continue
        pushed.append(call)
        at = heard.get((call["call"], push["bytes"]))
        if at is None:
            silent = text(story.clock.seconds(life.begin, push["t"]))
            tally.faults.append(f"{life.who}: the NOTIFY after {silent} of silence never arrived")
        else:
            took.append((at - push["t"]) / SECOND)
            if took[-1] > deadlines.PROMPT:
                tally.faults.append(f"{life.who}: the NOTIFY arrived after {took[-1]:.2f} s")
    if gone and not tally.faults:
        lasted, reason = min(gone)
        if lasted < low:
            reason += ", which OCS-IDLE-01 is about"
            return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
        return Finding(Verdict.HARNESS_ERROR, tally.expected, reason, f"machine too slow: {reason}")
    observed = f"the NOTIFY arrived: {len(took)} of {len(pushed)} ({story.by_service(pushed)}), {story.clock.text}"
    observed += f", the slowest after {max(took):.3f} s" if took else ""
    return tally.finding(observed, silence=True, window=(late, late + 2 * SECOND) if tally.faults else None, margin=deadlines.PROMPT)


def _declared(value: float | str | None) -> str:
    return value if isinstance(value, str) else "not given" if value is None else text(value)
