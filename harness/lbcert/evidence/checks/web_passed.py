"""TP-HTTP: whether requests and answers arrive as they were sent, and what servers are told of the client's scheme.

What a proxy owes both ends: RFC 9110, sections 5.3 (fields of one name keep their order, and may be combined), 7.2 (Host), 7.6 (what
belongs to one connection) and 7.7 (transformations). What may differ is named here; all else may not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from .called import calls, name_of
from .served import some
from .web_seen import Exchange, added, exchanges, header, unserved

HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "expect"}
"""of one connection, or about how a body is framed on it (RFC 9110, 7.6.1 and 10.1.1)"""
OF_PROXIES = {"forwarded", "via", "x-real-ip", "x-client-ip"}
"""that proxies write about themselves and their client, besides all X-Forwarded-..."""
NEGOTIATED = {"accept-encoding"}
"""that a gateway may answer for the server: it may compress by itself, or forbid it"""
OF_ANSWERS = {"date", "server", "via", "set-cookie", "cache-control"}
"""that a gateway writes itself (RFC 9110, 6.6.1 and 10.2.4), or adds to (TP-COOKIE-01, -03)"""
MEANING = {
    "accept", "accept-charset", "accept-language", "authorization", "cookie", "from", "host", "if-match", "if-modified-since", "if-none-match",
    "if-range", "if-unmodified-since", "origin", "range", "referer", "user-agent", "x-requested-with", "x-http-method-override",
    "content-disposition", "content-encoding", "content-language", "content-location", "content-range", "content-type", "etag", "expires",
    "last-modified", "location", "refresh", "retry-after", "www-authenticate",
}  # fmt: skip
"""fields that say what a message means: nobody between its ends adds one"""
SCHEMES = {
    "x-forwarded-proto": ("http", "https"), "x-forwarded-scheme": ("http", "https"), "x-url-scheme": ("http", "https"),
    "x-forwarded-protocol": ("http", "https"), "x-forwarded-ssl": ("off", "on"), "front-end-https": ("off", "on"),
}  # fmt: skip
"""field -> what it says of a client over HTTP and over HTTPS, as servers' manuals have it; absent is as good as the first"""

Rows = Sequence[Sequence[str]]


def requests_pass_unchanged(history: History) -> Finding:
    """TP-HTTP-01: each request (event `sent`; the call's label says of what form) reaches one server once, and as it was."""
    tally = Tally("every request reaches a server once, with its method, target, host, other fields and body as its client sent them")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    sent = {event["call"]: event["requests"] for event in history.of("sent")}
    times = Counter(request["token"] for request in history.of("request"))
    good = 0
    wanted: Counter[str] = Counter()
    for one in seen:
        who = f"{one.name}, {one.call['label']}"
        if one.request is None:
            tally.faults += [f"{one.trouble} ({one.call['label']})"] if one.trouble else []
            continue
        wanted[one.call["token"]] += 1
        faults = list(_changes(sent[one.call["call"]][one.number], one.request, first=not one.number))
        tally.faults += [f"{who}: {fault}" for fault in faults]
        good += not faults
    tally.faults += [f"{name_of(call)}, {call['label']}: servers saw {times[call['token']]} requests, {wanted[call['token']]} of them answered"
                     for call in calls(history) if call["token"] in wanted and times[call["token"]] > wanted[call["token"]]]  # fmt: skip
    return tally.finding(f"{good} of {sum(wanted.values())} requests arrived so, of {len({one.call['label'] for one in seen})} forms")


def _changes(sent: dict[str, Any], came: Event, first: bool) -> Iterator[str]:
    """`first`: on its connection; later ones may show the balancer's cookie, which servers do not see (TP-COOKIE-02)."""
    for part in ("method", "target"):
        if sent[part] != came[part]:
            yield f"{came['who']} was asked {came[part]!r}, not {sent[part]!r}"
    yield from _fields(sent["headers"], came["headers"], came["who"], HOP | OF_PROXIES | NEGOTIATED | (set() if first else {"cookie"}))
    yield from _body(sent, came, came["who"])


