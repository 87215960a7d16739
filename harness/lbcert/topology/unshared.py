"""Hosts of a `netns` lab: namespaces of the calling process's own making, with the machine's programs in them."""

from __future__ import annotations

import socket

from . import jail, linux, wiring
from .plan import Plan

_ETC = jail.read_etc()


def make(plan: Plan, extra_hosts: dict[str, str]) -> wiring.Hosts:
    """Leave the machine's file system, then make each host of `plan`."""
    jail.enter_root()
    base = wiring.namespaces()
    hosts: dict[str, wiring.Namespaces] = {}
    names = wiring.hosts_file(plan, extra_hosts)
    for host in plan.hosts:
        linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWNS | linux.CLONE_NEWUTS)
        jail.furnish_host(host.name, names, _ETC)
        socket.sethostname(host.name)
        hosts[host.name] = wiring.namespaces()
        wiring.enter(base)
    return wiring.Hosts(hosts)
