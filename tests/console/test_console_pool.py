"""`lbcert lab` with a pool and with a web site: curl as a person uses it, ports that refuse, the server on the balancer."""

import os
import re

import pytest
from console_rig import lbcert

from lbcert import cli

CURL = "/usr/bin/curl"
pytestmark = [
    pytest.mark.xdist_group("console"),
    pytest.mark.skipif(not os.access(CURL, os.X_OK), reason="not installed; as root: apt-get install curl"),
]


@pytest.fixture
def fault(capsys, place):
    def run(*words):
        capsys.readouterr()
        status = cli.main(["fault", *words])
        return (status, *capsys.readouterr())

    return run


def curl(*words):
    """What curl in the client host says of the page; it trusts the authority that the lab names."""
    return lbcert("shell", "client", "--", CURL, "-sS", "--max-time", "10", "--cacert", "/run/lbcert/authority.pem", *words).stdout


def test_a_pool(terminal, fault, place):
    lab = terminal("lab", "ideal:ocs")
    said = lab.read("Ctrl-C ends the lab")
    assert re.search(r"VIP +10\.10\.2\.20 +on host dut\s+sip-tls 5061, sip 5060, rpc 135, web 443,", said)
    assert re.search(r"fe2 +10\.10\.2\.5, the same ports +a mock pool server on host fe2", said)
    assert "curl --cacert /run/lbcert/authority.pem https://pool.lbcert.test/" in said
    fe = re.match(r'{"fe":(\d),', curl("https://pool.lbcert.test/abs/"))[1]
    lab.read(rf"fe{fe}: 10\.10\.2\.\d+:\d+ on 443 connected: GET /abs/")
    assert curl("--cert", "/run/lbcert/client.pem", "https://pool.lbcert.test:444/").startswith(f'{{"fe":{fe},')

    assert fault(f"fe{fe}", "refuse", "443", "444") == (0, f"fe{fe}: refuse 443 444\n", "")
    assert re.search(rf"fe{fe} +refuses 443 444 +0\n", fault()[1])
    assert fault(f"fe{fe}", "restore")[1] == f"fe{fe}: restored (refuse)\n"
    assert "fe1 does not listen on 99; it has: 135, 443, 444," in fault("fe1", "refuse", "99")[2]
    assert "ports are for refuse" in fault("fe1", "dark", "135")[2]
    lab.type("\x03")
    assert lab.wait() == 0


@pytest.mark.nightly
def test_a_site_and_the_server_on_the_balancer(terminal, fault, place):
    lab = terminal("lab", "haproxy:tproxy")
    said = lab.read("Ctrl-C ends the lab")
    assert re.search(r"fallback +127\.0\.0\.1:80, 127\.0\.0\.1:81 +a mock web server on host dut, for when no other is left", said)
    assert '"name":"web' in curl("https://www.lbcert.test/")
    lab.read(r"RIP_\d: 10\.0\.0\.252 on 80 connected, from 10\.0\.0\.252:\d+: GET /")
    assert "runs on the balancer itself" in fault("fallback", "dark")[2] and "no real server" in fault("dut", "dark")[2]
    for name in ("RIP_1", "RIP_2", "RIP_3"):
        assert fault(name, "crash")[0] == 0
    pages = (curl("https://www.lbcert.test/") for _ in range(60))  # the product's checks take a while to find out
    assert any('"name":"dut' in page for page in pages)
    lab.read(r"fallback: 10\.0\.0\.252 on 8[01] connected, from 127\.0\.0\.1:\d+: GET /")
    lab.type("\x03")
    assert lab.wait() == 0
