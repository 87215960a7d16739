"""RDP-FAIL-02 and -03: a server that does not refuse, but stays silent. Times are kernel stamps; zero is the fault."""

from __future__ import annotations

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .outage import attempts_at, bound_of, since, timeline


def dark_server_is_left(history: History) -> Finding:
    """RDP-FAIL-02: users of a server that went dark get another within 10 s, and within 1 s once it must be known as dead.

    Visits: `during` (from the fault until the limit), `late` (from the limit on), and, when all these are answered, `after`
    (in the first of two windows, of which the second is without any client, to tell health checks from users).
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    bound, beyond = bound_of(history, "dark")
    limit = bound + deadlines.MARGIN
    tally = Tally(f"When {dead} goes dark, each of its users gets a Confirm within {deadlines.ANOTHER_WITHIN:g} s; "
                  f"from {bound:g} s + {deadlines.MARGIN:g} s on within {deadlines.PROMPT:g} s, and nobody tries it.")  # fmt: skip
    if beyond:
        tally.faults.append(beyond)
    requests, waits = served.Requests(history), served.Waits(history)
    everyone = [visit for visit in served.visits(history) if visit["label"] in ("during", "late", "after")]
    waited: list[tuple[float, Event]] = []
    for visit in served.some(everyone, "visit since the fault"):
        at = since(visit["started"], zero)
        who = f"{served.name_of(visit)}, {at:.2f} s after {dead} went dark"
        if requests.server(visit) is None:
            tally.faults.append(f"{who}: {served.outcome_text(visit)}")
            continue
        took = waits.answer(visit)
        if took > (deadlines.ANOTHER_WITHIN if visit["label"] == "during" else deadlines.PROMPT):
            tally.faults.append(f"{who}: Confirm only after {took:.2f} s")
        waited.append((took, visit))
    attempts = attempts_at(history, dead)
    if attempts.still_in_pool:
        tally.faults.append(f"{dead} was still tried: {attempts}")
    events = [(0.0, f"{dead} went dark", "fault"), (limit, "declared detection + 1 s", "limit")]
    longest = max((took for took, _ in waited), default=None)
    if waited:
        events.append((since(min(visit["answered"] for _, visit in waited), zero), "first user served elsewhere", "served"))
    slow = [visit["answered"] for took, visit in waited if took > deadlines.PROMPT]
    if slow:
        events.append((since(max(slow), zero), "last user served who had to wait", "detection"))
    observed = f"{len(waited)} of {len(everyone)} connections were served"
    if longest is not None:
        observed += f", the slowest after {longest:.2f} s"
    measured = [{"id": "served-elsewhere-dark", "value": round(longest, 3), "unit": "s", "error": 0.001,
                 "requirement": "RDP-FAIL-02"}] if longest is not None else []  # fmt: skip
    curve = served.answers(requests, waits, f"Wait of each of {len(everyone)} users, and who answered", f"{dead} went dark", zero,
                           everyone, deadlines.ANOTHER_WITHIN)  # fmt: skip
    return tally.finding(
        f"{observed}; {attempts}", figures=(timeline(f"{dead} dark", f"{dead} went dark", events), curve),
        window=(zero, max(mark["t"] for mark in history.of("mark"))), margin=deadlines.MARGIN, silence=True,
        measurements=tuple(measured),
    )  # fmt: skip


def hung_server_is_left(history: History) -> Finding:
    """RDP-FAIL-03: a server that accepts and never answers gets no user once the declared detection is over.

    Visits: `after`, as in RDP-FAIL-02. Nobody comes before: the server must be found by the check, not by its victims.
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    bound, beyond = bound_of(history, "hung")
    tally = Tally(f"When {dead} accepts connections and never answers, no user is sent to it from {bound:g} s "
                  f"+ {deadlines.MARGIN:g} s on.")  # fmt: skip
    if beyond:
        tally.faults.append(beyond)
    requests, waits = served.Requests(history), served.Waits(history)
    late = served.some(served.visits(history, "after"), "visit after the detection limit")
    attempts = attempts_at(history, dead)
    lost = [visit for visit in late if requests.server(visit) is None]
    if attempts.still_in_pool:
        tally.faults.append(f"{dead} never left the pool: {attempts}")
    for visit in lost:
        at = since(visit["started"], zero)
        tally.faults.append(f"{served.name_of(visit)}, {at:.2f} s after {dead} hung: {served.outcome_text(visit)}")
    events = [(0.0, f"{dead} hung", "fault"), (bound + deadlines.MARGIN, "declared detection + 1 s", "limit")]
    if lost:
        events.append((since(max(visit["started"] for visit in lost), zero), "last user without an answer", "detection"))
    observed = f"{len(late) - len(lost)} of {len(late)} users were served after the limit; {attempts}"
    curve = served.answers(requests, waits, f"Wait of each of {len(late)} users, and who answered", f"{dead} hung", zero, late, None)
    return tally.finding(
        observed, Verdict.NON_STRICT, figures=(timeline(f"{dead} hung", f"{dead} hung", events), curve),
        window=(zero, max(mark["t"] for mark in history.of("mark"))), margin=deadlines.MARGIN, silence=True,
    )  # fmt: skip
