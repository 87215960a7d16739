"""OCS-AFF-01, -02, -06: which Front End a client address reaches, on which port, and how many users hang on one address."""

from __future__ import annotations

from collections.abc import Iterable

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from ..statistics import binomial_region
from . import called, served

TOGETHER = 0.02
"""s within which a client's first connections are opened (OCS-AFF-02)"""
_ENOUGH = 0.5
"""of the clients must have opened theirs together, or the machine is too slow"""
_SKEWED = 0.9
"""of the clients on one Front End: then that nobody is split says little"""


def one_front_end_per_client(history: History, services: list[str]) -> Finding:
    """OCS-AFF-01: all calls of a client are answered by one Front End (others, label `other`, are company)."""
    answers, known = called.Answers(history), served.servers(history)
    tally = Tally("Every connection is answered, and each client is on one Front End on all of its ports.")
    everyone = served.some([call for call in called.calls(history) if call["label"] != "other"], "call")
    everyone, foreign = _own(history, answers, everyone)
    homes, split, clients = _homes(answers, everyone, tally)
    for client, where in split.items():
        tally.faults.insert(0, f"client {client} was split: {where}")
    placed = served.counts(list(homes.values()), known)
    observed = f"{len(split)} of {clients} clients were split; {len(everyone)} connections on {len(services)} ports"
    figures = (called.grid("Front End of each client and port", answers, everyone, services),
               served.distribution(f"Clients on one Front End: {sum(placed.values())} of {clients}", placed, unit="clients"))  # fmt: skip
    measured = {"id": "split-clients", "value": len(split), "unit": f"of {clients}", "error": 0.0, "requirement": "OCS-AFF-01"}
    if not tally.faults and (reason := foreign or _lonely(placed, clients)):
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason, figures=figures)
    return tally.finding(observed, figures=figures, measurements=(measured,))


def simultaneous_ports_agree(history: History, services: list[str]) -> Finding:
    """OCS-AFF-02: a client's first connections, label `first`, opened within 20 ms, reach one Front End; `later` ones heal a split.

    When they were opened is taken from the capture on the clients' link.
    """
    answers, known = called.Answers(history), served.servers(history)
    opened = _opened(history)
    first = called.by_client(history, "first")
    together = {client for client, calls in first.items() if _spread(calls, opened) <= TOGETHER * 1e9}
    tally = Tally(f"A new client that opens {len(services)} ports within {TOGETHER * 1000:g} ms is on one Front End.")
    own, foreign = _own(history, answers, [call for client in together for call in first[client]])
    homes, split, _ = _homes(answers, own, tally)
    for client, where in split.items():
        tally.faults.insert(0, f"client {client} was split: {where}")
    later, _ = _own(history, answers, [call for call in called.calls(history, "later") if call["client"] in split])
    _, still, _ = _homes(answers, later, tally)
    observed = f"{len(split)} of {len(together)} clients were split when they opened their ports at once"
    if split:
        observed += f"; of these {len(still)} were split in later connections too"
        observed += ": a later connection does not heal it" if still else ": a later connection heals it"
    if len(together) < _ENOUGH * len(first):
        reason = f"machine too slow: only {len(together)} of {len(first)} clients opened their ports within {TOGETHER * 1000:g} ms"
        return Finding(Verdict.HARNESS_ERROR, tally.expected, f"{reason}. {observed}", reason)
    if split and {call["client"] for call in later} != set(split):
        raise ValueError("a split client made no later connection")
    everyone = [call for calls in first.values() for call in calls]
    figures = (called.grid("Front End of each client and port, all at once", answers, everyone, services),)
    measurements = tuple({"id": name, "value": len(found), "unit": f"of {len(together)}", "error": 0.0, "requirement": "OCS-AFF-02"}
                         for name, found in (("split-at-once", split), ("split-later", still)))  # fmt: skip
    if not tally.faults and (reason := foreign or _lonely(served.counts(list(homes.values()), known), len(together))):
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason, figures=figures)
    return tally.finding(observed, Verdict.NON_STRICT, figures=figures, measurements=measurements)


