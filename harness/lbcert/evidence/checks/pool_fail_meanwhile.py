"""OCS-FAIL-09: service while a dead Front End is being found out. Times are kernel stamps; zero is the fault."""

from __future__ import annotations

from ... import deadlines
from ..finding import Finding, Tally
from ..history import History
from . import served
from .called import Answers, calls, name_of, outcome_text
from .outage import bound_of, since


def clients_are_served_meanwhile(history: History) -> Finding:
    """A Front End refuses or is dark: from then on each client is served by another in time, its own clients as well as new ones.

    Where it refuses, within 5 s; a dark one gives the product nothing to go by, and may cost a client the time in which it must be
    known as dead, if that is more. Calls: `during`, until that time is over, on all ports.
    """
    fault = history.last("fault")
    assert fault is not None
    dead, zero = fault["server"], fault["t"]
    is_dark = fault["fault"] == "dark"
    bound, beyond = bound_of(history, "dark" if is_dark else "refused")
    within = max(bound + deadlines.MARGIN, deadlines.CONFIRM_WITHIN) if is_dark else deadlines.CONFIRM_WITHIN
    tally = Tally(f"While {dead} is being found out as dead ({bound:g} s + {deadlines.MARGIN:g} s), each client is served by another Front End "
                  f"within {within:g} s.")  # fmt: skip
    tally.faults += [beyond] if beyond else []
    answers, waits = Answers(history), served.Waits(history)
    came = served.some(calls(history, "during"), "call since the fault")
    settled = {call["client"] for call in calls(history, "settle")}
    good, longest, end = 0, 0.0, zero
    for call in came:
        at, server = since(call["started"], zero), answers.server(call)
        end = max(end, call["t"])
        who = f"{name_of(call)} ({'known' if call['client'] in settled else 'new'}), {at:.2f} s after the {'loss of power' if is_dark else 'crash'}"
        if server is None:
            tally.faults.append(f"{who}: {outcome_text(call)}")
            continue
        took = waits.answer(call)
        longest, good = max(longest, took), good + 1
        if took > within:
            tally.faults.append(f"{who}: served only after {took:.2f} s")
    known = sum(call["client"] in settled for call in came)
    figure = served.answers(_Placed(answers), waits, f"Wait of each of {len(came)} clients, and who answered", f"{dead} {'without power' if is_dark else 'crashed'}", zero,
                            list(came), within)  # fmt: skip
    return tally.finding(f"{good} of {len(came)} clients ({known} of them known) were served, the slowest after {longest:.2f} s",
                         figures=(figure,), window=(zero, end) if tally.faults else None, margin=deadlines.MARGIN)  # fmt: skip


class _Placed:
    """What the chart asks of the servers' records."""

    def __init__(self, answers: Answers):
        self.server = answers.server
