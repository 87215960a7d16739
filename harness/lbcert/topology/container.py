"""PID 1 of a lab of containers: the broker, in a container of its own, which every host's container shares its processes with.

Each host of the plan is a container without a network. The broker enters their namespaces and connects them exactly
as it does in a `netns` lab, so no address of the plan is ever one of the engine's or the machine's networks. When
it ends, the kernel ends every process that shares the numbering, and with them the containers.
"""

from __future__ import annotations

import importlib
import os
import select
import socket
import sys
import time
from typing import NoReturn

from . import broker, jail, linux, wiring
from .channel import Channel, ChannelClosed
from .engine import HOST_VARIABLE
from .plan import Plan

_PATIENCE = 15.0
"""s until every container must have started"""
_LOOK_AGAIN = 0.01

# What the engine gives a container that asks for nothing, and the two that a load balancer needs besides.
_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _SETPCAP = 0, 1, 3, 4, 5, 6, 7, 8
_NET_BIND_SERVICE, _NET_ADMIN, _NET_RAW, _SYS_CHROOT, _MKNOD, _AUDIT_WRITE, _SETFCAP = 10, 12, 13, 18, 27, 29, 31
_KEPT = frozenset({_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _SETPCAP, _NET_BIND_SERVICE,
                   _NET_ADMIN, _NET_RAW, _SYS_CHROOT, _MKNOD, _AUDIT_WRITE, _SETFCAP})  # fmt: skip


class Missing(OSError):
    """A container has not come up."""


def main() -> NoReturn:
    """Connect to pytest at the path in argv and be the lab that it asks for."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.connect(sys.argv[1])
        control = Channel(sock)
        message, _ = control.receive()
    except (OSError, ChannelClosed) as error:
        sys.exit(f"lbcert: nobody waits for this lab at {sys.argv[1]}: {error}")
    try:
        for name in message["modules"]:
            importlib.import_module(name)
    except ImportError as error:
        said = f"the image cannot load what this profile needs ({error}); run `make docker`"
        control.send({"event": "failed", "error": said, "detail": ""})
        sys.exit(str(error))
    broker.serve(control, message, lambda plan, extra: make(control, plan, extra))


def make(control: Channel, plan: Plan, extra_hosts: dict[str, str]) -> wiring.Hosts:
    """Find the container of each host of `plan` and prepare it."""
    found = _find(control, {host.name for host in plan.hosts})
    base = wiring.namespaces()
    linux.make_writable("/proc/sys/net")
    names = wiring.hosts_file(plan, extra_hosts)
    hosts: dict[str, wiring.Namespaces] = {}
    for host in plan.hosts:
        hosts[host.name] = wiring.namespaces(found[host.name])
        wiring.enter(hosts[host.name])
        _furnish(names)
        wiring.enter(base)
    return wiring.Hosts(hosts, lambda: linux.keep_capabilities(_KEPT), frozenset(found.values()))


def _find(control: Channel, wanted: set[str]) -> dict[str, int]:
    """The first process of each wanted host."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = {name: pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if (name := _host_of(pid)) in wanted}
        if len(found) == len(wanted):
            return found
        if time.monotonic() > deadline:
            raise Missing(f"no container for {', '.join(sorted(wanted - set(found)))} after {_PATIENCE:g} s")
        if select.select([control], [], [], _LOOK_AGAIN)[0]:
            raise ChannelClosed


def _host_of(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/environ") as file:
            pairs = [line.partition("=") for line in file.read().split("\0")]
    except OSError:
        return None
    return next((value for name, _, value in pairs if name == HOST_VARIABLE), None)


def _furnish(names: str) -> None:
    """What a host of a `netns` lab has, and a container has not: its own kernel settings, a log, no name server."""
    linux.make_writable("/proc/sys/net")
    for which in ("all", "default", "lo"):
        wiring.set_sysctl(f"ipv6/conf/{which}/disable_ipv6", "0")
    os.symlink(jail.LOG_SOCKET, "/dev/log")
    for path, text in (("/etc/hosts", names), ("/etc/resolv.conf", "")):
        with open(path, "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
