"""OCS-IDLE-06: pings and pongs. Times are the kernel's at the client, and the Front End's own where it reports."""

from __future__ import annotations

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import calls
from .ends import SECOND, Ends, call_echoes, held_on

PING, PONG = b"\r\n\r\n", b"\r\n"
"""RFC 5626 3.5.1"""


def pings_are_answered_by_the_front_end(history: History) -> Finding:
    """OCS-IDLE-06: a client's ping reaches its Front End, whose pong, and no other, is at the client within 1 s; a CRLF of the Front
    End's own arrives too.

    Calls `held`. Each sends a ping (`sent`) after the mark `ping`, which its Front End reports (`keepalive`). After the mark `unasked`
    each Front End says CRLF (`pushed`). `heard` is what came at the clients.
    """
    tally = Tally(f"A client's double CRLF arrives at its Front End, and the Front End's CRLF, and no other, at the client within "
                  f"{deadlines.PROMPT:g} s; so does one that the Front End sends unasked.")  # fmt: skip
    ends, echoes = Ends(history), call_echoes(history)
    held = served.some(calls(history, "held"), "held call")
    lost = [call for call in held if not ends.peer(call) or not echoes.get((call["call"], "begin"))]
    if lost:
        reason = f"{len(lost)} of {len(held)} connections carried no data to begin with, which OCS-NET-02 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    marks = {mark["name"]: mark["t"] for mark in history.of("mark")}
    answered: list[float] = []
    unasked: list[float] = []
    for call in held:
        heard = sorted((event["t"], bytes.fromhex(event["bytes"])) for event in history.of("heard", call=call["call"]))
        tally.faults += _answered(history, call, [one for one in heard if one[0] < marks["unasked"]], answered)
        tally.faults += _unasked(history, call, [one for one in heard if one[0] >= marks["unasked"]], unasked)
    observed = f"{len(answered)} of {len(held)} pings were answered by their Front Ends"
    observed += f", the slowest after {max(answered):.3f} s" if answered else ""
    observed += f"; {len(unasked)} of {len(held)} unasked CRLFs arrived" + (f", the slowest after {max(unasked):.3f} s" if unasked else "")
    # Lateness of ours can make a fault, and no pass.
    window = (marks["ping"], marks["over"]) if tally.faults else None
    return tally.finding(observed, Verdict.NON_STRICT, window=window, margin=deadlines.PROMPT)


def _answered(history: History, call: Event, heard: list[tuple[int, bytes]], took: list[float]) -> list[str]:
    """What is wrong with the ping of one client and what came for it."""
    ping = next(history.of("sent", call=call["call"]))
    theirs = [event for event in history.of("keepalive", who=call["server"], conn=call["conn"])]
    got = b"".join(bytes.fromhex(event["bytes"]) for event in theirs)
    came = b"".join(data for _, data in heard)
    if not theirs:
        return [f"{held_on(call)}: its ping never reached the Front End" + (", though a pong came" if came else "")]
    if got != PING:
        return [f"{held_on(call)}: its ping reached the Front End as {got[:16].hex(' ')}"]
    if not came:
        return [f"{held_on(call)}: the pong never arrived"]
    if came != PONG:
        return [f"{held_on(call)}: in place of one pong came {came[:16].hex(' ')}"]
    found = []
    if heard[0][0] < theirs[0]["t"]:
        found.append(f"{held_on(call)}: a pong was there before the Front End had the ping")
    took.append((heard[0][0] - ping["t"]) / SECOND)
    if took[-1] > deadlines.PROMPT:
        found.append(f"{held_on(call)}: the pong came after {took[-1]:.2f} s")
    return found


def _unasked(history: History, call: Event, heard: list[tuple[int, bytes]], took: list[float]) -> list[str]:
    """What is wrong with the CRLF that the Front End sent by itself."""
    pushed = next((event for event in history.of("pushed", who=call["server"], conn=call["conn"])), None)
    if pushed is None or bytes.fromhex(pushed["bytes"]) != PONG:
        raise ValueError(f"{held_on(call)}: its Front End sent nothing by itself")
    came = b"".join(data for _, data in heard)
    if came != PONG:
        return [f"{held_on(call)}: of a CRLF that the Front End sent by itself came {came[:16].hex(' ') or 'nothing'}"]
    took.append((heard[0][0] - pushed["t"]) / SECOND)
    return [f"{held_on(call)}: a CRLF of the Front End came after {took[-1]:.2f} s"] if took[-1] > deadlines.PROMPT else []
