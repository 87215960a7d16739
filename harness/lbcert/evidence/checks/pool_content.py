"""OCS-AFF-04, OCS-APP-01, -02: sign-in with one Front End, SIP that is not altered, TLS from end to end."""

from __future__ import annotations

from collections import Counter, defaultdict
from hashlib import sha256

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served

_WAY_OF_LOGIN = [401, 401, 200]
"""statuses of a sign-in (MS-SIPAE 3.1)"""
_NOT_YET = "unsigned"
"""why a Front End refuses the first message of a client"""
_WORDS = {
    "refused": "the sign-in was refused",
    "declined": "the sign-in was refused",
    "foreign": "another Front End answered a message of the sign-in",
    "unsigned": "the answer was not signed",
    "forged": "the answer's signature does not verify",
    "strange": "an answer came to nothing that was asked",
    "malformed": "something came that cannot be read",
}


def sign_in_stays_with_one_front_end(history: History, clients: int) -> Finding:
    """OCS-AFF-04: each of `clients` signs in on one connection with one Front End, and no Front End has a part in another's."""
    answers = called.Answers(history)
    tally = Tally(f"{clients} of {clients} clients sign in by 401, 401, 200 with one Front End, whose signature verifies.")
    everyone = called.calls(history)
    if len(everyone) != clients:
        raise ValueError(f"{len(everyone)} clients signed in, not {clients}")
    names: dict[str, set[str]] = defaultdict(set)
    good = 0
    # What a Front End cannot verify although it is its own was changed on its way.
    changed = {(event["who"], event["conn"]) for event in history.of("signed", ok=False, why="wrong-signature")}
    altered: list[str] = []
    for call in everyone:
        server = answers.server(call)
        if call["outcome"] == "forged" or (call["server"], call["conn"]) in changed:
            altered.append(f"{called.name_of(call)}: a signature of the sign-in does not verify (OCS-APP-01)")
            continue
        if server is None:
            words = _WORDS.get(call["outcome"]) or called.outcome_text(call)
            tally.faults.append(f"{called.name_of(call)}: {words}")
        elif call["statuses"] != _WAY_OF_LOGIN or set(call["signatures"]) != {"right"}:
            seen = ", ".join(map(str, call["statuses"]))
            tally.faults.append(f"{called.name_of(call)}: the Front End said {seen}, with signatures {call['signatures']}")
        elif not call["one_server"] or set(call["targets"]) != {call["target"]}:
            tally.faults.append(f"{called.name_of(call)}: more than one Front End answered ({', '.join(call['targets'])})")
        else:
            names[server].add(call["target"])
            good += 1
    for server, targets in names.items():
        if len(targets) > 1:
            tally.faults.append(f"{server} was called {' and '.join(sorted(targets))}")
    for event in history.of("signed", ok=False):
        # A client that comes has no signature yet, and nor has a health check.
        if event["why"] == _NOT_YET or (event["who"], event["conn"]) in changed:
            continue
        tally.faults.append(f"{event['who']} was sent a message for {event.get('target') or 'nobody'}: {event['why']}")
    observed = f"{good} of {clients} clients signed in, with {len(names)} Front Ends"
    if altered and not tally.faults:
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {altered[0]}", altered[0])
    return tally.finding(observed)


def sip_is_not_altered(history: History) -> Finding:
    """OCS-APP-01: what each end of a connection sent is what the other received, message by message; signatures verify.

    Events: `said` {call, sent, received, signatures} with the client's digests; `request`, `response`, `sent`, `pushed`, `signed` of
    the servers.
    """
    answers = called.Answers(history)
    tally = Tally("Every SIP message arrives as it was sent, byte for byte, in both directions, and signatures verify.")
    calls = {call["call"]: call for call in called.calls(history)}
    there: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for event in history.events:
        if "conn" in event and event["kind"] in ("request", "response", "sent", "pushed", "malformed", "signed"):
            there[event["who"], event["conn"]].append(event)
    heard = {digest for events in there.values() for digest in _heard(events)}
    spoken = {digest for events in there.values() for digest in _spoken(events)}
    total, ports, signed, lost, astray = [0, 0], set(), 0, "", []
    for said in served.some(list(history.of("said")), "conversation"):
        call = calls[said["call"]]
        who = called.name_of(call)
        if answers.server(call) is None:
            lost = lost or f"{who}: {_WORDS.get(call['outcome']) or called.outcome_text(call)}"
            continue
        events = there[call["server"], call["conn"]]
        received, sent = _heard(events), _spoken(events)
        for way, ours, theirs, known in (("to the Front End", said["sent"], received, heard.issuperset(said["sent"])),
                                         ("to the client", sent, said["received"], spoken.issuperset(said["received"]))):  # fmt: skip
            if ours != theirs:
                whole = known and not (way == "to the client" and set(sent) - set(said["received"]))
                (astray if whole and Counter(ours) != Counter(theirs) else tally.faults).append(f"{who}: {_difference(ours, theirs)} {way}")
            total[way == "to the client"] += len(ours)
        refused = [event["why"] for event in events if event["kind"] == "signed" and not event["ok"]]
        bad = sorted(set(refused[1:] if refused[:1] == [_NOT_YET] else refused))
        wrong = {word: count for word, count in said["signatures"].items() if word != "right"}
        if bad or wrong:
            tally.faults.append(f"{who}: signatures do not verify: {', '.join([*bad, *wrong])}")
        signed += said["signatures"].get("right", 0)
        ports.add(answers.port(call))
        if not said["alive"]:
            lost = lost or f"{who}: the connection ended before all was said"
    observed = f"{total[0]} messages to Front Ends and {total[1]} to clients on {len(ports)} ports; {signed} signatures verified by clients"
    if not tally.faults and any(calls[said["call"]]["outcome"] == "foreign" for said in history.of("said")):
        reason = f"messages of one connection reached several Front Ends (OCS-AFF-04): {(astray or [lost])[0]}"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    tally.faults += astray
    if not tally.faults and (lost or not signed):
        reason = lost or "no message was signed"
        # What is lost is no longer what was sent: nobody else's requirement explains it.
        tally.faults.append(reason)
    return tally.finding(observed)


