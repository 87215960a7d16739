"""Calls to a pool as literals: who was answered by whom, held connections with both of their captured halves, faults, marks."""

from __future__ import annotations

import itertools
from typing import Any

from evidence_rig import CHECK, at, event

from lbcert.evidence.history import Event, History

POOL = ("fe1", "fe2", "fe3")
SERVICES = {"sip": 5060, "sip-tls": 5061, "focus": 444}
VIP = "10.10.2.20"
_calls, _conns = itertools.count(1), itertools.count(1)


def pool(*events: Event | list[Event], check=CHECK, fallback: bool = True, **declares: Any) -> History:
    """A history that begins as every test's of a pool does."""
    hosts = {name: name for name in POOL} | ({"fallback": "dut"} if fallback else {})
    first = event(-10, "harness", "setup", servers=list(POOL), hosts=hosts, declares={"health_check": check, **declares},
                  services={name: [VIP, port] for name, port in SERVICES.items()})  # fmt: skip
    flat = [one for each in events for one in (each if isinstance(each, list) else [each])]
    return History(events=[first, *flat])


def call(client: str, server: str | None, t: float = 0.0, *, service: str = "sip", label: str = "", took: float = 0.01,
         outcome: str = "closed", held: bool = False, **facts: Any) -> list[Event]:  # fmt: skip
    """A call that `server` answered, as both ends tell it; without a server, one that came to this outcome."""
    number, conn = next(_calls), next(_conns)
    told = {"call": number, "client": client, "label": label, "service": service, "source": client, "port": 20000 + number,
            "started": at(t), "held": held, "token": f"t{number}", **facts}  # fmt: skip
    if server is None:
        return [event(t + took, "client", "call", **told, outcome=outcome, answered=None, server=None, conn=None)]
    return [
        event(t, server, "accept", conn=conn, peer=[VIP, 50000 + conn], local=["10.10.2.4", SERVICES[service]]),
        event(t, server, "request", conn=conn, token=f"t{number}"),
        event(t + took, "client", "call", **told, outcome="answered", answered=at(t + took), server=server, conn=conn),
    ]


def hold(client: str, server: str, *, label: str = "held", service: str = "sip", echoes: dict[str, bool] | None = None,
         to_client: dict[str, float] | None = None, at_server: dict[str, float] | None = None, **facts: Any) -> list[Event]:  # fmt: skip
    """A connection that is held from second -5 on; the dictionaries hold further facts of its two flows, times in seconds."""
    made = call(client, server, -5.0, label=label, service=service, held=True, **facts)
    told, accept = made[-1], made[0]
    return [
        *made,
        event(-5.0, "capture", "flow", link="client:eth0", client=client, cport=told["port"], **_stamps(to_client)),
        event(-5.0, "capture", "flow", link=f"{server}:eth0", client=VIP, cport=accept["peer"][1], **_stamps(at_server)),
        *[event(0.0, "client", "echo", call=told["call"], phase=phase, ok=ok) for phase, ok in {"begin": True, **(echoes or {})}.items()],
    ]


def _stamps(facts: dict[str, float] | None) -> dict[str, int]:
    """Times become stamps; lengths (pause) stay lengths."""
    return {name: round(value * 1e9) if name == "pause" else at(value) for name, value in (facts or {}).items()}


def told(events: list[Event]) -> Event:
    """The call among the events of one."""
    return next(one for one in events if one["kind"] == "call")


def opened(server: str, port: int, *times: float) -> list[Event]:
    """Connections opened towards a Front End's port, as captured on its link."""
    return [event(t, "capture", "flow", link=f"{server}:eth0", client=VIP, cport=1, sport=port, syn=at(t)) for t in times]


def fault(server: str, t: float = 0.0, how: str = "dark", **facts: Any) -> Event:
    return event(t, "lab", "fault", fault=how, server=server, **facts)


def restored(server: str, t: float, how: str = "dark") -> Event:
    return event(t, "lab", "restore", fault=how, server=server)


def mark(name: str, t: float) -> Event:
    return event(t, "harness", "mark", name=name)
