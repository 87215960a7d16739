"""The setup scripts of the transparent deployments, in iptables and in nftables, lead to the same result."""

from dataclasses import replace
from pathlib import Path

import pytest

from lbcert.drivers.furnish import furnish
from lbcert.dut import DUTS, resolve
from lbcert.topology.plan import DUT_HOST, make_plan

SERVER, VIP, CLIENT = "192.168.2.98", "10.0.0.142", "10.0.0.7"
LISTEN = """
import os, socket
server = socket.create_server(({address!r}, {port}))
if os.fork() == 0:
    while True:
        conn, peer = server.accept()
        conn.sendall(peer[0].encode())
        conn.close()
"""
CONNECT = f"""
import socket
IP_TRANSPARENT = 19
for target in (({SERVER!r}, 80), ({VIP!r}, 81)):
    sock = socket.socket()
    sock.settimeout({{patience}})
    sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    sock.bind(({CLIENT!r}, 0))
    try:
        sock.connect(target)
        print(target[1], sock.recv(64).decode())
    except TimeoutError:
        print(target[1], "silence")
"""
KEPT, SILENT = [f"80 {CLIENT}", f"81 {CLIENT}"], ["80 silence", "81 silence"]


def python(broker, host, code):
    status, text = broker.run(host, ["/usr/bin/python3", "-I", "-c", code])
    assert status == 0, text
    return text.split("\n")[:-1]


@pytest.fixture
def routed(zygote):
    plan = make_plan([VIP], {"web1": SERVER}, dut_addresses=["192.168.2.1/24"], clients=["10.0.0.0/24"], gateway=True)
    broker = zygote.start(plan)
    python(broker, "web1", LISTEN.format(address=SERVER, port=80))
    python(broker, DUT_HOST, LISTEN.format(address=VIP, port=81))
    yield broker
    broker.close()


def connect(broker, setup, tmp_path, patience):
    output = tmp_path / "output"
    output.touch()
    deployment = resolve("haproxy:tproxy").deployments[0]
    network = {key: value for key, value in deployment.network.items() if key != "setup"}
    furnish(broker, replace(deployment, files={}, network=network | ({"setup": setup} if setup else {})), DUTS / "haproxy", output)
    return python(broker, DUT_HOST, CONNECT.format(patience=patience))


@pytest.mark.parametrize("setup", ["setup-nft.sh", "setup-iptables.sh"])
def test_a_connection_from_a_clients_address_is_answered(setup, routed, tmp_path):
    if "iptables" in setup and not Path("/usr/sbin/iptables").exists():
        pytest.skip("iptables is not installed")
    assert connect(routed, setup, tmp_path, 10) == KEPT


def test_without_the_rules_the_answer_goes_to_the_client_itself(routed, tmp_path):
    assert connect(routed, None, tmp_path, 0.5) == SILENT


@pytest.mark.parametrize("name", ["setup-nft.sh", "setup-iptables.sh"])
def test_both_products_of_the_article_have_the_same_scripts(name):
    assert (DUTS / "haproxy" / name).read_bytes() == (DUTS / "stunnel-haproxy" / name).read_bytes()
