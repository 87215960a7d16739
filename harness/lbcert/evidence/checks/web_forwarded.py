"""TP-TLS-06: the last address in X-Forwarded-For."""

from __future__ import annotations

from ..finding import Finding, Tally
from ..history import History
from . import called, served
from .web_told import Told, forwarded


def last_forwarded_is_the_client(history: History) -> Finding:
    """Whatever a client wrote into X-Forwarded-For (the call's label says what), the last value at the server is its own address."""
    told = Told(history)
    calls = served.some(called.calls(history), "call")
    tally = Tally(f"The last value of X-Forwarded-For at the server is the client's address, for each request on {len(calls)} connections.")
    good = kept = total = 0
    for call in calls:
        who = f"{called.name_of(call)}, {call['label']}"
        requests = told.requests(call)
        if not requests:
            tally.faults.append(f"{who}: {called.outcome_text(call)}")
        total += len(requests)
        for request in requests:
            values = forwarded(request)
            if values[-1:] != [call["source"]]:
                tally.faults.append(f"{who}: the server has {', '.join(values) or 'no such header'}")
            else:
                good += 1
                kept += len(values) > 1
    return tally.finding(f"{good} of {total} requests had the client's address last; in {kept} forged values stood before it")
