"""OCS-AFF-05: new clients go where there are fewest connections, and to a Front End that has returned empty first."""

from __future__ import annotations

from ..finding import Finding, Tally
from ..history import History
from . import called, served

APART = 2
"""clients by which a Front End may differ from an equal share"""
FIRST = 0.9
"""of the newcomers that must go to the Front End that has returned"""


def load_goes_where_there_is_room(history: History, returned: str) -> Finding:
    """Calls: `held`, one after the other; then `returned` is lost and back, and `newcomer` calls come while it has room."""
    answers, known = called.Answers(history), served.servers(history)
    tally = Tally(f"Clients who stay are shared out evenly, {APART} more or less; a Front End that returns empty gets at least "
                  f"{FIRST:.0%} of those who come next.")  # fmt: skip
    held = served.some(called.calls(history, "held"), "held connection")
    newcomers = served.some(called.calls(history, "newcomer"), "newcomer")
    placed: dict[str, list[str]] = {"held": [], "newcomer": []}
    for call in [*held, *newcomers]:
        if server := answers.server(call):
            placed[call["label"]].append(server)
        else:
            tally.faults.append(f"{called.name_of(call)} ({call['label']}): {called.outcome_text(call)}")
    tally.faults += [f"{name} is in the configuration and is sent nobody: weight 0, or maintenance"
                     for name in served.setup(history).get("resting", ())]  # fmt: skip
    even, then = (served.counts(placed[label], known) for label in ("held", "newcomer"))
    share = len(held) / len(known)
    numbers = ", ".join(f"{name} {count}" for name, count in even.items())
    if any(abs(count - share) > APART for count in even.values()):
        tally.faults.append(f"{len(held)} clients are not shared out evenly: {numbers}")
    if then[returned] < FIRST * len(newcomers):
        tally.faults.append(f"only {then[returned]} of {len(newcomers)} newcomers went to {returned}, which was empty")
    observed = f"{len(held)} clients: {numbers}; {then[returned]} of {len(newcomers)} newcomers went to {returned} after its return"
    allowed = (max(0, round(share - APART)), round(share + APART))
    return tally.finding(observed, figures=(served.distribution(f"{len(held)} held connections", even, allowed),
                                            served.distribution("Newcomers after the return", then)))  # fmt: skip
