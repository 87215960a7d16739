"""OCS-IDLE-06: a Front End's ping and the client's pong. Times are kernel stamps and the Front End's own clock."""

from __future__ import annotations

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import calls
from .ends import SECOND, Ends, call_echoes, held_on

PING, PONG = b"\r\n", b"\r\n"
"""RFC 5626 3.5.1 and 4.4.1, in the direction that OCS uses"""


def ping_is_answered_by_the_client(history: History) -> Finding:
    """OCS-IDLE-06: a Front End's CRLF reaches the client, whose own answer is back within 1 s.

    Calls: `answers`, clients that answer a ping, and `deaf`, clients that do not: a pong for one of these is the balancer's.
    `pushed` is the ping, `heard` what a client got, `pong` what came back to the Front End.
    """
    tally = Tally(f"A Front End's CRLF arrives at the client, and the client's own CRLF is back within {deadlines.PROMPT:g} s; for a client "
                  "that says nothing none comes.")  # fmt: skip
    ends, echoes = Ends(history), call_echoes(history)
    everyone = [call for label in ("answers", "deaf") for call in served.some(calls(history, label), f"call {label}")]
    lost = [call for call in everyone if not ends.peer(call) or not echoes.get((call["call"], "begin"))]
    if lost:
        reason = f"{len(lost)} of {len(everyone)} connections carried no data to begin with, which OCS-NET-02 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    took: list[float] = []
    first, last = min(event["t"] for event in history.of("pushed")), next(history.of("mark", name="over"))["t"]
    for call in everyone:
        ping = next((event for event in history.of("pushed") if (event["who"], event["conn"]) == (call["server"], call["conn"])), None)
        if ping is None or bytes.fromhex(ping["bytes"]) != PING:
            raise ValueError(f"{held_on(call)}: its Front End sent no ping")
        heard = [event for event in history.of("heard", call=call["call"]) if event["t"] >= ping["t"]]
        pongs = [event for event in history.of("pong", who=call["server"], conn=call["conn"]) if event["t"] >= ping["t"]]
        if not heard:
            tally.faults.append(f"{held_on(call)}: the ping never arrived")
        elif bytes.fromhex(heard[0]["bytes"]) != PING:
            tally.faults.append(f"{held_on(call)}: the ping arrived as {heard[0]['bytes']}")
        tally.faults += _pong(call, ping, heard, pongs, took)
    observed = f"{len(took)} of {len(calls(history, 'answers'))} pings were answered by their clients"
    observed += f", the slowest after {max(took):.3f} s" if took else ""
    observed += f"; {sum(1 for _ in history.of('pong')) - len(took)} other answers to {len(calls(history, 'deaf'))} clients that say nothing"
    return tally.finding(observed, Verdict.NON_STRICT, window=(first, last), margin=deadlines.PROMPT)


def _pong(call: Event, ping: Event, heard: list[Event], pongs: list[Event], took: list[float]) -> list[str]:
    """What is wrong with the answers that the Front End got to one ping."""
    if call["label"] == "deaf":
        return [f"{held_on(call)}: a pong came, though the client said nothing"] if pongs else []
    if not pongs:
        return [f"{held_on(call)}: no pong came back"]
    found = []
    if bytes.fromhex(pongs[0]["bytes"]) != PONG or len(pongs) > 1:
        found.append(f"{held_on(call)}: {len(pongs)} answers, the first {pongs[0]['bytes']}")
    if heard and pongs[0]["t"] < heard[0]["t"]:
        found.append(f"{held_on(call)}: the pong was there before the client had the ping")
    took.append((pongs[0]["t"] - ping["t"]) / SECOND)
    if took[-1] > deadlines.PROMPT:
        found.append(f"{held_on(call)}: the pong was back after {took[-1]:.2f} s")
    return found
