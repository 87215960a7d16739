"""Calls of web clients as literals, page by page, as both ends tell them; the farm is that of `web_rig`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from evidence_rig import at, event
from web_rig import ADDRESSES, SERVICES

from lbcert.evidence.history import Event

_calls, _conns = itertools.count(1000), itertools.count(1000)
INDEX = {name: number for number, name in enumerate(ADDRESSES, start=1)}


@dataclass
class Page:
    """One request and its answer. `server` None: answered by somebody else; `status` None: not answered at all."""

    server: str | None = "web1"
    sets: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """Cookie headers of the request"""
    came: list[str] | None = None
    """of it at the server; None: as shown"""
    status: int | None = 200
    headers: list[list[str]] = field(default_factory=list)
    """of the answer"""
    method: str = "GET"
    target: str = "/page"


def seen(client: str, *pages: Page, service: str = "http", label: str = "", source: str = "172.20.0.1", token: str = "",
         outcome: str = "answered", port: int = 40000, proxy: list[Any] | None = None, **more: Any) -> list[Event]:  # fmt: skip
    """One call with these pages on one connection."""
    number = next(_calls)
    token = token or f"t{number}"
    events, replies = [], []
    last = None
    for turn, page in enumerate(pages, start=1):
        who = None
        if page.server is not None:
            conn, last = next(_conns), page.server
            who = f"fe={INDEX[page.server]}; conn={conn}"
            came = page.shown if page.came is None else page.came
            peer = [source, port]
            events.append(event(0, page.server, "accept", conn=conn, peer=peer, local=ADDRESSES[page.server][0]))
            events.append(event(0, page.server, "request", conn=conn, token=token, method=page.method, target=f"{page.target}?token={token}",
                                headers=[["cookie", one] for one in came], body_length=0, number=turn, peer=peer, proxy=proxy))  # fmt: skip
        if page.status is not None:
            told = [["X-Lbcert-Token", token]] if page.server else []
            replies.append({"status": page.status, "version": "1.1", "server": who, "set_cookie": page.sets, "headers": told + page.headers,
                            "body_length": 0, "body_sha256": ""})  # fmt: skip
    facts = {"call": number, "client": client, "label": label, "service": service, "source": source, "port": port, "started": at(0),
             "outcome": outcome, "answered": at(0.01), "server": last, "conn": None, "token": token, "held": False, "wrong": None,
             "asked": [[page.method, page.target] for page in pages], "shown": [page.shown for page in pages], "replies": replies,
             "cookies": []}  # fmt: skip
    assert service in SERVICES
    return [*events, event(0.01, "client", "call", **(facts | more))]