def torture_arrives(history: History) -> Finding:
    """OCS-APP-01: RFC 4475's messages cross unchanged, and so does all that comes back.

    Events: `recited` {call, went, came, messages} with SHA-256 and number of the bytes, `digest` {conn, came, went} of the servers.
    """
    return _arrives(history, Tally("The torture messages of RFC 4475 reach the Front End byte for byte, and what it says reaches the client."))


def bytes_arrive(history: History) -> Finding:
    """OCS-APP-01: on ports that do not speak SIP, too, what one end says is what the other gets. Events: as above."""
    return _arrives(history, Tally("On the ports that do not speak SIP, what clients and Front Ends say arrives byte for byte."))


def _arrives(history: History, tally: Tally) -> Finding:
    answers = called.Answers(history)
    calls = {call["call"]: call for call in called.calls(history)}
    there = {(event["who"], event["conn"]): event for event in history.of("digest")}
    messages, ports = 0, set()
    for said in served.some(list(history.of("recited")), "recital"):
        call = calls[said["call"]]
        who, theirs = called.name_of(call), there.get((call["server"], call["conn"]))
        if answers.server(call) is None:
            tally.faults.append(f"{who}: {called.outcome_text(call)}")
        elif theirs is None:
            tally.faults.append(f"{who}: the connection ended before all was said")
        else:
            messages, ports = messages + said["messages"], ports | {answers.port(call)}
            lost = [f"{who}: of {ours[1]} bytes {way}, {other[1]} arrived, or others in their place" for way, ours, other in (
                ("to the Front End", said["went"], theirs["came"]), ("to the client", theirs["went"], said["came"])) if ours != other]
            tally.faults += lost or ([] if said["alive"] else [f"{who}: the connection ended before all was said"])
    return tally.finding(f"{messages} messages on {len(ports)} ports")


def _heard(events: list[Event]) -> list[str]:
    """Digests of the messages that a server received; one that it could not read has none."""
    return [event.get("sha256", f"unreadable: {event.get('reason')}") for event in events
            if event["kind"] in ("request", "response", "malformed")]  # fmt: skip


def _spoken(events: list[Event]) -> list[str]:
    """Digests of the messages that a server sent, in order."""
    spoken: list[str] = []
    for event in events:
        if event["kind"] == "sent":
            spoken.append(event["sha256"])
        elif event["kind"] == "request":
            # A request that is answered at once by a message of its own (`sent`, reported before) comes behind the answers.
            own = [digest for digest in event["answers"] if digest in spoken]
            spoken = [digest for digest in spoken if digest not in own] + event["answers"]
        elif event["kind"] == "pushed" and event["bytes"]:
            digest = sha256(bytes.fromhex(event["bytes"])).hexdigest()
            if digest not in spoken:
                spoken.append(digest)
    return spoken


def _difference(ours: list[str], theirs: list[str]) -> str:
    missing, more = sum((Counter(ours) - Counter(theirs)).values()), sum((Counter(theirs) - Counter(ours)).values())
    if not missing and not more:
        return "messages changed their order on the way"
    return f"{missing} of {len(ours)} messages did not arrive as sent, and {more} others came"


def tls_is_end_to_end(history: History) -> Finding:
    """OCS-APP-02: client and Front End see each other's certificate.

    Event: `certificates` {client, servers: {name: SHA-256}}.
    """
    answers = called.Answers(history)
    tally = Tally("The client sees the certificate of the Front End that answers, and that sees the client's.")
    known = next(history.of("certificates"))
    theirs = {(event["who"], event["conn"]): event["client"] for event in history.of("tls")}
    good: Counter[str] = Counter()
    lost = ""
    for call in served.some(called.calls(history), "call"):
        who, seen, server = called.name_of(call), call.get("tls", {}).get("server"), answers.server(call)
        if seen and seen not in known["servers"].values():
            tally.faults.append(f"{who}: the certificate ({seen[:16]}...) is no Front End's")
        elif server is None:
            lost = lost or f"{who}: {called.outcome_text(call)} (OCS-NET-02)"
        elif seen != known["servers"][server]:
            tally.faults.append(f"{who}: {server} answered, with the certificate of another")
        elif theirs.get((server, call["conn"])) != known["client"]:
            shown = theirs.get((server, call["conn"]))
            tally.faults.append(f"{who}: {server} saw {'another certificate' if shown else 'no certificate'} of the client")
        else:
            good[call["service"]] += 1
    observed = ", ".join(f"{count} connections on {service}" for service, count in good.items()) or "no connection"
    observed += " with the certificates of both ends"
    if lost and not tally.faults:
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {lost}", lost)
    return tally.finding(observed)
