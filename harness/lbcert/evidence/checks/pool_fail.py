"""OCS-FAIL-01 to -03: a dead SIP service is found, and nobody is sent there. Times are kernel stamps; zero is the fault."""

from __future__ import annotations

from collections import Counter

from ... import deadlines
from ...dut_model import POOL_CHECK_CEILING
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import Answers, calls, name_of, outcome_text
from .outage import SECOND, Attempts, attempts_at, bound_of, check_of, since, timeline

SIP_PORTS = (5060, 5061)
"""what the monitor must look at: SIP over TCP and over TLS"""


def sip_ports(history: History) -> set[int]:
    """The ports of the two SIP services, as the product offers them."""
    services = served.setup(history).get("services", {})
    return {services[name][1] for name in ("sip", "sip-tls") if name in services} or set(SIP_PORTS)


def refusal_is_found(history: History) -> Finding:
    """OCS-FAIL-01: the monitor connects to a SIP port of every Front End at the declared rate, and soon finds one that refuses.

    Between the marks `watch` and `settle` nobody calls: what comes to the Front Ends are checks. At the fault both SIP ports of one
    refuse, and its other ports do not. Calls: `during`, new clients of its other ports until it must be known as dead, and
    `after`, new clients of all ports in the first of two windows, the second of which is without any client.
    """
    check = check_of(history)
    tally = Tally(f"Each Front End sees a connection to 5060 or 5061 every {check.inter:g} s, which is {POOL_CHECK_CEILING:g} s at most; one "
                  f"whose SIP ports refuse gets no new client from {check.inter * check.fall:g} s + {deadlines.MARGIN:g} s on.")  # fmt: skip
    start, over = (next(history.of("mark", name=name))["t"] for name in ("watch", "settle"))
    fault = history.last("fault")
    if check.passive and fault is None:
        return _without_checks(history, tally, start, over)
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    bound, beyond = bound_of(history, "refused")
    tally.faults += [beyond] if beyond else []
    if check.inter > POOL_CHECK_CEILING:
        tally.faults.append(f"the declared check interval of {check.inter:g} s is beyond the ceiling of {POOL_CHECK_CEILING:g} s")
    pauses = {name: _pause(history, name, start, over) for name in served.servers(history)}
    allowed = check.inter + deadlines.MARGIN
    for name, (longest, ports) in pauses.items():
        if not ports:
            tally.faults.append(f"{name} saw no connection to 5060 or 5061 in {since(over, start):.1f} s")
        elif longest > allowed:
            tally.faults.append(f"{name} saw no connection to 5060 or 5061 for {longest:.2f} s")
    attempts = attempts_at(history, dead)
    last = _late_clients(history, dead, zero, bound, attempts, tally)
    tally.faults += _unserved(history, calls(history, "after"))
    seen = ", ".join(f"{port} {count}" for port, count in sorted(sum((ports for _, ports in pauses.values()), Counter()).items()))
    longest = max(pause for pause, _ in pauses.values())
    observed = f"checks by port in {since(over, start):.1f} s: {seen or 'none'}, the longest pause {longest:.2f} s; "
    observed += f"the last client was sent to {dead} {last:.2f} s after the refusal; " if last is not None else ""
    observed += str(attempts)
    events = [(0.0, f"5060 and 5061 of {dead} refuse", "fault"), (bound + deadlines.MARGIN, "declared detection + 1 s", "limit")]
    measured = []
    if last is not None:
        events.append((last, "last client sent there", "detection"))
        measured = [{"id": "detection-refused", "value": last, "unit": "s", "error": 0.1, "requirement": "OCS-FAIL-01"}]
    return tally.finding(observed, figures=(timeline(f"{dead} refuses", f"{dead} refuses", events),), silence=True,
                         window=window(history, tally, bound, "after"), margin=deadlines.MARGIN, measurements=tuple(measured))  # fmt: skip


def _without_checks(history: History, tally: Tally, start: int, end: int) -> Finding:
    """A product that declares that it has no checks of its own: unsupported, if none was seen either."""
    seen = sum(1 for name in served.servers(history) for _ in _opened(history, name, start, end))
    if seen:
        tally.faults.append(f"declares no health check of its own (kind: passive), but {seen} were seen")
        return tally.finding(f"{seen} connections to the Front Ends without a client", silence=True)
    reason = f"declares no health check of its own (kind: passive), and none was seen in {since(end, start):.1f} s"
    return Finding(Verdict.UNSUPPORTED, tally.expected, reason, reason, silence=True)


def _opened(history: History, server: str, start: int, end: int) -> list[Event]:
    """Connections opened towards a Front End in [start, end), as captured on its link."""
    return [flow for flow in history.of("flow", link=served.link_of(history, server)) if start <= flow.get("syn", 0) < end]


def _pause(history: History, server: str, start: int, end: int) -> tuple[float, Counter[int]]:
    """The longest time without a connection to a SIP port, in seconds, and how many there were to each."""
    ports = sip_ports(history)
    checks = [flow for flow in _opened(history, server, start, end) if flow["sport"] in ports]
    moments = [start, *sorted(flow["syn"] for flow in checks), end]
    longest = max(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))
    return longest / SECOND, Counter(flow["sport"] for flow in checks)


