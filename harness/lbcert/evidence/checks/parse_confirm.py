"""RDP-PARSE: the server's answer and what follows it."""

from __future__ import annotations

from ... import deadlines
from ...wire import ConnectionConfirm, Decoded
from ...wire.octets import difference
from ..finding import Finding, Tally
from ..history import History
from . import served

HALF_CLOSED = "client half-closes"
_BARE_CONFIRM = 11
"""bytes of a Confirm without negotiation data (CC-04)"""


def answer_arrives_unchanged(history: History) -> Finding:
    """RDP-PARSE-02: what each server said is what its client heard, and the other way round.

    Visits are tied to servers' `conversation` events by the user's name, since the Confirms are literal and tell nobody's
    identity. Each server closes when all is said, and leaves it to the client to notice. A label with `client half-closes` marks a client that sent FIN before the server's last word: whether that
    word arrived is said, not judged.
    """
    tally = Tally("The Connection Confirm and everything after it arrive byte for byte, in both directions, and so does the server's "
                  "close.")  # fmt: skip
    spoken = {event["user"]: event for event in history.of("conversation")}
    ends = {event["visit"]: event for event in history.of("session-end")}
    whole = half = half_whole = 0
    everyone = served.some(served.visits(history), "visit")
    for visit in everyone:
        told = spoken.get(visit["user"])
        heard = ends.get(visit["visit"])
        if visit["outcome"] != "answered" or heard is None:
            tally.faults.append(f"{visit['label']}: {served.outcome_text(visit)}")
            continue
        if told is None:
            tally.faults.append(f"{visit['label']}: answered, but no server has spoken with this user")
            continue
        to_client = difference(told["sent"], heard["received"])
        to_server = difference(heard["poured"], told["heard"])
        if HALF_CLOSED in visit["label"]:
            half += 1
            half_whole += to_client is None
            to_client = None
        if to_client:
            tally.faults.append(f"{visit['label']}, towards the client: {to_client}")
        if to_server:
            tally.faults.append(f"{visit['label']}, towards the server: {to_server}")
        whole += not to_client and not to_server
        if HALF_CLOSED not in visit["label"] and not to_client and not to_server and heard["how"] == "left":
            tally.faults.append(f"{visit['label']}: the server has closed, and its client was not told within "
                                f"{deadlines.CLOSE_WITHIN + deadlines.MARGIN:g} s")  # fmt: skip
    observed = f"{whole} of {len(everyone)} exchanges arrived unchanged in both directions"
    if half:
        observed += f"; {half_whole} of {half} clients that had sent FIN still got the server's last bytes (not judged)"
    return tally.finding(observed, silence=True)


def is_answered_in_kind(history: History) -> Finding:
    """RDP-PARSE-12: a request without negotiation data gets the server's eleven bytes, and the session carries data."""
    requests = served.Requests(history)
    tally = Tally("A request without negotiation data is answered with the server's 11-byte Confirm, and plain data follows.")
    echoes = {event["visit"]: event["ok"] for event in history.of("echo")}
    good = 0
    everyone = served.some(served.visits(history), "visit")
    for visit in everyone:
        answer = bytes.fromhex(visit["answer"])
        confirm = ConnectionConfirm.decode(answer)
        if requests.of(visit) is None:
            tally.faults.append(f"{served.name_of(visit)}: {served.outcome_text(visit)}")
        elif not isinstance(confirm, Decoded) or len(answer) != _BARE_CONFIRM:
            tally.faults.append(f"{served.name_of(visit)}: answered with {len(answer)} bytes instead of 11 ({answer[:20].hex()})")
        elif not echoes[visit["visit"]]:
            tally.faults.append(f"{served.name_of(visit)}: the session carried no data after the Confirm")
        else:
            good += 1
    return tally.finding(f"{good} of {len(everyone)} were answered in kind")
