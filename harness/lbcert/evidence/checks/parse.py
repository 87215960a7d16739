"""RDP-PARSE: reading the first packet."""

from __future__ import annotations

from ...verdicts import Verdict
from ...wire import ConnectionRequest, Decoded
from ..finding import Finding, Tally
from ..history import Event, History
from . import served

SENT_WITHIN = 1.5
"""s from the first piece of a cut request to its last, of which the row's pauses are 1 s at most: a slower one is ours to answer for"""


def arrives_unchanged(history: History) -> Finding:
    """RDP-PARSE-01: what each visit sent is what its server received, byte for byte."""
    requests = served.Requests(history)
    tally = Tally("The first packet of every vector reaches the server byte for byte.")
    everyone = served.some(served.visits(history), "visit")
    unserved_nameless = []
    same = 0
    for visit in everyone:
        record = requests.of(visit)
        if record is None:
            if _names_nobody(visit):
                unserved_nameless.append(visit["label"])
            else:
                tally.faults.append(f"{visit['label']}: {served.outcome_text(visit)}")
        elif record["bytes"] != visit["sent"] or record["rest"]:
            tally.faults.append(f"{visit['label']}: {_difference(visit['sent'], record)}")
        else:
            same += 1
    if unserved_nameless and not tally.faults:
        reason = f"{', '.join(unserved_nameless)} got no service, which RDP-PARSE-04 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    return tally.finding(f"{same} of {len(everyone)} first packets arrived unchanged", silence=True)


def _names_nobody(visit: Event) -> bool:
    outcome = ConnectionRequest.decode(bytes.fromhex(visit["sent"]))
    return isinstance(outcome, Decoded) and outcome.value.cookie is None and outcome.value.routing_token is None


def _difference(sent: str, record: Event) -> str:
    here, there = bytes.fromhex(sent), bytes.fromhex(record["bytes"])
    if record["rest"]:
        return f"{record['rest']} extra bytes followed the packet at {record['who']}"
    at = next((i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there)))
    return (f"sent {len(here)} bytes, {record['who']} received {len(there)}; first difference at byte {at}: "
            f"{here[at : at + 8].hex() or 'end'} became {there[at : at + 8].hex() or 'end'}")  # fmt: skip


def is_served(history: History) -> Finding:
    """RDP-PARSE-04: every visit is answered by a server with a Connection Confirm."""
    requests = served.Requests(history)
    tally = Tally("Every Connection Request without cookie or token is answered with a server's Confirm.")
    everyone = served.some(served.visits(history), "visit")
    for visit in everyone:
        if requests.of(visit) is None:
            tally.faults.append(f"{visit['label']} from {visit['source']}: {served.outcome_text(visit)}")
    answered = len(everyone) - len(tally.faults)
    return tally.finding(f"{answered} of {len(everyone)} were answered")


def cuts_do_not_matter(history: History) -> Finding:
    """RDP-PARSE-03: a name's cut requests reach the server that its whole request reached.

    The label of a visit is its cut, `whole` for the first; users (or tokens) are told apart by `user`. A request that we sent more slowly
    than the row says (`sending`, ns from its first piece to its last) has to reach nobody: a busy machine spreads it over seconds.
    """
    requests = served.Requests(history)
    tally = Tally("The same server for the whole request and for every way of cutting it.")
    homes: dict[str, str | None] = {}
    cut = right = late = 0
    slowest = 0.0
    for visit in served.visits(history):
        server = requests.server(visit)
        if visit["label"] == "whole":
            homes[visit["user"]] = server
            if server is None:
                tally.faults.append(f"{served.name_of(visit)}, whole: {served.outcome_text(visit)}")
            continue
        cut += 1
        home = homes[visit["user"]]
        sending = visit.get("sending", 0) / 1e9
        if server != home and sending > SENT_WITHIN:
            late += 1
            slowest = max(slowest, sending)
        elif server is None:
            tally.faults.append(f"{served.name_of(visit)}, {visit['label']}: {served.outcome_text(visit)}")
        elif server != home:
            tally.faults.append(f"{served.name_of(visit)}, {visit['label']}: {server} instead of {home}")
        else:
            right += 1
    served.some(range(cut), "cut request")
    observed = f"{right} of {cut} cut requests of {len(homes)} users reached the user's server"
    if late and not tally.faults:
        reason = f"machine too slow: {late} cut requests went astray that we took up to {slowest:.2f} s to send"
        return Finding(Verdict.HARNESS_ERROR, tally.expected, f"{reason}. {observed}", reason)
    return tally.finding(observed)