def _late_clients(history: History, dead: str, zero: int, bound: float, attempts: Attempts, tally: Tally) -> float | None:
    """Find faults with where new clients went after the limit; returns when the last one was sent to the dead Front End, in s.

    Who comes to a port that no monitor looks at is a client.
    """
    limit = bound + deadlines.MARGIN
    sip = sip_ports(history)
    sent = [since(flow["syn"], zero) for flow in _opened(history, dead, zero, _end(history)) if flow["sport"] not in sip]
    late = [t for t in sent if t > limit]
    if late:
        tally.faults.append(f"{len(late)} clients were sent to {dead} after the limit, the last one {max(late):.2f} s after the fault")
    if attempts.still_in_a_pool:
        tally.faults.append(f"{dead} was still tried: {attempts}")
    answers = Answers(history)
    for call in served.some(calls(history, "after"), "call after the detection limit"):
        if answers.server(call) == dead:
            tally.faults.append(f"{name_of(call)}, {since(call['started'], zero):.2f} s after the fault: reached {dead}")
    return max(sent, default=None)


def _unserved(history: History, came: list[Event]) -> list[str]:
    """Faults of calls that nobody answered."""
    answers = Answers(history)
    zero = min(fault["t"] for fault in history.of("fault"))
    return [f"{name_of(call)}, {since(call['started'], zero):.2f} s after the fault: {outcome_text(call)}"
            for call in came if answers.server(call) is None]  # fmt: skip


def window(history: History, tally: Tally, bound: float, *labels: str) -> tuple[int, int]:
    """When lateness of ours counts.

    A product that did what it should had no more time for it than was left between its limit and the first of these calls. What it did
    wrong, a busy machine may have done to it at any time.
    """
    zero = max(fault["t"] for fault in history.of("fault"))
    if tally.faults:
        return zero, max(call["started"] for call in calls(history))
    return zero + int(bound * SECOND), min(call["started"] for label in labels for call in calls(history, label))


def fallbacks(history: History) -> set[str]:
    """The servers that take nobody while a Front End is up."""
    setup = served.setup(history)
    return set(setup["hosts"]) - set(setup["servers"])


def _end(history: History) -> int:
    return max(mark["t"] for mark in history.of("mark"))


def half_dead_front_end_is_left(history: History) -> Finding:
    """OCS-FAIL-02: with 5061 refused and everything else open, new connections on every port go to other Front Ends.

    Calls, all after the declared detection: `known`, clients of that Front End, for each of whom it is the first connection since
    the fault, and `new` ones; both kinds come to every port that the product offers.
    """
    fault = history.last("fault")
    assert fault is not None
    dead = fault["server"]
    bound, beyond = bound_of(history, "refused")
    ports = " and ".join(map(str, fault["ports"]))
    tally = Tally(f"When only port {ports} of a Front End refuses, from {bound:g} s + {deadlines.MARGIN:g} s on new connections on every "
                  "port go to other Front Ends, those of its own clients too.")  # fmt: skip
    tally.faults += [beyond] if beyond else []
    answers = Answers(history)
    offered = list(served.setup(history)["services"])
    parts = []
    for label, kind in (("known", "its own clients"), ("new", "new clients")):
        came = served.some(calls(history, label), f"call {label}")
        if missing := set(offered) - {call["service"] for call in came}:
            raise ValueError(f"no call {label} on {', '.join(sorted(missing))}")
        there = Counter(call["service"] for call in came if answers.server(call) == dead)
        for service, count in there.items():
            tally.faults.append(f"{count} of {kind} reached {dead} on {service}")
        good = sum(1 for call in came if answers.server(call) not in (None, dead))
        parts.append(f"{good} of {len(came)} connections of {kind} on {len(offered)} ports reached another Front End")
    tally.faults += _unserved(history, [*calls(history, "known"), *calls(history, "new")])
    return tally.finding("; ".join(parts), window=window(history, tally, bound, "known", "new"), margin=deadlines.MARGIN)


def hung_front_end_is_left(history: History) -> Finding:
    """OCS-FAIL-03: a Front End that accepts connections and says nothing gets no new client once the declared detection is over.

    Calls: `after`, new clients on all ports, in the first of two windows; nobody comes before.
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    bound, beyond = bound_of(history, "hung")
    tally = Tally(f"When {dead} accepts connections and says nothing, no new client is sent there from {bound:g} s "
                  f"+ {deadlines.MARGIN:g} s on.")  # fmt: skip
    tally.faults += [beyond] if beyond else []
    attempts = attempts_at(history, dead)
    _late_clients(history, dead, zero, bound, attempts, tally)
    tally.faults += _unserved(history, calls(history, "after"))
    answers = Answers(history)
    late = calls(history, "after")
    good = sum(1 for call in late if answers.server(call))
    events = [(0.0, f"{dead} hung", "fault"), (bound + deadlines.MARGIN, "declared detection + 1 s", "limit")]
    return tally.finding(f"{good} of {len(late)} clients were served after the limit; {attempts}", Verdict.NON_STRICT, silence=True,
                         figures=(timeline(f"{dead} hung", f"{dead} hung", events),), margin=deadlines.MARGIN,
                         window=window(history, tally, bound, "after"))  # fmt: skip


def never_left(history: History, dead: str) -> str | None:
    """Why a dead Front End cannot have left the pool, if so, by the new clients `after` the limit."""
    attempts = attempts_at(history, dead)
    if attempts.still_in_a_pool:
        return f"{dead} was never taken out of the pool ({attempts}), which OCS-FAIL-01 is about"
    late = calls(history, "after")
    if lost := _unserved(history, late):
        return f"{len(lost)} of {len(late)} new clients got no service after the detection limit, which OCS-FAIL-01 is about"
    return None


__all__ = ["window", "fallbacks", "half_dead_front_end_is_left", "hung_front_end_is_left", "never_left", "refusal_is_found", "sip_ports"]
