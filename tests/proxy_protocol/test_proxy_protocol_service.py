"""A service behind a PROXY header: it is demanded, accepted or not known, in any segmentation, from whom it may come."""

import json

import pytest

from lbcert.endpoints.http import Web
from lbcert.endpoints.proxied import Proxied, behind_proxy
from lbcert.wire.proxy_protocol import PROXY_VECTORS, SSL, ProxyHeader, Ssl
from lbcert.wire.talk import Identity, Place

GET = b"GET /?token=t1 HTTP/1.1\r\nHost: vip\r\n\r\n"
BROKEN = b"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n"
segments = pytest.mark.parametrize("size", [None, 1, 5])


class Desk:
    def __init__(self, **options):
        self.events = []
        place = Place(Identity(1, 1), "web1", 80, ("192.168.0.9", 5555), options)
        self.service = behind_proxy(Web)(place, lambda kind, **facts: self.events.append({"kind": kind, **facts}))

    def take(self, data, size):
        step = size or len(data)
        return self.service.begin() + b"".join(self.service.take(data[at : at + step]) for at in range(0, len(data), step))

    def kinds(self):
        return [event["kind"] for event in self.events]


@segments
@pytest.mark.parametrize("mode", ["demand", "accept"])
@pytest.mark.parametrize("id, source", [("PP-1", ["10.50.0.10", 33295]), ("PP-2", ["10.50.0.10", 33295]), ("PP-3", None)])
def test_a_header_names_the_client(mode, id, source, size):
    desk = Desk(proxy_protocol=mode)
    body = desk.take(PROXY_VECTORS[id] + GET + GET, size).split(b"\r\n\r\n")[1].split(b"HTTP")[0]
    assert desk.kinds() == ["proxy", "request", "request"]
    assert desk.events[0]["raw"] == PROXY_VECTORS[id].hex()
    assert desk.events[1]["proxy"] == json.loads(body)["proxy"] == source
    assert desk.events[1]["peer"] == ("192.168.0.9", 5555)


@segments
def test_without_a_header(size):
    assert Desk(proxy_protocol="demand").take(GET, size) == b""
    for mode in ("accept", "refuse"):
        desk = Desk(proxy_protocol=mode)
        assert desk.take(b"POST /" + GET[5:], size).startswith(b"HTTP/1.1 200")
        assert desk.kinds() == ["request"] and desk.events[0]["proxy"] is None


@segments
@pytest.mark.parametrize("mode, data, kinds", [
    ("demand", GET, ["proxy-refused"]), ("demand", BROKEN + GET, ["proxy-refused"]), ("accept", BROKEN + GET, ["proxy-refused"]),
    ("refuse", BROKEN + GET, ["malformed"]), ("refuse", PROXY_VECTORS["PP-1"] + GET, ["malformed"]),
    ("refuse", PROXY_VECTORS["PP-2"] + GET, ["malformed"]),
], ids=range(6))  # fmt: skip
def test_what_is_refused_is_closed_and_no_request_is_seen(mode, data, kinds, size):
    desk = Desk(proxy_protocol=mode)
    desk.take(data, size)
    assert desk.kinds() == kinds and desk.service.closing
    assert desk.service.take(GET) == b""


@pytest.mark.parametrize("mode, kinds", [("demand", ["proxy-refused"]), ("accept", ["malformed"])])
def test_a_stranger_cannot_claim_to_be_another(mode, kinds):
    desk = Desk(proxy_protocol=mode, proxy_senders=["192.168.0.1"])
    desk.take(PROXY_VECTORS["PP-2"] + GET, None)
    assert desk.kinds() == kinds and desk.service.closing
    known = Desk(proxy_protocol=mode, proxy_senders=["192.168.0.9"])
    assert known.take(PROXY_VECTORS["PP-2"] + GET, None).startswith(b"HTTP/1.1 200")


def test_tls_is_told():
    desk = Desk()
    tls = Ssl(1, True, ((0x21, b"TLSv1.3"),))
    ends = ("10.0.0.1", 1), ("10.0.0.2", 2)
    desk.take(ProxyHeader(2, "PROXY", "TCP4", *ends, ((SSL, tls.encode()),)).summed().encode() + GET, None)
    assert desk.events[0]["ssl"] == {"client": 1, "verified": True, "parts": [[0x21, "TLSv1.3"]]}
    assert [kind for kind, _ in desk.events[0]["tlvs"]] == [SSL, 3]


def test_options_that_change_are_seen_through_it():
    options = {}
    service = Proxied(Web, Place(Identity(1, 1), "web1", 80, ("192.168.0.9", 5555), options), lambda kind, **facts: None)
    assert service.take(GET).startswith(b"HTTP/1.1 200")
    options["web"] = {"status": 503, "body_size": 200_000}
    assert service.take(GET).startswith(b"HTTP/1.1 503") and service.pending and len(service.more()) == 65536


def test_an_unknown_mode_is_an_error():
    with pytest.raises(ValueError, match="demand, accept, refuse"):
        Desk(proxy_protocol="maybe")
