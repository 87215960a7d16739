"""TP-TLS-05: as whom the programs run that serve clients."""

from __future__ import annotations

from typing import Any

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from . import called, served

_EFFECTIVE = 1
"""place of the effective user id in the line Uid of /proc/PID/status (proc(5))"""


def nobody_serves_as_root(history: History) -> Finding:
    """Every process that holds a client's connection, as the event `processes` has it, has another effective user than root."""
    event = next(history.of("processes"), None)
    if event is None:
        reason = "the product took in too few clients to see who serves them, which TP-ROUTE-01 is about"
        return Finding(Verdict.BLOCKED, "Nobody serves as root.", reason, reason)
    services = {tuple(pair) for pair in served.setup(history)["services"].values()}
    clients = served.some(called.calls(history), "call")
    everyone = event["processes"]
    serving = served.some([one for one in everyone if services & {tuple(local) for local, _ in one["connections"]}],
                          "process that holds a client's connection")  # fmt: skip
    tally = Tally("No process that holds a client's connection runs as root.")
    tally.faults += [f"{_name(one)} serves clients as root" for one in serving if one["uid"][_EFFECTIVE] == 0]
    others = [one for one in everyone if one not in serving and one["uid"][_EFFECTIVE] == 0]
    good = sum(1 for call in clients if call["outcome"] == "answered")
    observed = f"{good} of {len(clients)} clients were served, by " + "; ".join(f"{_name(one)}: user {one['uid'][_EFFECTIVE]}, capabilities {one['capabilities']:#x}" for one in serving)
    if others:
        observed += f"; root, but without a client: {', '.join(_name(one) for one in others)}"
    return tally.finding(observed, Verdict.NON_STRICT)


def _name(process: dict[str, Any]) -> str:
    return process["title"][:60]
