"""HAProxy on a faster clock: control listeners for the extra file, and servers that are not checked meanwhile.

Sources: HAProxy configuration manual (`timeout client`, `tcp-request inspect-delay`, `defaults NAME`), management guide 9.3
(`disable health`, `set server ... health`).
"""

from __future__ import annotations

from ..topology.interface import Broker
from .faster import FasterClock
from .haproxy_admin import ask, server_names


def listeners(clock: FasterClock) -> str:
    """Frontends that end a silent connection by `timeout client` alone; what the user's `defaults` say is not for them."""
    lines = ["defaults lbcert-control", "    mode tcp"]
    longest = max(control.seconds for control in clock.controls)
    for number, control in enumerate(clock.controls, start=1):
        family = "ipv6" if ":" in control.address else "ipv4"
        lines += [
            f"frontend lbcert-control-{number}",
            f"    bind {family}@{control.address}:{control.port}",
            f"    timeout client {round(control.seconds * 1000)}ms",
            # Without it a connection would be closed at once, since there is no server behind it.
            f"    tcp-request inspect-delay {round(longest * 10_000)}ms",
            "    tcp-request content reject if { req.len gt 0 }",
        ]
    return "\n".join(lines) + "\n"


def rest_checks(lab: Broker) -> None:
    """Take every server for well and check none any more: a check that waits 2 s would wait for 33 ms of real time."""
    for name in server_names(ask(lab, "show servers state")):
        # A server without a check of its own refuses, and has none to rest.
        ask(lab, f"set server {name} health up; disable health {name}")
