"""Who counts as connected to a mock server that stands for people, by its reports alone."""

import time

import pytest

from lbcert.console.guests import Seat
from lbcert.console.table import names
from lbcert.endpoints.control import MockServer
from lbcert.evidence.history import History
from lbcert.loop import Loop


def seat(kind="pool-server", host="fe1"):
    return Seat(MockServer("Node1", 1, [("10.0.0.4", 5061)], Loop(), History(), True, host, kind), host)


def accept(conn=1, peer="10.0.0.9", port=5061, ago=0.0):
    return {"kind": "accept", "conn": conn, "peer": [peer, 40000 + conn], "local": ["10.0.0.4", port], "t": int((time.time() - ago) * 1e9)}


def web(headers=(), token=None, target="/abs/?token=x", proxy=None):
    return {"kind": "request", "conn": 1, "method": "GET", "target": target, "headers": list(headers), "token": token, "proxy": proxy}


def sip(method):
    return {"kind": "request", "conn": 1, "method": method, "source": "sip:alice@lbcert.test", "token": "t", "uri": "sip:x"}


AGENT, FORWARDED = ["User-Agent", "curl"], ["X-Forwarded-For", "203.0.113.7"]


@pytest.mark.parametrize(("event", "news"), [
    (web([AGENT]), "Node1: 10.0.0.9:40001 on 5061 connected: GET /abs/"),
    (web([], token="t1"), "Node1: 10.0.0.9:40001 on 5061 connected: GET /abs/"),
    (web([AGENT, FORWARDED]), "Node1: 203.0.113.7 on 5061 connected, from 10.0.0.9:40001: GET /abs/"),
    (web([AGENT], proxy=["203.0.113.8", 5]), "Node1: 203.0.113.8 on 5061 connected, from 10.0.0.9:40001: GET /abs/"),
    (sip("REGISTER"), "Node1: alice@lbcert.test on 5061 connected, from 10.0.0.9:40001: REGISTER"),
    ({"kind": "request", "conn": 1, "operation": "ept_map", "token": "t"}, "Node1: 10.0.0.9:40001 on 5061 connected: ept_map"),
    (web([AGENT], target="/\x1b[2J"), "Node1: 10.0.0.9:40001 on 5061 connected: GET /?[2J"),
    (web([]), None), (sip("OPTIONS"), None), ({"kind": "tls", "conn": 1, "client": ""}, None), (web([AGENT]) | {"conn": 7}, None),
])  # fmt: skip
def test_a_request_is_news_unless_a_health_check_asks_like_that(event, news):
    one = seat()
    assert one.take(accept()) == []
    assert one.take(event) == ([news] if news else []) and len(one.users) == bool(news)
    assert one.take({"kind": "close", "conn": 1, "how": "closed"}) == ([news.partition(" connected")[0] + " left (closed)"] if news else [])


@pytest.mark.parametrize(("kind", "counted"), [("pool-server", True), ("terminal-server", False)])
def test_who_stays_is_no_health_check(kind, counted):
    """On a pool's ports an address is enough; to a terminal server a client has said something first."""
    one = seat(kind)
    one.take(accept(ago=2))
    assert bool(one.greet_all()) == counted and one.greet_all() == []


def test_what_went_wrong_is_told():
    one = seat()
    one.take(accept())
    said = one.take({"kind": "security-failed", "conn": 1, "reason": "TLS: NO_SHARED_CIPHER", "head": ""})
    assert said == ["Node1: 10.0.0.9:40001 on 5061 connected", "Node1: 10.0.0.9:40001 on 5061: TLS: NO_SHARED_CIPHER"]


def test_ports_of_one_client_stand_together():
    one = seat()
    for conn, (peer, port) in enumerate([("10.0.0.9", 5061), ("10.0.0.9", 443), ("10.0.0.8", 443), ("10.0.0.9", 443)], start=1):
        one.take(accept(conn, peer, port, ago=5))
    assert names(one) == ["10.0.0.9 on 443 ×2, 5061 (5 s)", "10.0.0.8 on 443 (5 s)"]
