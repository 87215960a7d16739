"""Histories of a web farm as literals: two servers behind a balancer with one leg at the clients and one at the servers."""

from __future__ import annotations

import itertools
from typing import Any

from evidence_rig import at, event

from lbcert.evidence.history import Event, History

VIP = "10.0.0.142"
SERVICES = {"http": [VIP, 80], "https": [VIP, 443]}
ADDRESSES = {"web1": [["192.168.2.98", 80]], "web2": [["192.168.2.99", 80]]}
INTERFACES = {
    "client": {"eth0": ["10.0.0.252"]}, "dut": {"eth0": [VIP], "eth1": ["192.168.2.1"]},
    "web1": {"eth0": ["192.168.2.98"]}, "web2": {"eth0": ["192.168.2.99"]},
}  # fmt: skip
CHECK = {"inter": 2.0, "fall": 3, "rise": 2, "timeout": 2.0, "kind": "http"}

_numbers = itertools.count(1)


def farm(*events: Event | list[Event], transparency: dict[str, Any] | None = None, check: dict[str, Any] | None = None) -> History:
    """A history that begins as a web lab's does."""
    declares = {"health_check": check or CHECK, "transparency": {"address": True, "port": False} if transparency is None else transparency}
    first = event(-10, "harness", "setup", servers=list(ADDRESSES), addresses=ADDRESSES, hosts={name: name for name in ADDRESSES},
                  services=SERVICES, interfaces=INTERFACES, declares=declares)  # fmt: skip
    flat = [one for each in events for one in (each if isinstance(each, list) else [each])]
    return History(events=[first, *flat])


def asked(source: str, server: str | None = "web1", t: float = 0.0, *, service: str = "http", peer: str | None = None, port: int = 40000,
          peer_port: int | None = None, proxy: list[Any] | None = None, headers: Any = (), label: str = "", outcome: str = "answered",
          took: float = 0.01, status: int = 200, requests: int = 1, **more: Any) -> list[Event]:  # fmt: skip
    """A call that `server` answered (None: nobody), as both ends and the capture on the client's link tell it.

    `peer`: whom the server saw at the far end; by default the client.
    """
    number = next(_numbers)
    token = f"t{number}"
    found: list[Event] = []
    if server is not None:
        seen = [peer or source, peer_port or 50000 + number]
        local = ADDRESSES.get(server, [["127.0.0.1", 80]])[0]
        found.append(event(t + took / 3, server, "accept", conn=number, peer=seen, local=local))
        found += [event(t + took / 2, server, "request", conn=number, token=token, peer=seen, proxy=proxy, headers=[list(h) for h in headers],
                        body_length=0, body_sha256="", number=turn) for turn in range(1, requests + 1)]  # fmt: skip
        found.append(event(t, "capture", "flow", link=f"{server}:eth0", client=seen[0], cport=seen[1], server=local[0], sport=local[1],
                           syn=at(t), synack=at(t), data_to_server=at(t)))  # fmt: skip
    found.append(event(t, "capture", "flow", link="client:eth0", client=source, cport=port, server=VIP, sport=SERVICES[service][1],
                       syn=at(t), synack=at(t), data_to_server=at(t), fin_to_client=at(t + took)))  # fmt: skip
    answers = outcome in ("answered", "anonymous", "short") or outcome.startswith("status")
    reply = {"status": status, "server": server and f"{server}", "set_cookie": [], "body_length": 0, "body_sha256": ""}
    facts: dict[str, Any] = {"cookies": [], "replies": [reply] * requests if answers else []}
    if service == "https":
        facts["tls"] = {"version": "TLSv1.3", "server": "aa" * 32, "problem": "", "resumed": False}
    facts |= {"call": number, "client": source, "label": label, "service": service, "source": source, "port": port, "started": at(t),
              "outcome": outcome, "answered": at(t + took) if answers else None, "server": server, "conn": number if server else None,
              "token": token, "held": False}  # fmt: skip
    found.append(event(t + took, "client", "call", **(facts | more)))
    return found
