"""From a plan to namespaces with interfaces: `ip -batch`, once per namespace and side by side.

Runs inside the lab, as its root. The calling process's own network namespace holds the switches (one
bridge per network); every link of every host ends there in a port, which is where captures are taken.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from . import linux
from .plan import Host, Link, Plan


class WiringError(Exception):
    """`ip` refused a line; the message quotes it."""


@dataclass(frozen=True)
class Namespaces:
    """Open descriptors of one host's namespaces."""

    net: int
    mnt: int
    uts: int


@dataclass(frozen=True)
class Hosts:
    """Hosts that have been made and are not connected yet."""

    spaces: dict[str, Namespaces]
    confine: Callable[[], None] = lambda: None
    """what a process gives up once it is inside one"""
    keepers: frozenset[int] = frozenset()
    """processes that the hosts exist by; no part of what a test started"""


def namespaces(process: int | str = "self") -> Namespaces:
    """The namespaces that a process is in."""
    return Namespaces(*(os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("net", "mnt", "uts")))


def enter(spaces: Namespaces) -> None:
    """Move the calling process into a host (its working directory becomes the host's root)."""
    linux.setns(spaces.net, linux.CLONE_NEWNET)
    linux.setns(spaces.uts, linux.CLONE_NEWUTS)
    linux.setns(spaces.mnt, linux.CLONE_NEWNS)


class Wiring:
    """All hosts of a lab, as namespaces, and the ports of the switches that connect them."""

    def __init__(self, plan: Plan, hosts: dict[str, Namespaces]):
        self.plan = plan
        self.base = namespaces()
        self.hosts = hosts
        self.ports: dict[str, str] = {}
        """switch port -> `host:interface`"""
        self._ip = shutil.which("ip", path="/usr/sbin:/usr/bin:/sbin:/bin") or "ip"
        self._wire()

    def _wire(self) -> None:
        """Create switches and links, then let every host and the switches configure themselves at once."""
        set_sysctl("ipv6/conf/default/disable_ipv6", "1")
        # Our /dev/log: with room for ten lines, the usual, a product that writes more at once loses them.
        set_sysctl("unix/max_dgram_qlen", "512")
        create, plug = [], []
        for number, network in enumerate(self.plan.networks):
            create.append(f"link add sw{number} type bridge stp_state 0 forward_delay 0 mcast_snooping 0")
            plug.append(f"link set sw{number} up")
        for host in self.plan.hosts:
            for link in host.links:
                port = f"p{len(self.ports)}"
                self.ports[port] = f"{host.name}:{link.name}"
                space = f"/proc/{os.getpid()}/fd/{self.hosts[host.name].net}"
                create.append(f"link add {port} type veth peer name {link.name} netns {space}")
                plug.append(f"link set {port} master sw{self.plan.networks.index(link.network)} up")
        for host in self.plan.hosts:
            self._inside(host.name, lambda host=host: _set_sysctls(host))
        self._batch({None: create})
        # Hosts come up before the ports do: a port that comes up with carrier forwards at once, while one that
        # gains carrier later waits for the kernel's link watcher, up to a second.
        self._batch({host.name: _host_lines(host, self.plan) for host in self.plan.hosts})
        self._batch({None: plug})

    def _inside(self, host: str, action) -> None:
        linux.setns(self.hosts[host].net, linux.CLONE_NEWNET)
        try:
            action()
        finally:
            linux.setns(self.base.net, linux.CLONE_NEWNET)

    def _batch(self, work: dict[str | None, list[str]]) -> None:
        """Run one `ip -batch` per namespace, all at the same time; None is the switches' own."""
        running = []
        for host, lines in work.items():
            script = os.memfd_create("ip", 0)
            os.write(script, ("\n".join(lines) + "\n").encode())
            os.lseek(script, 0, os.SEEK_SET)
            errors = os.memfd_create("ip-errors", 0)
            actions = [(os.POSIX_SPAWN_DUP2, script, 0), (os.POSIX_SPAWN_DUP2, errors, 2)]
            argv = [self._ip, "-batch", "-"]

            def spawn(argv=argv, actions=actions) -> int:
                return os.posix_spawn(argv[0], argv, {}, file_actions=actions)

            if host is None:
                pid = spawn()
            else:
                box: list[int] = []
                self._inside(host, lambda box=box, spawn=spawn: box.append(spawn()))
                pid = box[0]
            running.append((pid, host, lines, script, errors))
        for pid, host, lines, script, errors in running:
            _, status = os.waitpid(pid, 0)
            text = os.pread(errors, 4096, 0).decode(errors="replace").strip()
            os.close(script)
            os.close(errors)
            if status:
                raise WiringError(f"{host or 'switches'}: {text} (of: {'; '.join(lines)})")


def _host_lines(host: Host, plan: Plan) -> list[str]:
    lines = ["link set lo up", *(f"address add {address} dev lo" for address in host.loopback)]
    for link in host.links:
        lines += [f"address add {address} dev {link.name}" for address in link.addresses]
        lines.append(f"link set {link.name} up")
    lines += [f"route add local {prefix} dev lo" for prefix in host.prefixes]
    # Where a prefix overlaps a network, the machines there are not us. In the table of local routes, which comes first.
    lines += [f"route add {address} dev {link.name} table local" for link in host.links
              for address in _neighbours(host, link, plan) if _in_any(address, host.prefixes)]  # fmt: skip
    lines += [f"route add {destination} via {hop}" for destination, hop in host.routes]
    return lines


def _neighbours(host: Host, link: Link, plan: Plan) -> list[str]:
    """Addresses of the other hosts on the network of `link`."""
    return [address.split("/")[0] for other in plan.hosts if other is not host
            for theirs in other.links if theirs.network == link.network for address in theirs.addresses]  # fmt: skip


def _in_any(address: str, prefixes: tuple[str, ...]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(prefix, strict=False) for prefix in prefixes)


def _set_sysctls(host: Host) -> None:
    set_sysctl("ipv6/conf/default/accept_dad", "0")
    set_sysctl("ipv6/conf/all/accept_dad", "0")
    set_sysctl("ipv6/conf/default/accept_ra", "0")
    set_sysctl("ipv4/tcp_max_syn_backlog", "8192")
    # A new namespace has these from the machine, and whether a lab forwards packets is no matter of the machine's.
    set_sysctl("ipv4/ip_forward", "0")
    for scope in ("all", "default"):
        set_sysctl(f"ipv4/conf/{scope}/rp_filter", "0")
    for name, value in host.sysctls.items():
        set_sysctl(name, value)


def set_sysctl(name: str, value: str) -> None:
    """Set net/`name` of the current network namespace; absent ones (no IPv6) are left alone."""
    try:
        with open(f"/proc/sys/net/{name}", "w") as file:
            file.write(value)
    except FileNotFoundError:
        pass


def hosts_file(plan: Plan, extra: dict[str, str]) -> str:
    """Content of /etc/hosts: every host of the plan, and `extra`."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    for host in plan.hosts:
        if host.links and host.links[0].addresses:
            lines.append(f"{host.links[0].addresses[0].split('/')[0]} {host.name}")
    lines += [f"{address} {name}" for name, address in extra.items()]
    return "\n".join(lines) + "\n"