def skew_is_known(history: History, key: str | None) -> Finding:
    """OCS-AFF-06: the users of one address are measured where `source` is the declared key, and spread where it is not."""
    answers, known = called.Answers(history), served.servers(history)
    everyone = served.some(called.calls(history), "call")
    low, high = binomial_region(len(everyone), len(known))
    tally = Tally("The share of the busiest Front End is measured." if key == "source" else
                  f"Users behind one address are spread: each Front End has {low} to {high} of {len(everyone)} (exact binomial "
                  "region at 1e-6).")  # fmt: skip
    placed = []
    for call in everyone:
        if server := answers.server(call):
            placed.append(server)
        else:
            tally.faults.append(f"user {call['client']}: {called.outcome_text(call)}")
    counts = served.counts(placed, known)
    busiest = max(counts, key=lambda name: counts[name])
    observed = f"{counts[busiest]} of {len(everyone)} users behind one address are on {busiest}"
    measured = {"id": "busiest-share", "value": round(100 * counts[busiest] / len(everyone), 1), "unit": "%", "error": 0.0,
                "requirement": "OCS-AFF-06"}  # fmt: skip
    more = {"measurements": (measured,), "figures": (served.distribution("Users of one address", counts),)}
    if key != "source":
        if any(not low <= count <= high for count in counts.values()):
            tally.faults.append(f"the declared key is {key or 'not there'}, and the users are not spread: "
                                + ", ".join(f"{name} {count}" for name, count in counts.items()))  # fmt: skip
        return tally.finding(observed, Verdict.NON_STRICT, **more)
    if tally.faults:
        return tally.finding(observed, Verdict.NON_STRICT, **more)
    reason = "one address is one client: a site behind NAT is carried by one Front End"
    return Finding(Verdict.MEASURED, tally.expected, observed, reason, **more)


def _homes(answers: called.Answers, calls: Iterable[Event], tally: Tally) -> tuple[dict[str, str], dict[str, str], int]:
    """Clients on one Front End, clients on several with where they were, and how many clients there are."""
    where: dict[str, dict[str, list[int | None]]] = {}
    for call in calls:
        seen = where.setdefault(call["client"], {})
        if server := answers.server(call):
            seen.setdefault(server, []).append(answers.port(call))
        else:
            tally.faults.append(f"{called.name_of(call)}: {called.outcome_text(call)}")
    homes = {client: next(iter(seen)) for client, seen in where.items() if len(seen) == 1}
    split = {client: ", ".join(f"{server} on {'/'.join(map(str, ports))}" for server, ports in seen.items())
             for client, seen in where.items() if len(seen) > 1}  # fmt: skip
    return homes, split, len(where)


def _own(history: History, answers: called.Answers, calls: list[Event]) -> tuple[list[Event], str]:
    """The calls without those that are not answered because somebody else did their TLS, and a word about these."""
    own = [call for call in calls if answers.server(call) or not called.is_intercepted(history, call)]
    others = len(calls) - len(own)
    return own, f"the TLS of {others} connections was done by somebody else, and they were not answered (OCS-APP-02)" if others else ""


def _lonely(placed: dict[str, int], clients: int) -> str:
    """Why nothing is said about affinity where nearly everybody is on one Front End."""
    busiest = max(placed, key=lambda name: placed[name])
    if placed[busiest] <= _SKEWED * clients:
        return ""
    return f"{placed[busiest]} of {clients} clients are on {busiest}, so nothing is kept apart (OCS-AFF-05 is about that)"


def _opened(history: History) -> dict[tuple[str, int], int]:
    return {(flow["client"], flow["cport"]): flow["syn"] for flow in history.of("flow", link="client:eth0") if "syn" in flow}


def _spread(calls: list[Event], opened: dict[tuple[str, int], int]) -> float:
    """ns between the first and the last SYN of these calls; for ever where one was not captured."""
    stamps = [opened.get((call["source"], call["port"])) for call in calls]
    return float("inf") if None in stamps else max(stamps) - min(stamps)
