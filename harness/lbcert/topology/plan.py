"""What a lab consists of: networks, hosts, addresses, routes. Data only; a provider makes it real.

    clients -- front network -- DUT (VIP) -- back network -- real servers      (one arm: front = back)

A plan is IPv4 and IPv6 alike: addresses are strings as `ipaddress` reads them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

CLIENT_HOST = "client"
DUT_HOST = "dut"
NEIGHBOUR_HOST = "neighbour"
"""a client inside the servers' network, whose default route is the DUT"""
ROUTER_HOST = "router"
"""joins the servers' network and the clients' past the DUT"""

CLIENT_PREFIXES = {4: ("10.128.0.0/9", "172.20.0.0/14", "100.64.0.0/10"), 6: ("fd5c:1::/48", "fd5d:1::/48")}
"""Where clients come from when dut.yaml does not say: private ranges, each left out where it overlaps the DUT's."""


ROUTINGS = {
    "neighbour": "a client inside the servers' network, whose default route is the DUT",
    "bypass": "the first server answers past the DUT",
    "bypass-all": "every server answers past the DUT",
}
"""wrong ways for packets that a test can ask for"""
_FORWARDING = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"}


_QUIET = {"ipv4/conf/all/arp_ignore": "1", "ipv4/conf/all/arp_announce": "2"}
"""of real servers that hold the VIP on their loopback: nobody on the network may learn of it (ip-sysctl.rst)"""


class PlanError(Exception):
    """The addresses do not make a lab; the message names the address and the remedy."""


@dataclass(frozen=True)
class Link:
    """One interface of a host on one network."""

    network: str
    name: str
    addresses: tuple[str, ...]
    """with prefix length: 192.168.0.10/24"""


@dataclass(frozen=True)
class Host:
    """One machine of the lab, with network, mount and UTS namespaces of its own."""

    name: str
    links: tuple[Link, ...]
    routes: tuple[tuple[str, str], ...] = ()
    """(destination, next hop)"""
    prefixes: tuple[str, ...] = ()
    """prefixes whose every address is local here, so that a client can be anybody in them"""
    sysctls: dict[str, str] = field(default_factory=dict)
    loopback: tuple[str, ...] = ()
    """addresses of its loopback, with prefix length"""


