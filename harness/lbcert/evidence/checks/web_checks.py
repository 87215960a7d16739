"""TP-ADDR-05: where health checks come from. A check is a connection to a server while no client is there."""

from __future__ import annotations

from collections import Counter

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from . import called, served
from .outage import check_of, since

ENOUGH = 3
"""checks of each server without which nothing is said of them"""


def checks_come_from_the_product(history: History) -> Finding:
    """Between the marks `quiet` and `end` every connection to a server comes from an address that the DUT has among the servers.

    A PROXY header names no client: it is LOCAL, or has any address of the DUT.
    """
    first = served.setup(history)
    marks = {mark["name"]: mark["t"] for mark in history.of("mark")}
    own = called.own_addresses(history)
    inside = called.own_addresses(history, "eth1") or own
    tally = Tally("While no client is connected, every connection to a server comes from an address of the balancer among the servers, and names no client.")
    seen: Counter[str] = Counter()
    ends: dict[tuple[str, int], str] = {}
    for name in first["servers"]:
        for flow in history.of("flow", link=served.link_of(history, name)):
            if not marks["quiet"] <= flow.get("syn", 0) < marks["end"]:
                continue
            seen[name] += 1
            ends[flow["client"], flow["cport"]] = name
            if flow["client"] not in inside:
                tally.faults.append(f"a check of {name} comes from {flow['client']}")
    checked = {(event["who"], event["conn"]) for event in history.of("accept") if tuple(event["peer"]) in ends}
    for header in history.of("proxy"):
        if (header["who"], header["conn"]) in checked and header["command"] != "LOCAL" and _address(header) not in own:
            tally.faults.append(f"a check of {header['who']} names the client {_address(header)} in its PROXY header")
    total = sum(seen.values())
    if not total and check_of(history).passive:
        reason = f"declares no health check of its own (kind: passive), and none was seen in {since(marks['end'], marks['quiet']):.1f} s"
        return Finding(Verdict.UNSUPPORTED, tally.expected, reason, reason, silence=True)
    few = [name for name in first["servers"] if seen[name] < ENOUGH]
    if few and not tally.faults:
        reason = f"{few[0]} was checked {seen[few[0]]} times only, where {ENOUGH} checks are needed"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    return tally.finding(f"{total} checks of {len(seen)} servers, from {', '.join(sorted({address for address, _ in ends}))}", silence=True)


def _address(header) -> str | None:
    return header["source"][0] if header["source"] else None
