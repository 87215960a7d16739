"""Whether balancer and server agree where a request ends, and whether one client's bytes get into another's request."""

from __future__ import annotations

from collections import defaultdict

from ...wire.http import TOKEN_HEADER
from ...wire.smuggling import HIDDEN, SMUGGLING, Smuggled
from ..finding import Finding, Tally
from ..history import Event, History
from .called import calls
from .served import some
from .web_seen import exchanges, header, unserved

_FRAMING = ("content-length", "transfer-encoding")


def requests_end_where_they_do(history: History, host: str) -> Finding:
    """Each vector of SMUGGLING (the label) is refused, or reaches one server as the one request that it is.

    Calls labelled `next` are ordinary ones from the same addresses afterwards. `host`: the site's name in the vectors.
    """
    tally = Tally("a request whose end is doubtful is refused or reaches a server as one request with one length; clients behind it are served")
    usual = some(list(exchanges(history, "next")), "ordinary call")
    if blocked := unserved(usual, tally.expected):
        return blocked
    seen = _by_token(history)
    refused = passed = 0
    # A product that tells every server another host breaks TP-HTTP-01, and says nothing of targets in absolute form.
    rewritten = any(_hosts(request) - {host} for one in usual for request in seen.get(one.call["token"], ()))
    odd = [call for call in calls(history) if call["label"] in SMUGGLING]
    for call in some(odd, "vector"):
        vector, where = SMUGGLING[call["label"]], f"{call['label']} over {call['service']}"
        reached = seen.pop(call["token"], [])
        refused, passed = refused + (not reached), passed + bool(reached)
        if not reached and call["outcome"] == "timeout":
            tally.faults.append(f"{where}: neither refused nor passed on in 15 s")
        tally.faults += [f"{where}: {text}" for text in _wrong(vector, reached, call["token"], host, rewritten)]
    for event in history.of("malformed"):
        tally.faults.append(f"{event['who']} was passed on what it cannot read ({event['reason']})")
    for one in usual:
        mine = seen.get(one.call["token"], [])
        told = header(one.reply["headers"], TOKEN_HEADER.lower()) if one.reply else []
        if one.trouble:
            tally.faults.append(f"behind {one.call['client']}: {one.trouble}")
        elif told != [one.call["token"]]:
            tally.faults.append(f"behind {one.call['client']}: {one.target} was given the answer of another request ({told})")
        elif [request["target"].partition("?")[0] for request in mine] != [one.target]:
            tally.faults.append(f"behind {one.call['client']}: servers saw it as {[request['target'] for request in mine]}")
    told = f"{len(odd)} doubtful requests: {refused} refused, {passed} reached a server"
    return tally.finding(f"{told}; {len(usual)} ordinary ones behind them")


def _wrong(vector: Smuggled, reached: list[Event], token: str, host: str, rewritten: bool) -> list[str]:
    """What is wrong with how servers saw one vector; `rewritten`: they are told another host in any case."""
    faults = [f"{one['who']} saw a request for {HIDDEN}" for one in reached if one["target"].startswith(HIDDEN)]
    own = [one for one in reached if not one["target"].startswith(HIDDEN)]
    if len(own) > 1:
        faults.append(f"servers saw it {len(own)} times")
    for one in own[:1]:
        allowed = vector.allowed(token, host)
        lengths = [(name, value) for name, value in one["headers"] if name.lower().strip() in _FRAMING]
        if not allowed:
            faults.append(f"was not refused: {one['who']} saw it with {one['body_length']} bytes of body")
        elif one["body_length"] not in allowed:
            faults.append(f"{one['who']} saw {one['body_length']} bytes of body, not {' or '.join(map(str, allowed))}")
        if not _plain(lengths):
            faults.append(f"{one['who']} was told its length as {lengths}")
        if vector.authority and not rewritten and _hosts(one) != {vector.authority}:
            faults.append(f"{one['who']} was told the host {', '.join(sorted(_hosts(one)))}, not that of the target")
    return faults


def _plain(lengths: list[tuple[str, str]]) -> bool:
    """Whether every server reads this framing alike."""
    if not lengths:
        return True
    (name, value), *more = lengths
    return not more and name == name.strip() and (value.isascii() and value.isdigit() if name.lower() == "content-length" else value.lower() == "chunked")


def _hosts(request: Event) -> set[str]:
    """Every host that a request names."""
    found = set(header(request["headers"], "host"))
    scheme, found_scheme, rest = request["target"].partition("://")
    return found | ({rest.partition("/")[0]} if found_scheme and "/" not in scheme else set())


def _by_token(history: History) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in history.of("request"):
        if event["token"] is not None:
            found[event["token"]].append(event)
    return found
