"""A plan follows from addresses alone: networks, arms, routes, client prefixes, and errors that name the remedy."""

import ipaddress
import json

import pytest

from lbcert.topology.plan import CLIENT_HOST, CLIENT_PREFIXES, DUT_HOST, NEIGHBOUR_HOST, ROUTER_HOST, Plan, PlanError, make_plan

ONE_ARM = dict(vips=["192.168.0.10"], servers={"ts1": "192.168.0.11", "ts2": "192.168.0.12"})
TWO_ARMS = dict(vips=["10.0.0.142"], servers={"ts1": "192.168.2.5"}, dut_addresses=["10.0.0.142/24", "192.168.2.1/24"])
IPV6 = dict(vips=["2001:db8::10"], servers={"ts1": "2001:db8::11"})
BOTH = dict(vips=["192.168.0.10", "2001:db8::10"], servers={"ts1": "192.168.0.11", "ts2": "2001:db8::12"})


def addresses(plan: Plan, host: str) -> dict[str, tuple[str, ...]]:
    return {link.network: link.addresses for link in plan.host(host).links}


@pytest.mark.parametrize(
    "given, networks, dut",
    [
        (ONE_ARM, ("front",), {"front": ("192.168.0.10/24",)}),
        (TWO_ARMS, ("front", "back"), {"front": ("10.0.0.142/24",), "back": ("192.168.2.1/24",)}),
        (IPV6, ("front",), {"front": ("2001:db8::10/64",)}),
        (BOTH, ("front",), {"front": ("192.168.0.10/24", "2001:db8::10/64")}),
        ({**ONE_ARM, "servers": {"ts1": "10.1.0.5"}}, ("front", "back"),
         {"front": ("192.168.0.10/24",), "back": ("10.1.0.253/24",)}),
        ({**ONE_ARM, "networks": ["192.168.0.0/16"]}, ("front",), {"front": ("192.168.0.10/16",)}),
        ({**ONE_ARM, "networks": ["192.168.0.10/28"]}, ("front",), {"front": ("192.168.0.10/28",)}),
    ],
    ids=["one-arm", "two-arms", "ipv6", "both-families-share-a-wire", "dut-gets-an-address-among-its-servers",
         "declared-wider", "declared-narrower"],
)  # fmt: skip
def test_networks_and_the_duts_addresses(given, networks, dut):
    plan = make_plan(**given)
    assert plan.networks == networks
    assert addresses(plan, DUT_HOST) == dut


@pytest.mark.parametrize("given", [ONE_ARM, TWO_ARMS, IPV6, BOTH], ids=["one-arm", "two-arms", "ipv6", "both"])
def test_nobody_shares_an_address(given):
    plan = make_plan(**given)
    every = [address.split("/")[0] for host in plan.hosts for link in host.links for address in link.addresses]
    assert len(every) == len(set(every))
    assert set(given["servers"].values()) < set(every)


def test_a_plan_survives_json():
    plan = make_plan(**TWO_ARMS, gateway=True)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    "given, server, routes",
    [
        ({**ONE_ARM, "clients": ["10.9.0.0/16"]}, "ts1", (("10.9.0.0/16", "192.168.0.252"),)),
        ({**ONE_ARM, "gateway": True}, "ts1", (("0.0.0.0/0", "192.168.0.10"),)),
        (TWO_ARMS, "ts1", ()),
        ({**TWO_ARMS, "gateway": True}, "ts1", (("0.0.0.0/0", "192.168.2.1"),)),
        ({**IPV6, "gateway": True}, "ts1", (("::/0", "2001:db8::10"),)),
        ({**BOTH, "gateway": True}, "ts2", (("::/0", "2001:db8::10"),)),
    ],
    ids=["one-arm", "one-arm-gateway", "two-arms", "two-arms-gateway", "ipv6-gateway", "both-families-gateway"],
)
def test_how_a_real_server_answers(given, server, routes):
    assert make_plan(**given).host(server).routes == routes


TWO_ARMS_6 = dict(vips=["2001:db8:1::10"], servers={"ts1": "2001:db8:2::11", "ts2": "2001:db8:2::12"})
ROUTED = {**TWO_ARMS, "servers": {"ts1": "192.168.2.5", "ts2": "192.168.2.6"}, "gateway": True}


