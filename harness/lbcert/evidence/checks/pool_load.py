"""OCS-AFF-05: new clients go where there are fewest connections, and to a Front End that has returned empty first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from ..finding import Finding, Tally
from ..history import History
from . import called, served

APART = 2
"""clients by which a Front End may differ from an equal share"""
FIRST = 0.9
"""of the newcomers that must go to the Front End that has returned"""
ON_PORT = 0.6
"""of the newcomers of each single port: two of three, where one that goes round in turn has one"""
ASTRAY = 0.25
"""of the clients who may come to a Front End that has more connections than another: a product counts while connections come and go"""

_ENOUGH = 9
"""clients of one port, who are at one Front End by chance in one of 6,561 cases where there are three"""


def load_goes_where_there_is_room(history: History, returned: str) -> Finding:
    """Calls: `held`, one after the other on one port, and `spread`, on all; then `returned` is lost and back, and `newcomer` calls
    come on all ports while it has room."""
    answers, known = called.Answers(history), served.servers(history)
    tally = Tally(f"Clients who stay are shared out evenly, {APART} more or less; a Front End that returns empty gets at least "
                  f"{FIRST:.0%} of those who come next, and most of them on each port.")  # fmt: skip
    held = sorted(served.some(called.calls(history, "held"), "held connection"), key=lambda call: call["started"])
    newcomers = served.some(called.calls(history, "newcomer"), "newcomer")
    placed: dict[str, list[str]] = {"held": [], "spread": [], "newcomer": []}
    services: dict[str, list[str | None]] = defaultdict(list)
    spread: dict[str, list[str]] = defaultdict(list)
    for call in [*held, *called.calls(history, "spread"), *newcomers]:
        server = answers.server(call)
        # Where somebody else does the clients' TLS OCS-APP-02 says so, and OCS-FAIL-07 who is at the fallback.
        if server not in known and (server or called.is_intercepted(history, call)):
            continue
        if call["label"] == "newcomer":
            services[call["service"]].append(server)
        if server:
            placed[call["label"]].append(server)
            if call["label"] == "spread":
                spread[call["service"]].append(server)
        else:
            tally.faults.append(f"{called.name_of(call)} ({call['label']}): {called.outcome_text(call)}")
    tally.faults += [f"{name} is in the configuration and is sent nobody: weight 0, or maintenance"
                     for name in served.setup(history).get("resting", ())]  # fmt: skip
    even, then = (served.counts(placed[label], known) for label in ("held", "newcomer"))
    share = len(held) / len(known)
    numbers = ", ".join(f"{name} {count}" for name, count in even.items())
    if any(abs(count - share) > APART for count in even.values()):
        tally.faults.append(f"{len(held)} clients are not shared out evenly: {numbers}")
    elif (astray := _astray(placed["held"], known)) > ASTRAY * len(held):
        tally.faults.append(f"{astray} of {len(held)} clients came to a Front End that had more connections than another")
    tally.faults += [f"all {len(there)} clients who stay on {service} are at {there[0]}"
                     for service, there in spread.items() if len(there) >= _ENOUGH and len(set(there)) == 1]  # fmt: skip
    came = sum(map(len, services.values()))
    if not came or then[returned] < FIRST * came:
        tally.faults.append(f"only {then[returned]} of {came} newcomers went to {returned}, which was empty")
    else:
        tally.faults += [f"only {there.count(returned)} of {len(there)} newcomers on {service} went to {returned}, which was empty"
                         for service, there in services.items() if there.count(returned) < ON_PORT * len(there)]  # fmt: skip
    observed = (f"{len(held)} clients: {numbers}; {then[returned]} of {came} newcomers on {len(services)} ports went to "
                f"{returned} after its return")  # fmt: skip
    allowed = (max(0, round(share - APART)), round(share + APART))
    return tally.finding(observed, figures=(served.distribution(f"{len(held)} held connections", even, allowed),
                                            served.distribution("Newcomers after the return", then)))  # fmt: skip


def _astray(placed: list[str], known: Collection[str]) -> int:
    """How many came to a server that had more connections than another one, who came one after the other and stayed."""
    counts, astray = Counter(dict.fromkeys(known, 0)), 0
    for server in placed:
        astray += counts[server] > min(counts.values())
        counts[server] += 1
    return astray
