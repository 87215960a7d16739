"""Of a web farm: the path of one request, and the table of what reaches the servers of a client.

Coordinates as in `charts`: a drawing 360 wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WIDTH = 360
_LEFT, _TOP, _BOX, _GAP = 10, 4, 26, 52
_ARROW = 34
"""x of the arrow between two stations; its words stand to the right of it"""

#: Where a connection was seen, in words.
SEEN = {
    "clients' link": "captured on the clients' link",
    "server's link": "captured on the server's link",
    "kernel": "inside the balancer, from its kernel's tables",
    "server": "as the server saw it",
}
#: The means by which servers are told, as columns: key, title, and whether a port goes with it.
MEANS = (("tcp", "far end of TCP", True), ("proxy", "PROXY header", True), ("forwarded", "X-Forwarded-For", False))


def path(figure: Mapping[str, Any]) -> dict[str, Any]:
    """Stations from top to bottom, and between them the two ends of each connection."""
    client, links = figure["client"], figure["links"]
    stations, arrows = [], []
    for number, link in enumerate(links):
        y = _TOP + number * (_BOX + _GAP)
        name = link["from"]["name"] if number == 0 else links[number - 1]["to"]["name"]
        stations.append({"name": _station(name), "y": y, "text_y": y + 17})
        kept = link["from"]["address"] == client
        arrows.append({
            "x": _ARROW, "y": y + _BOX, "y_end": y + _BOX + _GAP, "kept": kept, "text_y": y + _BOX + 15,
            "from": _end(link["from"]), "to": _end(link["to"]), "note": SEEN[link["seen"]],
            "full_label": f"{_end(link['from'])} to {_end(link['to'])}, {SEEN[link['seen']]}",
        })  # fmt: skip
    y = _TOP + len(links) * (_BOX + _GAP)
    stations.append({"name": links[-1]["to"]["name"], "y": y, "text_y": y + 17})
    told = figure.get("told")
    words = f"told by a PROXY header: {_end(told)}" if told else ""
    text = f"The client is {client}. " + "; ".join(arrow["full_label"] for arrow in arrows) + (f"; the server was {words}" if told else "") + "."
    return {"kind": "path", "title": figure["title"], "zero": "", "width": WIDTH, "height": y + _BOX + (24 if told else 6),
            "left": _LEFT, "right": WIDTH - _LEFT, "box": _BOX, "stations": stations, "arrows": arrows, "told": words,
            "told_y": y + _BOX + 16, "told_kept": bool(told) and told["address"] == client, "text": text}  # fmt: skip


def _station(name: str) -> str:
    return {"client": "Client", "VIP": "Balancer", "balancer": "Balancer, second stage"}.get(name, name)


def _end(end: Mapping[str, Any]) -> str:
    address = end["address"]
    return f"[{address}]:{end['port']}" if ":" in address else f"{address}:{end['port']}"


def kept(figure: Mapping[str, Any]) -> dict[str, Any]:
    """A table: for each service, address and port by each means."""
    head = [title if which == "address" else f"{title}: port" for _, title, port in MEANS for which in (["address", "port"] if port else ["address"])]
    rows = [{"name": row["service"].upper(), "cells": _cells(row, figure.get("declared"))} for row in figure["rows"]]
    return {"kind": "kept", "title": figure["title"], "zero": "", "head": head, "rows": rows}


def _cells(row: Mapping[str, Any], declared: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    cells = []
    for key, _, port in MEANS:
        for which in ("address", "port") if port else ("address",):
            told = row[key]
            count = None if told is None else told[which]
            state = "none" if count is None else "yes" if count == row["total"] else "no" if count == 0 else "some"
            words = {"none": "not sent", "yes": "client's", "no": "not the client's", "some": "not always"}[state]
            note = _note(key, which, declared) if declared and state in ("no", "some") else ""
            cells.append({"state": state, "words": words, "count": "" if count is None else f"{count} of {row['total']}", "note": note})
    return cells


def _note(key: str, which: str, declared: Mapping[str, Any]) -> str:
    """Why it is no fault that servers do not learn it by these means; empty if it is one, or nothing says that it is none."""
    by_header = declared["by"] != "tcp"
    if key == "tcp" and by_header:
        return "not claimed"
    if which == "port" and key == ("proxy" if by_header else "tcp"):
        return {False: "as declared", None: "not claimed"}.get(declared["port"], "")
    return ""


def summary(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The tables of all deployments of a run as one; None where no test made one."""
    head, rows = [], []
    for deployment in report["deployments"]:
        for requirement in deployment["requirements"]:
            for test in requirement["tests"]:
                for figure in test.get("figures", ()):
                    if figure["kind"] == "kept":
                        table = kept(figure)
                        head = table["head"]
                        rows += [{**row, "deployment": deployment["id"]} for row in table["rows"]]
    return {"head": head, "rows": rows} if rows else None
