"""Histories of calls to a pool as literals: seconds instead of nanoseconds, numbers made up where they do not matter."""

from __future__ import annotations

import itertools
from typing import Any

from evidence_rig import at, event
from lbcert.evidence.history import Event, History

FRONT_ENDS = ("fe1", "fe2", "fe3")
PORTS = {"sip-tls": 5061, "sip": 5060, "web": 443}
"""a table of three ports stands for that of twelve"""

_calls, _conns, _sources = itertools.count(1), itertools.count(1), itertools.count(20000)


def pool(*events: Event | list[Event], servers=FRONT_ENDS, persistence: dict[str, Any] | None = None, product=("10.10.2.20",),
         arms: int = 1, vip: dict[str, str] | None = None) -> History:  # fmt: skip
    """A history that begins as that of a pool does; `vip`: addresses of services that are not on the usual one."""
    first = event(
        -10, "harness", "setup", servers=list(servers), declares={"persistence": persistence} if persistence else {},
        product=list(product), arms=arms, hosts={name: name for name in servers},
        services={name: [(vip or {}).get(name, "10.10.2.20"), port] for name, port in PORTS.items()},
        certificates={name: "11" * 32 for name in servers},
        addresses={name: [[f"10.10.2.{n}", port] for port in PORTS.values()] for n, name in enumerate(servers, 4)},
    )  # fmt: skip
    return History(events=[first, *(one for each in events for one in (each if isinstance(each, list) else [each]))])


def accepted(server: str, port: int, t: float, *kinds: str, conn: int | None = None, peer: str = "10.10.2.20") -> list[Event]:
    """A connection at a server, and what happened on it."""
    conn = next(_conns) if conn is None else conn
    return [event(t, server, "accept", conn=conn, peer=[peer, 50000], local=["10.10.2.4", port]),
            *(event(t, server, kind, conn=conn, token="somebody's") for kind in kinds)]  # fmt: skip


def answered(client: str, service: str, server: str, t: float = 0.0, *, took: float = 0.01, label: str = "", port: int | None = None,
             peer: str = "10.10.2.20", held: bool = False, record: bool = True, token: str | None = None) -> list[Event]:  # fmt: skip
    """A call that `server` answered, as both ends tell it; `port`: at which the server had it. Without `record` it had none."""
    call, conn = _call(client, service, t, took, label, held, "answered"), next(_conns)
    call |= {"server": server, "conn": conn, "answered": at(t + took)}
    if not record:
        return [call]
    accept = accepted(server, PORTS[service] if port is None else port, t + took / 2, conn=conn, peer=peer)
    return [*accept, event(t + took / 2, server, "request", conn=conn, token=call["token"] if token is None else token), call]


def unanswered(client: str, service: str, outcome: str = "refused", t: float = 0.0, *, took: float = 0.01, label: str = "") -> Event:
    return _call(client, service, t, took, label, False, outcome)


def _call(client, service, t, took, label, held, outcome) -> Event:
    number = next(_calls)
    return event(t + took, "client", "call", call=number, client=client, label=label, service=service, source=client,
                 port=next(_sources), started=at(t), outcome=outcome, answered=None, server=None, conn=None, token=f"c{number}",
                 held=held)  # fmt: skip


def left(call: list[Event], t: float, how: str = "left") -> Event:
    """The end of a held call."""
    return event(t, "client", "call-end", call=call[-1]["call"], port=call[-1]["port"], how=how)


def echo(call: list[Event], phase: str = "full", ok: bool = True) -> Event:
    return event(5, "client", "echo", call=call[-1]["call"], phase=phase, ok=ok)


def syn(call: Event | list[Event], t: float, link: str = "client:eth0", **more: float) -> Event:
    """The connection of a call as captured; `more`: further stamps, in seconds."""
    call = call[-1] if isinstance(call, list) else call
    return event(t, "capture", "flow", link=link, client=call["source"], cport=call["port"], server="10.10.2.20", sport=5061,
                 syn=at(t), **{name: at(seconds) for name, seconds in more.items()})  # fmt: skip
