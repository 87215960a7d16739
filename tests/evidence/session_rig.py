"""Held sessions as literals: the visit, the server's accept, both captured connections, and the echoes."""

from __future__ import annotations

from evidence_rig import at, event, served

from lbcert.evidence.history import Event


def session(user: str, server: str, number: int, *, label: str = "held", echoes: dict[str, bool] | None = None,
            to_client: dict[str, float] | None = None, at_server: dict[str, float] | None = None) -> list[Event]:  # fmt: skip
    """A session that is held from second -5 on; the dictionaries hold further facts of its two flows, times in seconds."""
    port, peer = 40000 + number, ["192.168.0.10", 50000 + number]
    conn = 100 + number
    link = f"ts{server[2:]}:eth0"
    visit = served(user, server, -5.0, label=label, held=True, port=port, conn=conn)
    visit[-1]["visit"] = number
    facts = {"link": "client:eth0", "client": "10.1.0.1", "cport": port}
    back = {"link": link, "client": peer[0], "cport": peer[1]}
    return [
        *visit,
        event(-4.999, server, "accept", conn=conn, peer=peer),
        event(-5.0, "capture", "flow", **facts, **_stamps(to_client)),
        event(-4.9991, "capture", "flow", **back, **_stamps(at_server)),
        *[event(0.0, "client", "echo", visit=number, phase=phase, ok=ok) for phase, ok in {"begin": True, **(echoes or {})}.items()],
    ]


def _stamps(facts: dict[str, float] | None) -> dict[str, int]:
    """Times become stamps; lengths of silence (quiet_…) stay lengths."""
    return {name: round(value * 1e9) if name.startswith("quiet") else at(value) for name, value in (facts or {}).items()}


def act(action: str, t: float, server: str | None = None) -> Event:
    """An administrator's act that was confirmed 10 ms after it was begun."""
    facts = {"server": server} if server else {}
    return event(t + 0.01, "harness", "admin", action=action, begun=at(t), **facts)
