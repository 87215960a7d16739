"""The PROXY protocol: what the product sends, whom it believes, and what it takes for a header."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from ...wire.outcome import Decoded
from ...wire.proxy_malformed import LENIENT, PIECES
from ...wire.proxy_protocol import ProxyHeader
from ..finding import Finding, Tally
from ..history import Event, History
from .called import calls, name_of
from .served import servers, setup, some
from .web_seen import exchanges, header, unserved


def sent_header_is_exact(history: History, version: int, checks_too: bool) -> Finding:
    """Connections to servers begin with one header, to the letter: the client's address and port, the VIP's; checks say LOCAL.

    `checks_too`: whether every server must have been checked meanwhile.
    """
    tally = Tally(f"each connection to a server begins with one PROXY header of version {version}: the client's and the VIP's address "
                  "and port, to the letter; those of checks say LOCAL or name the balancer")  # fmt: skip
    if blocked := unserved(some(list(exchanges(history)), "call"), tally.expected):
        return blocked
    told: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for event in history.of("proxy"):
        told[event["who"], event["conn"]].append(event)
    by_token = {call["token"]: call for call in calls(history)}
    requests = {(event["who"], event["conn"]): by_token.get(event["token"]) for event in history.of("request")}
    tally.faults += [one.trouble for one in exchanges(history) if one.trouble]
    checked: Counter[str] = Counter()
    for accept in history.of("accept"):
        place = accept["who"], accept["conn"]
        if call := requests.get(place):
            if wrong := _wrong(told[place], version, call, setup(history)["services"][call["service"]]):
                tally.faults.append(f"{name_of(call)} at {accept['who']}: {wrong}")
        elif place in requests or told[place]:
            checked[accept["who"]] += 1
            if wrong := _wrong_of_check(told[place], accept):
                tally.faults.append(f"a check of {accept['who']}: {wrong}")
    if checks_too and not tally.faults:
        some([server for server in servers(history) if checked[server]], "health check")
    return tally.finding(f"{sum(map(bool, requests.values()))} connections of clients, {sum(checked.values())} of checks")


def _wrong(told: Sequence[Event], version: int, call: Event, vip: Sequence) -> str | None:
    if len(told) != 1:
        return f"{len(told)} PROXY headers"
    raw = bytes.fromhex(told[0]["raw"])
    outcome = ProxyHeader.decode(raw)
    tlvs = outcome.value.tlvs if isinstance(outcome, Decoded) else ()
    source = call["source"], call["port"]
    wanted = ProxyHeader(version, "PROXY", "TCP6" if ":" in call["source"] else "TCP4", source, (vip[0], vip[1]), tlvs).encode()
    return None if raw == wanted else f"{_shown(raw)}, not {_shown(wanted)}"


def _wrong_of_check(told: Sequence[Event], accept: Event) -> str | None:
    if len(told) != 1:
        return f"{len(told)} PROXY headers"
    one = told[0]
    if one["command"] == "LOCAL" or one["family"] == "UNKNOWN" or one["source"][0] == accept["peer"][0]:
        return None
    return f"its PROXY header names {one['source'][0]}"


def _shown(raw: bytes) -> str:
    return repr(raw.decode("latin-1")) if raw.startswith(b"PROXY") else raw.hex(" ")


def receiver_never_guesses(history: History, named: Mapping[str, str], sender: str) -> Finding:
    """At a listener for PROXY headers. `named`: label of a good header -> the client that it names; `sender`: who may send one.

    Every other label is of a beginning that must be dropped; calls from other addresses than the sender's are of strangers. A
    header that comes in two pieces may be believed or dropped (proxy-protocol.txt 2), and one of LENIENT may be read somehow.
    """
    tally = Tally("a whole header of its sender is believed; all else is dropped, and no server sees a request")
    requests = {event["token"]: event for event in history.of("request") if event["token"]}
    believed = dropped = 0
    said: list[str] = []
    for call in some([call for call in calls(history) if call["label"] != "usual"], "call with a header"):
        request, stranger = requests.get(call["token"]), call["source"] != sender
        what = f"{call['label']}, from {'a stranger' if stranger else 'its sender'}"
        if call["label"] in LENIENT and not stranger:
            said.append(f"{call['label']}: {'dropped' if request is None else f'read as {_told(request)}'}")
        elif call["label"] in named and not stranger:
            believed += 1
            if request is None and call["label"].endswith(PIECES):
                said.append(f"{call['label']}: dropped")
            elif request is None:
                tally.faults.append(f"{what}: {call['outcome']}, and no server saw the request")
            elif (address := _told(request)) != named[call["label"]]:
                tally.faults.append(f"{what}: {request['who']} is told {address}, not {named[call['label']]}")
        else:
            dropped += 1
            if request is not None:
                tally.faults.append(f"{what}: {request['who']} saw the request, from {_told(request)}")
            elif call["outcome"] == "timeout":
                tally.faults.append(f"{what}: still open after 15 s")
    told = f"{believed} good headers of the sender, {dropped} beginnings to be dropped"
    return tally.finding(f"{told}; either would do: {'; '.join(said) or 'nothing'}")


def strangers_are_not_believed(history: History, forged: Sequence[str]) -> Finding:
    """No server is told an address of `forged`, which strangers wrote in PROXY headers; ordinary calls (`usual`) are served."""
    tally = Tally("no server is told the address that a stranger's PROXY header names, and everybody else is served")
    usual = some(list(exchanges(history, "usual")), "ordinary call")
    if blocked := unserved(usual, tally.expected):
        return blocked
    tally.faults += [one.trouble for one in usual if one.trouble]
    tried = some([call for call in calls(history) if call["label"] != "usual"], "call with a header")
    of_call = {call["token"]: call["label"] for call in tried}
    for event in [*history.of("request"), *history.of("proxy")]:
        addresses = [_told(event)] if event["kind"] == "request" else [(event["source"] or [None])[0]]
        addresses += [values[-1].rpartition(",")[2].strip() for values in [header(event.get("headers", ()), "x-forwarded-for")] if values]
        tally.faults += [f"{event['who']} is told {one} ({of_call.get(event.get('token'), 'in a PROXY header')})"
                         for one in dict.fromkeys(addresses) if one in forged]  # fmt: skip
    places = sorted({call["label"].partition(", ")[2] for call in tried})
    return tally.finding(f"{len(tried)} headers of strangers ({'; '.join(places)}), {len(usual)} ordinary requests")


def _told(request: Event) -> str:
    """Whom a server takes for the client."""
    return (request["proxy"] or request["peer"])[0]
