"""OCS-NET-06, -09: outgoing ports that run out, and a load balancer that is full."""

from __future__ import annotations

from ...deadlines import CONFIRM_WITHIN
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served

_PART = 0.5
"""of the clients beyond a limit that may be served: a product counts in steps, or serves one whose neighbour has left"""


def ports_run_out_gracefully(history: History, ports: int, addresses: int) -> Finding:
    """OCS-NET-06: `ports` outgoing ports on each of `addresses`: as many sessions live, and those beyond are told at once.

    Calls: `filling` (held) until some were turned away, and `newcomer`, as many as have left by then.
    """
    wanted = ports * addresses
    tally = Tally(f"At least {wanted} sessions live on {addresses} address(es) with {ports} ports each; clients beyond the limit "
                  f"are told within {CONFIRM_WITHIN:g} s, and nobody else is harmed.")  # fmt: skip
    answers, waits, known = called.Answers(history), served.Waits(history), served.servers(history)
    filling = served.some(called.calls(history, "filling"), "call")
    live = [call for call in filling if answers.server(call) in known]
    beyond = [call for call in filling if call not in live]
    sources = sorted({accept["peer"][0] for call in live if (accept := answers.accept(call))})
    worst = 0.0
    for call in beyond:
        took = waits.until(call, call["t"])
        worst = max(worst, took)
        if call["outcome"] in ("answered", "timeout") and answers.server(call) is None:
            tally.faults.append(f"client {call['client']}: {called.outcome_text(call)}")
        elif took > CONFIRM_WITHIN:
            tally.faults.append(f"client {call['client']} was told only after {took:.1f} s ({call['outcome']})")
    _harmed(history, tally)
    newcomers = called.calls(history, "newcomer")
    late = [call for call in newcomers if answers.server(call) not in known]
    if late:
        tally.faults.append(f"{len(late)} of {len(newcomers)} clients that came when as many had left were not served: "
                            f"{answers.server(late[0]) or called.outcome_text(late[0])}")  # fmt: skip
    observed = (f"{len(live)} sessions lived, from {', '.join(sources) or 'nowhere'}; {len(beyond)} clients beyond were turned away "
                f"after {worst:.2f} s at most; {len(newcomers) - len(late)} of {len(newcomers)} came in later")  # fmt: skip
    measured = {"id": f"sessions-on-{addresses}-addresses", "value": len(live), "unit": "sessions", "error": 0.0,
                "requirement": "OCS-NET-06"}  # fmt: skip
    if len(live) < wanted:
        tally.faults.insert(0, f"only {len(live)} sessions live, not {wanted}")
    elif len(sources) < addresses:
        tally.faults.insert(0, f"the Front Ends see {len(sources)} address(es) of the product, not {addresses}")
    if not tally.faults and not beyond:
        reason = f"the variant's limit of {ports} outgoing ports is not in force: all {len(live)} clients were served"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    if not tally.faults and not newcomers:
        raise ValueError("nobody came after clients had left")
    return tally.finding(observed, measurements=(measured,))


def fullness_is_graceful(history: History, limit: int) -> Finding:
    """OCS-NET-09: `limit` held connections live on while more come, and those wait or are turned away.

    Calls: `held`, `beyond` (come when it is full), `newcomer` (comes when room was made, mark `room`).
    """
    tally = Tally(f"{limit} connections live on while more come; those are turned away, or served once there is room.")
    answers = called.Answers(history)
    held = served.some(called.calls(history, "held"), "held connection")
    beyond = served.some(called.calls(history, "beyond"), "call beyond the limit")
    room = next(event["t"] for event in history.of("mark", name="room"))
    for call in held:
        if answers.server(call) is None:
            tally.faults.append(f"client {call['client']}, one of the first {limit}: {called.outcome_text(call)}")
    _harmed(history, tally)
    early = [call for call in beyond if answers.server(call) and call["answered"] < room]
    later = [call for call in beyond if answers.server(call) and call["answered"] >= room]
    for call in beyond:
        if call["outcome"] in ("timeout", "answered") and answers.server(call) is None:
            tally.faults.append(f"client {call['client']}, who had to wait: {called.outcome_text(call)} although there was room")
    newcomers = served.some(called.calls(history, "newcomer"), "newcomer")
    for call in newcomers:
        if answers.server(call) is None:
            tally.faults.append(f"client {call['client']}, who came when there was room again: {called.outcome_text(call)}")
    observed = (f"of {len(beyond)} clients beyond {limit}, {len(early)} were served at once, {len(later)} when there was room, "
                f"{len(beyond) - len(early) - len(later)} turned away")  # fmt: skip
    if not tally.faults and len(early) > _PART * len(beyond):
        reason = f"the variant's limit of {limit} connections is not in force: {len(early)} more were served at once"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    return tally.finding(observed)


def _harmed(history: History, tally: Tally) -> None:
    """Held connections that were closed, or that did not answer when they were asked."""
    cut: list[Event] = [end for end in history.of("call-end") if end["how"] != "left"]
    if cut:
        tally.faults.append(f"{len(cut)} live connections were closed ({cut[0]['how']})")
    echoes = list(served.some(list(history.of("echo")), "echo"))
    if silent := sum(1 for echo in echoes if not echo["ok"]):
        tally.faults.append(f"{silent} of {len(echoes)} live connections did not answer while clients were turned away")