@dataclass(frozen=True)
class Plan:
    """A whole lab."""

    networks: tuple[str, ...]
    hosts: tuple[Host, ...]

    def host(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        hosts = []
        for host in data["hosts"]:
            links = tuple(Link(link["network"], link["name"], tuple(link["addresses"])) for link in host["links"])
            routes = tuple((to, via) for to, via in host["routes"])
            hosts.append(Host(host["name"], links, routes, tuple(host["prefixes"]), dict(host["sysctls"]),
                              tuple(host["loopback"])))  # fmt: skip
        return cls(tuple(data["networks"]), tuple(hosts))


def _network_of(address: str, known: list[Any]) -> Any:
    """The known network that holds `address`, or the /24 (IPv6: /64) around it."""
    ip = ipaddress.ip_address(address)
    for network in known:
        if ip.version == network.version and ip in network:
            return network
    return ipaddress.ip_network(f"{address}/{24 if ip.version == 4 else 64}", strict=False)


def _free(network: Any, taken: set[str], from_top: int) -> str:
    """An address of `network` that nobody has, counted from its upper end (both families keep that quiet)."""
    size = min(network.num_addresses, 65536)
    for step in range(from_top, size - 1):
        candidate = str(network.network_address + (size - 1 - step))
        if candidate not in taken:
            taken.add(candidate)
            return candidate
    raise PlanError(f"no free address left in {network}; widen it under network: in dut.yaml")


def make_plan(
    vips: list[str],
    servers: dict[str, str],
    *,
    networks: list[str] = (),
    dut_addresses: list[str] = (),
    clients: list[str] = (),
    gateway: bool = False,
    direct_return: bool = False,
    neighbour: bool = False,
    router: bool = False,
    bypass: Sequence[str] = (),
) -> Plan:
    """Lay out a lab around a DUT that listens on `vips` and sends to `servers` (host name -> address).

    `networks`, `dut_addresses`, `clients`, `gateway` and `direct_return` are dut.yaml's `network` (docs/dut.md). The rest is for tests of
    wrong routing: `neighbour` adds a client inside the servers' network and `router` a way around the DUT. The servers in
    `bypass` answer by that way, or by the clients' next hop where everybody is on one network, whatever `gateway` says.
    Raises PlanError where the addresses contradict each other.
    """
    known = [ipaddress.ip_network(text, strict=False) for text in networks]
    known += [ipaddress.ip_interface(text).network for text in dut_addresses]
    own = {str(ipaddress.ip_interface(text).ip) for text in dut_addresses}
    taken = own | set(vips) | set(servers.values())
    for server, address in servers.items():
        if address in vips or address in own:
            raise PlanError(f"server {server} has the DUT's own address {address}: a real server needs its own")

    front = list(dict.fromkeys(_network_of(vip, known) for vip in vips))
    back = list(dict.fromkeys(_network_of(address, known) for address in servers.values()))
    every = list(dict.fromkeys(front + back + [_network_of(a, known) for a in own]))
    named = list(dict.fromkeys(every + known[: len(networks)]))
    for index, first in enumerate(named):
        for second in named[index + 1 :]:
            if first.version == second.version and first.overlaps(second):
                raise PlanError(f"networks {first} and {second} overlap: name them under network: in dut.yaml")
    # Both families of one side share a wire, as they would in a rack.
    wire = {network: ("front" if network in front else "back") for network in every}

    dut: dict[str, list[str]] = {"front": [], "back": []}
    # Who shares the VIP with the servers has to ask for their MAC addresses by another address of his own.
    order = [*sorted(own - set(vips)), *vips] if direct_return else [*vips, *sorted(own)]
    for address in dict.fromkeys(order):
        network = _network_of(address, every)
        dut[wire[network]].append(f"{address}/{network.prefixlen}")
    for network in back:
        if not any(ipaddress.ip_interface(text).ip in network for text in dut[wire[network]]):
            dut[wire[network]].append(f"{_free(network, taken, 2)}/{network.prefixlen}")

    prefixes = list(clients) or [
        text
        for version in sorted({network.version for network in front})
        for text in CLIENT_PREFIXES[version]
        if not any(network.version == version and network.overlaps(ipaddress.ip_network(text)) for network in every)
    ]
    hops: dict[int, str] = {}
    client_addresses: list[str] = []
    for network in front:
        hop = _free(network, taken, 3)
        hops.setdefault(network.version, hop)
        client_addresses.append(f"{hop}/{network.prefixlen}")

    for text in clients:
        for network in front:
            if network.version == 6 and _inside(text, network):
                # Nobody answers a neighbour solicitation for a whole prefix.
                raise PlanError(f"clients {text}: IPv6 clients need a prefix outside {network}; "
                                "correct network.clients in dut.yaml")  # fmt: skip

    routed = [text for text in prefixes if not any(_inside(text, network) for network in front)]
    toward_clients = tuple((text, hops[ipaddress.ip_network(text).version]) for text in routed)
    apart = [network for network in back if wire[network] == "back"]
    ways: dict[str, list[str]] = {"front": [], "back": []}
    if apart and (router or bypass):
        for network in front + apart:
            ways[wire[network]].append(f"{_free(network, taken, 4)}/{network.prefixlen}")
    toward_servers = tuple((str(network), _in_family(ways["front"], network)) for network in apart if ways["front"])
    if direct_return and (apart := [str(network) for network in back if wire[network] == "back"]):
        raise PlanError(f"direct return needs the real servers on the VIP's own network, not on {apart[0]}")
    hosts = [
        Host(CLIENT_HOST, (Link("front", "eth0", tuple(client_addresses)),), toward_servers, tuple(prefixes)),
        Host(DUT_HOST, _arms(dut), toward_clients),
    ]
    for server, address in servers.items():
        network = _network_of(address, every)
        routes: tuple[tuple[str, str], ...] = ()
        if server in bypass and wire[network] == "back":
            routes = ((_default(network), _in_family(ways["back"], network)),)
        elif gateway and server not in bypass:
            routes = ((_default(network), _on(dut[wire[network]], network)),)
        elif wire[network] == "front":
            routes = tuple((to, hop) for to, hop in toward_clients if ipaddress.ip_address(hop) in network)
        own = tuple(f"{vip}/{ipaddress.ip_address(vip).max_prefixlen}" for vip in vips) if direct_return else ()
        hosts.append(Host(server, (Link(wire[network], "eth0", (f"{address}/{network.prefixlen}",)),), routes,
                          sysctls=_QUIET if own else {}, loopback=own))  # fmt: skip
    if any(ways.values()):
        hosts.append(Host(ROUTER_HOST, _arms(ways), toward_clients, sysctls=_FORWARDING))
    if neighbour:
        home = apart or back
        link = Link(wire[home[0]], "eth0", tuple(f"{_free(network, taken, 5)}/{network.prefixlen}" for network in home))
        routes = tuple((_default(network), _on(dut[wire[network]], network)) for network in home)
        hosts.append(Host(NEIGHBOUR_HOST, (link,), routes))
    return Plan(tuple(dict.fromkeys(wire[network] for network in every)), tuple(hosts))


def _arms(addresses: dict[str, list[str]]) -> tuple[Link, ...]:
    return tuple(Link(side, name, tuple(addresses[side])) for side, name in (("front", "eth0"), ("back", "eth1")) if addresses[side])


def _default(network: Any) -> str:
    return "0.0.0.0/0" if network.version == 4 else "::/0"


def _on(addresses: list[str], network: Any) -> str:
    """The first of `addresses` (with prefix lengths) that is on `network`."""
    return next(str(one.ip) for one in map(ipaddress.ip_interface, addresses) if one.ip in network)


def _in_family(addresses: list[str], network: Any) -> str:
    """The first of `addresses` (with prefix lengths) that is of the same family as `network`."""
    found = [str(one.ip) for one in map(ipaddress.ip_interface, addresses) if one.version == network.version]
    if not found:
        raise PlanError(f"nobody can answer from {network} past the DUT: no client has an address of its family")
    return found[0]


def _inside(prefix: str, network: Any) -> bool:
    """Whether `prefix` lies on the front network itself, where no route is wanted."""
    inner = ipaddress.ip_network(prefix, strict=False)
    return inner.version == network.version and inner.subnet_of(network)
