"""OCS-FAIL-08: a Front End is drained for maintenance, and put back."""

from __future__ import annotations

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served
from .called import calls, name_of, outcome_text
from .ends import SECOND, Ends, call_echoes, ending, held_on

ON_EACH = 3
"""connections that must be held on every Front End"""


def drained_front_end_ends_in_order(history: History) -> Finding:
    """OCS-FAIL-08: while a Front End is drained every held connection lives and no new client reaches it; afterwards some do.

    Calls: `held` on every Front End; while it is drained `new` clients on every port, and `known` clients of it, who may still
    come (the report says how many do); `back`, new clients after it was put back.
    """
    drained = history.last("admin", action="drain")
    assert drained is not None and history.last("admin", action="ready") is not None
    name = drained["server"]
    tally = Tally(f"While {name} is drained, every held connection lives on and new clients reach other Front Ends on every port; "
                  "when it is put back it gets new clients again.")  # fmt: skip
    ends, echoes = Ends(history), call_echoes(history)
    held = [call for call in served.some(calls(history, "held"), "held call")
            if ends.answers.server(call) and echoes.get((call["call"], "begin"))]  # fmt: skip
    there = served.counts([call["server"] for call in held], served.servers(history))
    if few := [f"{server} {count}" for server, count in there.items() if count < ON_EACH]:
        reason = f"connections held on {', '.join(few)}, of {ON_EACH} that are needed on each Front End, which OCS-AFF-05 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    acts = list(history.of("admin"))
    alive = 0
    for call in held:
        if all(echoes.get((call["call"], phase)) for phase in ("drained", "end")):
            alive += 1
        else:
            tally.faults.append(_cut(ends, call, acts))
    new = served.some(calls(history, "new"), "new client while it was drained")
    wrong = [call for call in new if ends.answers.server(call) == name]
    known = served.some(calls(history, "known"), "known client while it was drained")
    for call in [*new, *known]:
        if ends.answers.server(call) is None:
            tally.faults.append(f"{name_of(call)}, while {name} was drained: {outcome_text(call)}")
    if wrong:
        services = ", ".join(sorted({call["service"] for call in wrong}))
        tally.faults.append(f"{len(wrong)} of {len(new)} new clients reached {name} while it was drained, on {services}")
    back = served.some(calls(history, "back"), "new client after it was put back")
    again = sum(1 for call in back if ends.answers.server(call) == name)
    if not again:
        tally.faults.append(f"{name} got none of {len(back)} new clients after it was put back")
    kept = sum(1 for call in known if ends.answers.server(call) == name)
    observed = (f"{alive} of {len(held)} connections lived on; while {name} was drained it got {len(wrong)} of {len(new)} new "
                f"clients and {kept} of {len(known)} of its own; afterwards {again} of {len(back)} new ones")  # fmt: skip
    measured = [{"id": "known-clients-while-drained", "value": round(100 * kept / len(known), 1), "unit": "%", "error": 0.0,
                 "requirement": "OCS-FAIL-08"}]  # fmt: skip
    return tally.finding(observed, Verdict.NON_STRICT, measurements=tuple(measured))


def _cut(ends: Ends, call: Event, acts: list[Event]) -> str:
    """How a connection that is not answered any more ended, in words."""
    stamps = [stamp for stamp in (ending(ends.client(call), "client"), ending(ends.server(call), "server")) if stamp]
    if not stamps:
        return f"{held_on(call)}: it carries no data any more, though nobody closed it"
    before = [act for act in acts if act["begun"] <= min(stamps)]
    if not before:
        return f"{held_on(call)}: closed before the administrator did anything"
    return f"{held_on(call)}: closed {(min(stamps) - before[-1]['begun']) / SECOND:.2f} s after the {before[-1]['action']}"
