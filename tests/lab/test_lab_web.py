"""What tests of a web farm ask of a lab, with HAProxy's transparent deployment in it."""

import pytest

from lbcert.steps.admin import parts, restart
from lbcert.steps.calling import dial
from lbcert.deadlines import patience
from lbcert.dut import resolve
from lbcert.evidence.checks.web_path import path_of
from lbcert.run.session import Run, Session
from lbcert.topology.plan import DUT_HOST
from lbcert.steps.tracing import filter_reverse_path, note_processes, note_senders, trace


def session_of(dut, folder):
    product = resolve(dut)
    run = Run(folder)
    run.create(product, list(product.deployments), {"topology": "netns", "seed": 0, "selected": {}, "deselected": {}, "corpus": None,
                                                    "command": "test"})  # fmt: skip
    return Session(product, run, "netns", 0, lambda text, deadline: None)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    made = session_of("haproxy:tproxy", tmp_path_factory.mktemp("web"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(session):
    lab = session.lab(session.product.deployments[0], "web")
    yield lab
    lab.close()


def test_every_server_has_been_checked_before_the_first_client(session):
    lab = session.lab(session.product.deployments[0], "checked")
    try:
        assert [server.name for server in lab.servers if not server.count("accept")] == []
    finally:
        lab.close()


def last(lab, kind):
    return lab.history.last(kind)


def test_clients_are_shown_the_certificate_of_the_lab_s_authority(web):
    [talk] = web.visit([dial(web, "https", verified=True, chain=True)])
    [chain] = last(web, "furnished")["certificates"].values()
    assert talk.outcome == "answered" and len(chain) == 2
    assert last(web, "call")["tls"]["server"] == chain[0] and last(web, "call")["tls"]["chain"][:2] == chain


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_is_resumed(web, version):
    [first] = web.visit([dial(web, "https", newest=version)])
    [second] = web.visit([dial(web, "https", resume=first)])
    assert (first.tls.resumed, second.tls.resumed, second.outcome) == (False, True, "answered")


def test_a_hello_is_answered_or_refused(web):
    good, old = web.visit([dial(web, "https", offer="TLS 1.3"), dial(web, "https", offer="TLS 1.0")])
    assert (good.outcome, old.outcome, old.speech.said.alert) == ("accepted", "refused", "protocol_version")


def test_the_path_of_a_request_leads_through_port_81(web):
    trace(web, "https")
    web._complete_history()
    links = path_of(web.history, last(web, "call"))["links"]
    assert [link["seen"] for link in links] == ["clients' link", "kernel", "server's link"]
    assert links[1]["to"]["port"] == 81 and len({link["from"]["address"] for link in links}) == 1


def test_processes_are_those_of_the_product(web):
    [talk] = web.visit([dial(web, "http", hold=True)])
    assert not note_processes(web, at_least=50)
    assert note_processes(web, at_least=1)
    [process] = [one for one in last(web, "processes")["processes"] if one["connections"]]
    assert "haproxy" in process["title"] and process["uid"][1] != 0 and process["capabilities"]
    talk.leave()


def test_senders_at_the_clients(web):
    web.visit([dial(web, "http")])
    note_senders(web)
    # Neighbours look for each other by IPv6 addresses of the link's own, or by none yet.
    assert {one for one in last(web, "senders")["packets"] if one != "::" and not one.startswith("fe80:")} == {"10.0.0.142"}


def test_a_restart_ends_connections_and_pages_come_again(web):
    [talk] = web.visit([dial(web, "http", hold=True)])
    for part in parts(web):
        restart(web, part)
    web.wait("the client is told", lambda: not talk.alive, patience("sessions"))
    assert [one.outcome for one in web.visit([dial(web, "http"), dial(web, "https")])] == ["answered"] * 2


def test_strict_filters_are_set(web):
    filter_reverse_path(web)
    status, text = web.broker.run(DUT_HOST, ["/usr/sbin/sysctl", "-n", "net.ipv4.conf.eth1.rp_filter"])
    assert (status, text.strip()) == (0, "1")


@pytest.mark.parametrize("routing, hosts", [("neighbour", {"neighbour"}), ("bypass", {"router"}), (None, set())])
def test_wrong_routes_are_those_asked_for(session, routing, hosts):
    lab = session.lab(session.product.deployments[0], f"routing-{routing}", routing=routing)
    try:
        usual = {"client", "dut", "web1", "web2", "web3"}
        assert {host.name for host in lab.plan.hosts} == usual | hosts
    finally:
        lab.close()


def test_a_second_stage_that_takes_the_client_s_port_is_found(session, tmp_path):
    """The user and the product are on one machine then, so the port is not free."""
    other = session_of("tp-usesrc-client", tmp_path)
    try:
        servers = [one.discover(one.product.deployments[0]).servers for one in (session, other)]
    finally:
        other.close()
    assert {(server.address, server.port) for server in servers[0]} == {(server.address, server.port) for server in servers[1]}
    assert ("127.0.0.1", 81) in {(server.address, server.port) for server in servers[1]}