@pytest.mark.parametrize(
    "given, hop, dut",
    [(ROUTED, "192.168.2.251", "192.168.2.1"), ({**TWO_ARMS_6, "gateway": True}, "2001:db8:2::fffb", "2001:db8:2::fffd")],
    ids=["ipv4", "ipv6"],
)
def test_one_server_answers_past_the_dut(given, hop, dut):
    plan = make_plan(**given, bypass=["ts2"])
    assert [plan.host(server).routes[0][1] for server in ("ts1", "ts2")] == [dut, hop]
    assert addresses(plan, ROUTER_HOST)["back"][0].split("/")[0] == hop
    to, via = plan.host(CLIENT_HOST).routes[0]
    assert ipaddress.ip_address(hop) in ipaddress.ip_network(to)
    assert via == addresses(plan, ROUTER_HOST)["front"][0].split("/")[0]


def test_on_one_network_the_way_past_the_dut_is_the_clients_next_hop():
    plan = make_plan(**ONE_ARM, clients=["10.9.0.0/16"], gateway=True, bypass=["ts2"])
    assert plan.host("ts1").routes == (("0.0.0.0/0", "192.168.0.10"),)
    assert plan.host("ts2").routes == (("10.9.0.0/16", "192.168.0.252"),)
    assert ROUTER_HOST not in [host.name for host in plan.hosts]


@pytest.mark.parametrize(
    "given, network, gateways",
    [
        (ROUTED, "back", ["192.168.2.1"]),
        (TWO_ARMS_6, "back", ["2001:db8:2::fffd"]),
        (ONE_ARM, "front", ["192.168.0.10"]),
        (BOTH, "front", ["192.168.0.10", "2001:db8::10"]),
    ],
    ids=["two-arms", "two-arms-ipv6", "one-arm", "both-families"],
)
def test_a_client_may_live_among_the_servers(given, network, gateways):
    plan = make_plan(**given, neighbour=True)
    (link,) = plan.host(NEIGHBOUR_HOST).links
    assert link.network == network
    assert [via for _, via in plan.host(NEIGHBOUR_HOST).routes] == gateways
    everyone = [address.split("/")[0] for host in plan.hosts for one in host.links for address in one.addresses]
    assert len(everyone) == len(set(everyone))


def test_clients_come_from_a_prefix_behind_one_next_hop():
    plan = make_plan(**ONE_ARM)
    hop = addresses(plan, CLIENT_HOST)["front"][0].split("/")[0]
    assert plan.host(CLIENT_HOST).prefixes == CLIENT_PREFIXES[4]
    assert plan.host(DUT_HOST).routes == tuple((prefix, hop) for prefix in CLIENT_PREFIXES[4])


@pytest.mark.parametrize("vip", ["10.200.0.1", "172.21.0.1", "100.64.9.1", "fd5c:1::10"])
def test_client_prefixes_avoid_the_duts_networks(vip):
    plan = make_plan([vip], {"ts1": str(ipaddress.ip_address(vip) + 1)})
    network = ipaddress.ip_network(f"{vip}/{24 if '.' in vip else 64}", strict=False)
    prefixes = [ipaddress.ip_network(text) for text in plan.host(CLIENT_HOST).prefixes]
    assert prefixes and not any(prefix.overlaps(network) for prefix in prefixes)


def test_clients_on_the_front_network_need_no_route():
    plan = make_plan(**TWO_ARMS, clients=["10.0.0.0/24"])
    assert plan.host(DUT_HOST).routes == ()
    assert plan.host(CLIENT_HOST).prefixes == ("10.0.0.0/24",)


@pytest.mark.parametrize(
    "given, message",
    [
        ({**TWO_ARMS, "servers": {"ts1": "10.0.0.142"}}, "server ts1 has the DUT's own address 10.0.0.142"),
        ({**TWO_ARMS, "servers": {"ts1": "192.168.2.1"}}, "server ts1 has the DUT's own address 192.168.2.1"),
        (dict(vips=["10.0.0.1"], servers={"ts1": "10.0.1.1"}, networks=["10.0.0.0/23", "10.0.1.0/24"]),
         "networks 10.0.0.0/23 and 10.0.1.0/24 overlap: name them under network: in dut.yaml"),
        ({**ONE_ARM, "networks": ["192.168.0.8/30"]}, "networks 192.168.0.8/30 and 192.168.0.0/24 overlap"),
        ({**ONE_ARM, "networks": ["192.168.0.10/31"], "servers": {"ts1": "192.168.0.11"}}, "no free address left in"),
        ({**IPV6, "clients": ["2001:db8::/64"]}, "clients 2001:db8::/64: IPv6 clients need a prefix outside 2001:db8::/64"),
    ],
    ids=["server-is-the-vip", "server-is-the-dut", "declared-overlap", "declared-in-default", "full",
         "ipv6-clients-on-the-front-network"],
)  # fmt: skip
def test_contradictions_are_named(given, message):
    with pytest.raises(PlanError, match=message.replace("(", r"\(")) as caught:
        make_plan(**given)
    assert "\n" not in str(caught.value)
