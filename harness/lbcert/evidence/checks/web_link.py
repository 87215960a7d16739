"""TP-ADDR-02: whose packets reach a client."""

from __future__ import annotations

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from . import called, served


def only_the_vip_is_seen(history: History) -> Finding:
    """No packet on the clients' link comes from a real server's address, or from one that the DUT has among the servers.

    The event `senders` counts the packets that reached the client by their source.
    """
    first = served.setup(history)
    counts = next(history.of("senders"))["packets"]
    served.some(counts, "packet at the client")
    hidden = {address: name for name, pairs in first["addresses"].items() for address, _ in pairs}
    hidden |= dict.fromkeys(called.own_addresses(history, "eth1"), "the balancer, among the servers")
    tally = Tally("No packet that reaches a client comes from a real server, or from an address of the balancer's inner side.")
    for address in sorted(hidden.keys() & counts.keys()):
        tally.faults.append(f"{counts[address]} packets from {address} ({hidden[address]}) reached the clients")
    calls = called.calls(history)
    answers = called.Answers(history)
    good = sum(1 for call in calls if answers.accept(call))
    silent = {call["service"] for call in calls} - {call["service"] for call in calls if answers.accept(call)}
    if silent and not tally.faults:
        reason = f"no client of {' and '.join(sorted(silent))} is served, which TP-ROUTE-01 is about, so there was nothing to be seen"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    observed = f"{sum(counts.values())} packets reached {len(calls)} clients ({good} of them served), from {', '.join(sorted(counts))}"
    return tally.finding(observed, silence=True)
