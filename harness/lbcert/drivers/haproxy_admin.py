"""What an administrator does to a running HAProxy: drain a server, put it back, reload.

Sources: HAProxy management guide 9.3 (`set server`, `show servers state`, `show info`), 3 (`-sf`, `-x`) and 4
(reloading; SIGUSR2 to the master of a master-worker process).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from ..deadlines import PATIENCE
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from .base import DriverError

ADMIN_SOCKET = "/run/lbcert/admin.sock"
_BROKER = 1
"""pid of the lab's first process, the parent of what it started and of what became a daemon"""


def ask(lab: Broker, command: str) -> str:
    """Send a command to the admin socket of the running HAProxy; returns its answer."""
    chunks = []
    with lab.unix(DUT_HOST, ADMIN_SOCKET) as sock:
        sock.settimeout(PATIENCE["report"])
        sock.sendall(command.encode() + b"\n")
        while chunk := sock.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks).decode(errors="replace")


def set_state(lab: Broker, address: str, state: str) -> None:
    """Give every `server` line with this address the administrative state `state` (drain, ready)."""
    for name in _named(ask(lab, "show servers state"), address):
        if answer := ask(lab, f"set server {name} state {state}").strip():
            raise DriverError(f"HAProxy, set server {name} state {state}: {answer}")


def _named(table: str, address: str) -> list[str]:
    """BACKEND/SERVER of each server with this address, from `show servers state`."""
    found = server_names(table, address)
    if not found:
        raise DriverError(f"HAProxy knows no server with the address {address}")
    return found


def server_names(table: str, address: str | None = None) -> list[str]:
    """BACKEND/SERVER of each server in `show servers state` (columns by name), or of those with this address."""
    lines = table.splitlines()
    header = next((line[2:].split() for line in lines if line.startswith("# ")), [])
    rows = [dict(zip(header, line.split(), strict=False)) for line in lines if not line.startswith("#")]
    return [f"{row['be_name']}/{row['srv_name']}" for row in rows
            if "srv_name" in row and address in (None, row.get("srv_addr"))]  # fmt: skip


def reload(lab: Broker, start: Callable[[list[str]], int]) -> None:
    """Have a new process take over the sockets while the old one finishes its sessions; returns once it has.

    `start` starts HAProxy with further arguments. A master is told to do the same by itself.
    """
    old = _pid(lab)
    master = lab.request("parent", pid=old)["parent"]
    if master == _BROKER:
        start(["-x", ADMIN_SOCKET, "-sf", str(old)])
    else:
        lab.request("signal", pid=master, number=int(signal.SIGUSR2))
    deadline = time.monotonic() + PATIENCE["ready"]
    while True:
        try:
            if _pid(lab) != old:
                return
        except (LabError, OSError):
            # Between two processes the socket may have nobody behind it.
            pass
        if time.monotonic() > deadline:
            raise DriverError(f"HAProxy still runs as process {old} after {PATIENCE['ready']:g} s; see its output")
        lab.request("tick")


def stop(lab: Broker) -> None:
    """SIGTERM to the process, or to its master: it ends at once, and with it all connections."""
    own = _pid(lab)
    master = lab.request("parent", pid=own)["parent"]
    lab.request("signal", pid=own if master == _BROKER else master, number=int(signal.SIGTERM), wait=True)


def _pid(lab: Broker) -> int:
    """The process that answers on the admin socket, as the lab numbers it."""
    for line in ask(lab, "show info").splitlines():
        name, _, value = line.partition(":")
        if name == "Pid":
            return int(value)
    raise OSError("no Pid in `show info`")
