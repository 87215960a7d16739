"""RDP-PARSE-11: TLS and CredSSP run between client and server, with nobody in between."""

from __future__ import annotations

from ...deadlines import PATIENCE
from ...wire import ConnectionRequest, Decoded, Protocols
from ..finding import Finding, Tally
from ..history import Event, History
from . import served

_SHOWN = 16
"""hexadecimal digits of a certificate's SHA-256 that a report shows"""


def security_is_end_to_end(history: History) -> Finding:
    """RDP-PARSE-11: each client saw the certificate of the very server that served it, logged in there, and was heard inside.

    `secure` events tell each server's certificate, `secured` events what came of each visit at the client, `tls` and `login`
    events what the server says of the same connection. What a client saw counts only as far as the server agrees.
    """
    requests = served.Requests(history)
    own = {event["who"]: event["certificate"] for event in history.of("secure")}
    seen = {event["visit"]: event for event in history.of("secured")}
    tally = Tally("Each client sees the certificate of the server that serves it, logs in there, and is heard inside TLS.")
    good = {"tls": 0, "credssp": 0}
    everyone = served.some(served.visits(history), "visit")
    for visit in everyone:
        record = requests.of(visit)
        if record is None:
            fault: str | None = served.outcome_text(visit)
        else:
            fault = _fault(history, visit, seen[visit["visit"]], record, own[record["who"]])
        if fault:
            tally.faults.append(f"{served.name_of(visit)}, {visit['label']}: {fault}")
        else:
            good[_wanted(visit)] += 1
    observed = f"{good['tls']} sessions with TLS and {good['credssp']} with CredSSP, of {len(everyone)}, ran end to end"
    if not any(event["outcome"] == "timeout" for event in seen.values()):
        return tally.finding(observed)
    # Somebody was given up: that counts only if it was not we who were slow.
    window = min(visit["started"] for visit in everyone), max(event["t"] for event in seen.values())
    return tally.finding(observed, window=window, margin=PATIENCE["answer"])


def _wanted(visit: Event) -> str:
    """The protocol that our servers choose for this request."""
    outcome = ConnectionRequest.decode(bytes.fromhex(visit["sent"]))
    assert isinstance(outcome, Decoded) and outcome.value.negotiation is not None
    return "credssp" if int(outcome.value.negotiation.protocols) & Protocols.HYBRID else "tls"


def _fault(history: History, visit: Event, seen: Event, record: Event, own: str) -> str | None:
    """What was wrong with one visit, at the client or at its server."""
    server, wanted = record["who"], _wanted(visit)
    tls = history.last("tls", who=server, conn=record["conn"])
    login = history.last("login", who=server, conn=record["conn"])
    if seen["certificate"] not in (None, own):
        return (f"the client saw a certificate that is not {server}'s own (SHA-256 {seen['certificate'][:_SHOWN]}… "
                f"instead of {own[:_SHOWN]}…)")  # fmt: skip
    if seen["outcome"] != "complete":
        return f"{_stage(seen)}: {seen['outcome']}" + (f"; {server} says: {login['reason']}" if login and not login["ok"] else "")
    if seen["protocol"] != wanted or tls is None or tls["protocol"] != wanted:
        return f"{wanted} was asked for; the client did {seen['protocol']}, {server} {tls['protocol'] if tls else 'nothing'}"
    if tls["certificate"] != seen["certificate"]:
        return f"{server} used another certificate than the client saw"
    if wanted == "credssp":
        if login is None or not login["ok"] or login["user"] != visit["user"]:
            return f"the client logged in, but {server} has not seen {visit['user']} log in"
        if not (login["bound"] and seen["bound"] and seen["login"]):
            return f"the login is not bound to {server}'s key on both sides"
    return None


def _stage(seen: Event) -> str:
    """How far a session came that did not get to its end."""
    if seen["certificate"] is None:
        return "TLS did not come to stand"
    if seen["login"] is False:
        return "TLS stood, the login failed"
    return f"{seen['echoed']} bytes came back inside TLS"
