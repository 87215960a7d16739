"""What can happen to a real server. Each fault is an event of the history, stamped when it took effect.

The faults are separate because each reveals something of its own (catalogue 2.2): a crash refuses at once, a dark
host leaves everybody waiting, a hung one still completes TCP handshakes, a refusing one keeps its sessions.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .deadlines import patience

if TYPE_CHECKING:
    from .endpoints.control import MockServer
    from .lab import Lab

DETECTED_AS = {"crash": "refused", "refuse": "refused", "dark": "dark", "hang": "hung"}
"""which detection bound a fault falls under"""


def crash(lab: Lab, server: MockServer) -> int:
    """SIGKILL: the kernel closes its sockets, the port refuses. Returns when that is so; time in ns."""
    server.running = False
    stamp = lab.broker.kill(server.pid)
    server.detach()
    return _note(lab, server, "crash", stamp)


def hang(lab: Lab, server: MockServer) -> int:
    """SIGSTOP: connections are still accepted, by the kernel, and nothing answers."""
    stamp = lab.broker.request("signal", pid=server.pid, number=int(signal.SIGSTOP))["t"]
    server.stopped = True
    return _note(lab, server, "hang", stamp)


def refuse(lab: Lab, server: MockServer, ports: Sequence[int] = ()) -> int:
    """Close the listeners, or those on `ports` alone; sessions go on."""
    before = server.count("refusing")
    server.tell("refuse", ports=list(ports) or None)
    lab.wait(f"{server.name} refuses", lambda: server.count("refusing") > before, patience("report"))
    return _note(lab, server, "refuse", None, **({"ports": list(ports)} if ports else {}))


def dark(lab: Lab, server: MockServer) -> int:
    """Drop every IP packet to and from the host."""
    stamp = lab.broker.request("dark", host=server.host, on=True)["t"]
    return _note(lab, server, "dark", stamp)


def restore(lab: Lab, server: MockServer, fault: str) -> int:
    """Undo a fault: the server is as it was before, without the sessions that the fault ended."""
    stamp = None
    if fault == "crash":
        lab.start_server(server)
    elif fault == "hang":
        stamp = lab.broker.request("signal", pid=server.pid, number=int(signal.SIGCONT))["t"]
        server.stopped = False
    elif fault == "refuse":
        before = server.count("listening")
        server.tell("listen")
        lab.wait(f"{server.name} listens", lambda: server.count("listening") > before, patience("report"))
    else:
        stamp = lab.broker.request("dark", host=server.host, on=False)["t"]
    return lab.history.add("lab", "restore", stamp, fault=fault, server=server.name)["t"]


def _note(lab: Lab, server: MockServer, fault: str, stamp: int | None, **facts: Any) -> int:
    return lab.history.add("lab", "fault", stamp, fault=fault, server=server.name, **facts)["t"]


FAULTS = {"crash": crash, "hang": hang, "refuse": refuse, "dark": dark}
