"""The path of one request, link by link: captured on the clients' and the server's link, and inside the DUT by the kernel's tables."""

from __future__ import annotations

from typing import Any

from ..history import Event, History
from . import called, served

CLIENT_LINK = "client:eth0"
End = tuple[str, int]


def path_of(history: History, call: Event) -> dict[str, Any] | None:
    """The report's drawing of the path of `call`; None where the capture holds no such connection.

    Connections inside the DUT are those of the `processes` event that follows the call, taken while no other client was there.
    """
    first = next((flow for flow in history.of("flow", link=CLIENT_LINK) if "syn" in flow
                  and (flow["client"], flow["cport"]) == (call["source"], call["port"]) and flow["syn"] >= call["started"]), None)  # fmt: skip
    accept = called.Answers(history).accept(call)
    if first is None or accept is None:
        return None
    links = [_link("client", (first["client"], first["cport"]), "VIP", (first["server"], first["sport"]), "clients' link")]
    links += [_link("balancer", source, "balancer", target, "kernel") for source, target in hops(history, call["t"])]
    name, peer, local = call["server"], tuple(accept["peer"]), tuple(accept["local"])
    captured = any((flow["client"], flow["cport"], flow["server"]) == (*peer, local[0])
                   for flow in history.of("flow", link=served.link_of(history, name)))  # fmt: skip
    links.append(_link("balancer", peer, name, local, "server's link" if captured else "server"))
    told = next((request["proxy"] for request in history.of("request", who=name, conn=call["conn"]) if request["proxy"]), None)
    figure: dict[str, Any] = {"kind": "path", "title": f"The path of one request over {call['service'].upper()}",
                              "client": call["source"], "links": links}  # fmt: skip
    return figure | ({"told": {"address": told[0], "port": told[1]}} if told else {})


def hops(history: History, since: int) -> list[tuple[End, End]]:
    """Connections whose both ends the DUT holds, from the end that connected, in the first `processes` event after `since` (ns)."""
    event = next((event for event in history.of("processes") if event["t"] >= since), None)
    if event is None:
        return []
    pairs = {(tuple(local), tuple(remote)) for process in event["processes"] for local, remote in process["connections"]}
    listening = {tuple(pair) for pair in event["listening"]}
    return sorted((local, remote) for local, remote in pairs if (remote, local) in pairs
                  and (remote in listening or ("0.0.0.0", remote[1]) in listening))  # fmt: skip


def _link(start: str, source: End, end: str, target: End, seen: str) -> dict[str, Any]:
    return {"from": {"name": start, "address": source[0], "port": source[1]},
            "to": {"name": end, "address": target[0], "port": target[1]}, "seen": seen}  # fmt: skip
