"""Which real servers a deployment has: those that a user of its VIP reaches, told by the product, not by a parser."""

import json

import pytest

CONFIG = """\
defaults
    mode tcp
    timeout connect 3s
    timeout client 1h
    timeout server 1h
frontend rdp
    bind {bind}
    default_backend farm
backend farm
    balance rdp-cookie
    server a {net}11:{port} check inter 2s fall 3 rise 2
    server b {net}12:{port}
    server spare {net}13:{port} backup
    server resting {net}14:{port} weight 0
    server away {net}15:{port} disabled
frontend web
    bind {vip}:80
    default_backend web
backend web
    server web1 {net}21:80 check inter 9s fall 7 rise 1
"""
CHECK = "declares:\n  health_check: {inter: 2.0, fall: 3, rise: 2}\n"
CASES = {
    "IPv4": ("192.168.0.", "192.168.0.10", "192.168.0.10:3389", 3389, ""),
    "IPv6": ("2001:db8::", "2001:db8::10", "2001:db8::10:3389", 3389, ""),
    "every address": ("10.1.1.", "10.1.1.10", "*:3389", 3390, 'services: {rdp: "10.1.1.10:3389"}\n'),
}


@pytest.mark.parametrize("net, vip, bind, port, more", CASES.values(), ids=CASES)
def test_only_the_servers_of_the_pool(run, tmp_path, net, vip, bind, port, more):
    (tmp_path / "x.cfg").write_text(CONFIG.format(net=net, vip=vip, bind=bind, port=port))
    (tmp_path / "dut.yaml").write_text("schema: 1\nname: x\ndriver: haproxy\nprofile: rdp\nconfig: x.cfg\n" + CHECK + more)
    done = run("suites/rdp", "-k", "RDP_PARSE_04", dut=str(tmp_path))
    assert done.status == 0, done.text
    found = json.loads((done.folder / "discovery" / "rdp.json").read_text())
    active = {server["name"]: server["active"] for server in found["servers"]}
    assert active == {"a": True, "b": True, "spare": False, "resting": False, "away": False}
    assert found["check_counts"] == {"a": [3, 2]}
    assert found["memories"] == {}


def test_a_vip_that_nothing_serves(run, tmp_path):
    (tmp_path / "x.cfg").write_text(CONFIG.format(net="10.1.1.", vip="10.1.1.10", bind="10.1.1.10:3389", port=3389))
    service = 'services: {rdp: "10.1.1.10:3390"}\n'
    (tmp_path / "dut.yaml").write_text("schema: 1\nname: x\ndriver: haproxy\nprofile: rdp\nconfig: x.cfg\n" + service)
    done = run("suites/rdp", "-k", "RDP_PARSE", dut=str(tmp_path))
    assert done.status == 1 and "10.1.1.10 port 3390 does not accept connections: Connection refused; if" in done.text
    assert "correct `services` in dut.yaml" in done.text
