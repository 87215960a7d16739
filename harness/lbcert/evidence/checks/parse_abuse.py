"""RDP-PARSE: clients that say nothing, say it wrongly, or say too much, and everybody else meanwhile."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import served

_SECOND = 1_000_000_000
_CLIENT_LINK = "client:eth0"
_LONG = 15.0
"""s: the patience of a client (deadlines.PATIENCE, answer)"""


class Links:
    """Connections as captured: on the clients' link, and on the servers'."""

    def __init__(self, history: History):
        self._client: dict[tuple, Event] = {}
        self._server: dict[tuple, list[Event]] = {}
        for flow in history.of("flow"):
            if flow["link"] == _CLIENT_LINK:
                self._client[flow["client"], flow["cport"]] = flow
            elif flow["link"].startswith("ts"):
                self._server.setdefault((flow["client"], flow["cport"], flow["server"], flow["sport"]), []).append(flow)

    def client(self, visit: Event) -> Event:
        return self._client.get((visit["source"], visit["port"]), {})

    def server(self, accept: Event) -> Event:
        """The last flow that can be this accepted connection: ports are used again."""
        found = self._server.get((*accept["peer"], *accept["local"]), [])
        before = [flow for flow in found if flow["t"] <= accept["t"]]
        return before[-1] if before else {}


def _closed(flow: Event) -> int | None:
    """When the far end closed towards the client of a flow."""
    return min((flow[key] for key in ("fin_to_client", "rst_to_client") if key in flow), default=None)


def _prompt_service(history: History, tally: Tally, label: str) -> str:
    """Whether each visit with `label` was served within 1 s; says how many were."""
    requests, waits = served.Requests(history), served.Waits(history)
    everyone = served.some(served.visits(history, label), f"visit of an ordinary client ({label})")
    prompt = 0
    for visit in everyone:
        if requests.server(visit) is None:
            tally.faults.append(f"{served.name_of(visit)}, ordinary: {served.outcome_text(visit)}")
        elif (took := waits.answer(visit)) > deadlines.PROMPT:
            tally.faults.append(f"{served.name_of(visit)}, ordinary: Confirm only after {took:.2f} s")
        else:
            prompt += 1
    return f"{prompt} of {len(everyone)} ordinary clients were served within {deadlines.PROMPT:g} s"


def silent_clients_are_bounded(history: History) -> Finding:
    """RDP-PARSE-06: clients without a whole request are handed to a server, or closed, in time, and hold up nobody.

    Visits: `silent`, `partial`, and `usual` clients meanwhile. A server speaks first to whom it has waited for, so that an
    answered client is one that was handed on; when, is the first packet of that connection on the server's link.
    """
    bound = deadlines.INSPECTION_CEILING + deadlines.MARGIN
    tally = Tally(f"A client that sends nothing, or five bytes, is handed to a server or closed within "
                  f"{deadlines.INSPECTION_CEILING:g} s + {deadlines.MARGIN:g} s; ordinary clients are served within "
                  f"{deadlines.PROMPT:g} s meanwhile.")  # fmt: skip
    links = Links(history)
    accepts: dict[tuple[str, int], list[Event]] = {}
    for event in history.of("accept"):
        accepts.setdefault((event["who"], event["conn"] & 0xFFF), []).append(event)
    slow = [visit for label in ("silent", "partial") for visit in served.some(served.visits(history, label), f"{label} client")]
    waits, ways = [], Counter()
    for visit in slow:
        flow = links.client(visit)
        opened = flow.get("synack", visit["started"])
        if visit["outcome"] == "answered":
            ways["handed on"] += 1
            accept = [one for one in accepts[visit["server"], visit["conn"]] if one["t"] <= visit["answered"]][-1]
            at = links.server(accept).get("syn", accept["t"])
        elif visit["outcome"] in ("closed", "reset", "refused"):
            ways["closed"] += 1
            at = _closed(flow) or visit["t"]
        else:
            tally.faults.append(f"{visit['label']} client {visit['source']}: neither handed on nor closed in {_LONG:g} s")
            continue
        waits.append(max(0.0, (at - opened) / _SECOND))
        if waits[-1] > bound:
            tally.faults.append(f"{visit['label']} client {visit['source']}: held for {waits[-1]:.2f} s")
    usual = _prompt_service(history, tally, "usual")
    observed = f"of {len(slow)} slow clients {ways['handed on']} were handed on and {ways['closed']} closed"
    measured: list[dict[str, Any]] = []
    if waits:
        observed += f", after {max(waits):.2f} s at most"
        measured.append({"id": "inspection-time", "value": round(max(waits), 3), "unit": "s", "error": 0.001,
                         "requirement": "RDP-PARSE-06"})  # fmt: skip
    start = min(visit["started"] for visit in slow)
    return tally.finding(f"{observed}; {usual}", window=(start, max(visit["t"] for visit in served.visits(history))),
                         margin=deadlines.MARGIN, measurements=tuple(measured))  # fmt: skip


def _unharmed(history: History, tally: Tally, first: str, later: str) -> str:
    """Whether users are `later` where they were `first`; says how many are."""
    requests = served.Requests(history)
    homes: dict[str, str | None] = {}
    for visit in served.visits(history, first):
        homes.setdefault(visit["user"], requests.server(visit))
    back = served.some(served.visits(history, later), f"visit of a known user ({later})")
    right = 0
    for visit in back:
        server, home = requests.server(visit), homes[visit["user"]]
        if server is None or server != home:
            where = f"{server} instead of {home}" if server else served.outcome_text(visit)
            tally.faults.append(f"{_short(visit['user'])}: {where}")
        else:
            right += 1
    return f"{right} of {len(back)} visits of known users reached the user's server"


def _short(user: str) -> str:
    return f"user {user}" if len(user) <= 40 else f"user {user[:8]}… ({len(user)} bytes)"


def malformed_does_no_harm(history: History) -> Finding:
    """RDP-PARSE-07: whatever malformed requests come, clients learn of their server's close, and nobody else notices.

    Visits: `known` users before and `again` after; `held` sessions, of which an `echo` tells that they live; `M-01` to
    `M-07`, no two alike; `next` clients after each kind; `odd` and `noise`, which are judged by what they do to others.
    """
    tally = Tally(f"After malformed requests the product goes on: ordinary clients are served within {deadlines.PROMPT:g} s, known "
                  f"users keep their server, held sessions live; where the server drops the connection, the client is told "
                  f"within {deadlines.CLOSE_WITHIN:g} s.")  # fmt: skip
    links = Links(history)
    received = {event["bytes"]: event for event in history.of("request")}
    accepts = {(event["who"], event["conn"]): event for event in history.of("accept")}
    dropped, told = 0, []
    malformed = [visit for visit in served.visits(history) if visit["label"].startswith("M-")]
    for visit in served.some(malformed, "malformed request"):
        record = received.get(visit["sent"])
        if record is None or "malformed" not in record:
            if visit["outcome"] in ("timeout", "unreachable"):
                tally.faults.append(f"{visit['label']}: neither handed on nor closed in {_LONG:g} s")
            continue
        dropped += 1
        closed = _closed(links.server(accepts[record["who"], record["conn"]])) or record["t"]
        seen = _closed(links.client(visit))
        if seen is None:
            tally.faults.append(f"{visit['label']}: {record['who']} closed, its client was never told")
        elif (late := (seen - closed) / _SECOND) > deadlines.CLOSE_WITHIN:
            tally.faults.append(f"{visit['label']}: its client was told {late:.2f} s after {record['who']} had closed")
        else:
            told.append(late)
    following = _prompt_service(history, tally, "next")
    known = _unharmed(history, tally, "known", "again")
    echoes = list(served.some(list(history.of("echo")), "echo of a held session"))
    alive = sum(echo["ok"] for echo in echoes)
    if alive < len(echoes):
        tally.faults.append(f"{len(echoes) - alive} of {len(echoes)} sessions held meanwhile were lost")
    for event in history.of("exit"):
        if event["status"]:
            tally.faults.append(f"a process of the product ended ({event['process']}, status {event['status']})")
    observed = (f"{dropped} of {len(malformed)} malformed requests reached a server, which dropped them; {len(told)} of their "
                f"clients were told in time; {following}; {known}; {alive} of {len(echoes)} held sessions live")  # fmt: skip
    start = min(visit["started"] for visit in malformed)
    return tally.finding(observed, window=(start, max(visit["t"] for visit in served.visits(history))),
                         margin=deadlines.PROMPT, silence=True)  # fmt: skip


def largest_request_is_persisted(history: History) -> Finding:
    """RDP-PARSE-10: users with the longest name keep their server, also after requests that are too long.

    Visits: `largest` (many of each user) and `overflow` (passed or refused, but not left waiting).
    """
    tally = Tally("Users whose request has the largest legal length are served and always reach one server; requests beyond it are "
                  "passed or refused and harm nobody.")  # fmt: skip
    known = _unharmed(history, tally, "largest", "largest")
    beyond = served.some(served.visits(history, "overflow"), "request that is too long")
    reached = {event["bytes"] for event in history.of("request")}
    ways = Counter("passed" if visit["sent"] in reached else visit["outcome"] for visit in beyond)
    for visit in beyond:
        if visit["outcome"] in ("timeout", "unreachable"):
            tally.faults.append(f"too long a request from {visit['source']}: {served.outcome_text(visit)}")
    said = ", ".join(f"{count} {way}" for way, count in ways.items())
    return tally.finding(f"{known}; requests that are too long: {said}", Verdict.NON_STRICT)
