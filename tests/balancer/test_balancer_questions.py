"""What a check takes for a good answer, and what a configuration of a pool must say."""

import pytest

from lbcert.balancer import ConfigError, parse
from lbcert.balancer.questions import QUESTIONS
from lbcert.balancer.stats import credentials

SIP = {
    "ok": (b"SIP/2.0 200 OK\r\n", True), "refused": (b"SIP/2.0 405 Method Not Allowed\r\n", True),
    "unavailable": (b"SIP/2.0 503 Service Unavailable\r\n", False), "http": (b"HTTP/1.1 200 OK\r\n", False),
    "cut": (b"SIP/2.0 2", None), "provisional": (b"SIP/2.0 100 Trying\r\nVia: x\r\n\r\n", None),
    "then final": (b"SIP/2.0 100 Trying\r\nVia: x\r\n\r\nSIP/2.0 200 OK\r\n", True), "endless": (b"x" * 300, False),
    "after keep-alive": (b"\r\nSIP/2.0 200 OK\r\n", True), "no code": (b"SIP/2.0\r\n", False), "short code": (b"SIP/2.0 20 OK\r\n", False),
}  # fmt: skip


class Socket:
    def getsockname(self):
        return ("192.0.2.1", 40000)

    def getpeername(self):
        return ("192.0.2.2", 5060)


@pytest.mark.parametrize("data, good", SIP.values(), ids=SIP)
def test_sip_answers(data, good):
    question, read = QUESTIONS["sip"](Socket())
    assert question.startswith(b"OPTIONS sip:192.0.2.2:5060;transport=tcp SIP/2.0\r\n") and question.endswith(b"\r\n\r\n")
    problem = read(data)
    assert problem is None if good is None else (problem == "") is good


@pytest.mark.parametrize("data, good", [(b"\x16\x03\x03", True), (b"\x15\x03\x03", False), (b"HTTP", False)])
def test_tls_answers(data, good):
    question, read = QUESTIONS["tls"](Socket())
    assert question[:2] == b"\x16\x03" and (read(data) == "") is good


def test_credentials_that_stand_twice_are_none():
    once = [b"Host: x", b"AUTHORIZATION:  basic YTpi "]
    assert credentials(once) == b"a:b"
    assert [credentials(each) for each in ([], once * 2, [b"Authorization: Bearer YTpi"], [b"Authorization: Basic !"])] == [None] * 4


POOL = 'mode: ideal\nlisten: ["192.0.2.9:5060"]\nservers: {a: "192.0.2.1"}\nhealth_check: {port: 5061}\npersistence: {key: source}\n'
ERRORS = {
    "no check port": (POOL.replace("port: 5061", "inter: 1"), "servers: a server without a port cannot be checked; write `health_check"),
    "inspection": (POOL + "inspect_delay: 1\n", "inspect_delay: with key source nothing is waited for"),
    "a name's defect": (POOL + "defects: {key-first-bytes: 8}\n", "has no effect with key source; write `key: rdp-cookie`"),
    "itself": (POOL.replace("192.0.2.9:", "192.0.2.1:"), "listen[0]: 192.0.2.1:5060 is a server as well"),
    "backup's name": (POOL + 'backup: {a: "192.0.2.7"}\n', "backup.a: a is one of the servers"),
    "backup's address": (POOL + 'backup: {b: "192.0.2.1"}\n', "backup.b: 192.0.2.1 is one of the servers"),
    "sip port": (POOL.replace("5061", "5061, sip_port: 5060"), "health_check.sip_port: a check of kind tcp has no use for it"),
    "ports": (POOL + "source_ports: 20000\n", "source_ports: '20000' is no range of ports; write it as 20000-20199"),
    "ports turned": (POOL + "source_ports: 300-200\n", "source_ports: 300-200 is no range of ports"),
    "source": (POOL + "source_addresses: [eth0]\n", "source_addresses[0]: 'eth0' is not a numeric address"),
    "source twice": (POOL + 'source_addresses: ["::1", "0::1"]\n', "source_addresses[1]: ::1 is listed twice"),
    "stats": (POOL + "stats: {listen: here, user: a, password: b}\n", "stats.listen: 'here' is not a numeric address with a port"),
    "stats without password": (POOL + 'stats: {listen: "192.0.2.9:7777", user: a}\n', "stats: the key 'password' is missing"),
    "stats for clients": (POOL + 'stats: {listen: "192.0.2.9:5060", user: a, password: b}\n', "5060 is for clients already"),
}


@pytest.mark.parametrize("text, message", ERRORS.values(), ids=ERRORS)
def test_errors_name_place_and_remedy(text, message):
    with pytest.raises(ConfigError) as caught:
        parse(text, "a.yaml")
    assert message in str(caught.value) and ";" in str(caught.value)


def test_a_pool_is_read():
    config = parse(POOL + 'backup: {b: "127.0.0.1:9081"}\nmaxconn: 9\nsource_ports: 2000-2009\n', "a.yaml")
    assert (config.servers["a"].port, config.health_check.kind, config.maxconn) == (0, "tcp", 9)
    assert config.backup["b"] == ("127.0.0.1", 9081) and config.sources.ports == (2000, 2009)