def answers_pass_unchanged(history: History) -> Finding:
    """TP-HTTP-02: each answer (event `said` of the server; the call's label says of what form) reaches its client as it was."""
    tally = Tally("every answer reaches its client with its status, fields and body as the server sent them")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    said = {(event["who"], event["conn"], event["number"]): event for event in history.of("said")}
    good = count = 0
    for one in seen:
        who = f"{one.name}, {one.call['label']}"
        if one.request is None or one.reply is None:
            tally.faults += [f"{one.trouble} ({one.call['label']})"] if one.trouble else []
            continue
        count += 1
        faults = list(_differences(one, said[one.request["who"], one.request["conn"], one.request["number"]]))
        tally.faults += [f"{who}: {fault}" for fault in faults]
        good += not faults
    return tally.finding(f"{good} of {count} answers arrived so, of {len({one.call['label'] for one in seen})} forms")


def _differences(one: Exchange, said: Event) -> Iterator[str]:
    assert one.reply is not None
    if one.reply["status"] != said["status"]:
        yield f"the client got status {one.reply['status']}, not {said['status']}"
    yield from _fields(said["headers"], one.reply["headers"], "the client", HOP | OF_ANSWERS)
    own = header(said["headers"], "set-cookie")
    if (lines := [line for line in one.reply["set_cookie"] if line in own]) != own:
        yield f"the client got Set-Cookie {_short(lines)} of the server's, not {_short(own)}"
    if not added(one.reply, own) and (told := header(one.reply["headers"], "cache-control")) != (was := header(said["headers"], "cache-control")):
        yield f"the client got Cache-Control {told}, not {was}"
    if one.call["wrong"]:
        yield f"what came is no answer: {one.call['wrong']}"
    yield from _body(said, one.reply, "the client")


def _fields(sent: Rows, came: Rows, receiver: str, exempt: Collection[str]) -> Iterator[str]:
    """What became of each field, name by name. Order within a name counts, and several may have become one (RFC 9110, 5.3)."""
    before, after = _by_name(sent), _by_name(came)
    for name in before:
        if name in exempt or name.startswith("x-forwarded-"):
            continue
        got = after.get(name, [])
        if got != before[name] and got != [", ".join(before[name])]:
            yield f"{receiver} got {name} {_short(got)}, not {_short(before[name])}"
    for name in sorted((after.keys() - before.keys()) & (MEANING - set(exempt))):
        yield f"{receiver} got {name} {_short(after[name])}, which was not sent"


def _by_name(rows: Rows) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in rows:
        found[name.lower()].append(value)
    return found


def _short(values: list[str]) -> str:
    text = " and ".join(repr(value) for value in values)
    return f"{text[:80]}... ({len(text)} letters)" if len(text) > 100 else text or "not at all"


def _body(sent: dict[str, Any], came: dict[str, Any], receiver: str) -> Iterator[str]:
    if came["body_length"] != sent["body_length"]:
        yield f"{receiver} got a body of {came['body_length']} bytes, not {sent['body_length']}"
    elif came["body_length"] and came["body_sha256"] != sent["body_sha256"]:
        yield f"{receiver} got a body of other bytes"


def scheme_is_told(history: History) -> Finding:
    """TP-HTTP-03: one field tells the servers for each request whether it came over HTTPS, whatever the client wrote (its label)."""
    tally = Tally("a field tells the servers for every request whether its client came over HTTPS, whatever the client wrote there")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    tally.faults += [one.trouble for one in seen if one.trouble]
    asked = [one for one in seen if one.request is not None]
    honest = [one for one in asked if one.call["service"] == "https" and not one.call["label"]]
    used = [name for name in SCHEMES if all(_said(one, name) for one in some(honest, "request over HTTPS that claims nothing"))]
    wrong = {name: [one for one in asked if not _is_true(one, name)] for name in used}
    good = [name for name in used if not wrong[name]]
    if not used:
        tally.faults.append(f"no field says so: {', '.join(SCHEMES)} were looked for")
    elif not good:
        name, lies = min(wrong.items(), key=lambda item: len(item[1]))
        tally.faults += [f"{one.name}, {one.call['label'] or 'claiming nothing'}: {name} is {_short(_said(one, name))} at {one.server}" for one in lies]
    return tally.finding(f"{len(asked)} requests; {' and '.join(good or used) or 'nothing'} told the scheme", Verdict.NON_STRICT)


def _said(one: Exchange, name: str) -> list[str]:
    assert one.request is not None
    return header(one.request["headers"], name)


def _is_true(one: Exchange, name: str) -> bool:
    """Whether the field says one thing, and that is so."""
    said = [value.lower() for value in _said(one, name)]
    plain, secure = SCHEMES[name]
    return said == [secure] if one.call["service"] == "https" else said in ([], [plain])
