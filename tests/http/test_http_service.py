"""A mock web server reports each request exactly, whatever the segmentation, and answers who it is."""

import hashlib
import json

import pytest
from http_rig import GET, Desk

from lbcert.clients.http_reply import Replies
from lbcert.endpoints.http_answer import body_of
from lbcert.wire.http import chunk

BODY = bytes(range(256)) * 10
CHUNKED = (b"POST /c?token=t2 HTTP/1.1\r\nHost: vip\r\nTransfer-Encoding: chunked\r\n\r\n"
           + b"".join(chunk(BODY[at:at + 700]) for at in range(0, len(BODY), 700)) + b"0\r\nX-Trailer: 1\r\n\r\n")  # fmt: skip
PLAIN = b"POST /p HTTP/1.1\r\nHost: vip\r\nX-Lbcert-Token: t3\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
ONE_ZERO = b"GET /old?token=t4 HTTP/1.0\r\n\r\n"
segments = pytest.mark.parametrize("size", [None, 1, 3, 7, 64])


@segments
def test_requests_in_a_row_are_reported_exactly(size):
    desk = Desk()
    desk.take(GET + CHUNKED + b"\r\n" + PLAIN + GET + ONE_ZERO + GET, size)
    seen = desk.of("request")
    assert desk.events == seen
    assert [(one["token"], one["method"], one["target"], one["version"], one["number"]) for one in seen] == [
        ("t1", "GET", "/a?token=t1", "1.1", 1), ("t2", "POST", "/c?token=t2", "1.1", 2), ("t3", "POST", "/p", "1.1", 3),
        ("t1", "GET", "/a?token=t1", "1.1", 4), ("t4", "GET", "/old?token=t4", "1.0", 5),
    ]  # fmt: skip
    assert seen[0]["headers"] == [["Host", "vip"], ["X-B", "1"], ["x-b", "two"], ["Cookie", "SERVERID=s1; a=b=c"]]
    assert seen[0]["cookies"] == [["SERVERID", "s1"], ["a", "b=c"]]
    assert [one["body_length"] for one in seen] == [0, len(BODY), len(BODY), 0, 0]
    assert seen[1]["body_sha256"] == seen[2]["body_sha256"] == hashlib.sha256(BODY).hexdigest()
    assert seen[0]["peer"] == ["10.0.0.5", 40001]
    assert desk.service.closing


@segments
def test_the_answer_says_who_and_what_it_saw(size):
    head, _, body = Desk(proxied=["10.9.9.9", 5]).take(GET, size).partition(b"\r\n\r\n")
    assert b"\r\nX-Lbcert-Server: fe=2; conn=7\r\n" in head
    saw = json.loads(body)
    assert (saw["fe"], saw["conn"], saw["peer"], saw["proxy"]) == (2, 7, ["10.0.0.5", 40001], ["10.9.9.9", 5])
    assert saw["headers"] == [["Host", "vip"], ["X-B", "1"], ["x-b", "two"], ["Cookie", "SERVERID=s1; a=b=c"]]


def test_quick_and_slow_ways_report_the_same():
    quick, slow = Desk(), Desk()
    quick.take(GET)
    slow.take(GET.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"))
    one, other = quick.of("request")[0], slow.of("request")[0]
    assert other["headers"].pop() == ["Connection", "keep-alive"]
    assert one == other


def test_duplicate_lengths_are_reported_as_they_came():
    desk = Desk()
    desk.take(b"POST / HTTP/1.1\r\nHost: vip\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nhi")
    assert desk.of("request")[0]["headers"][1:] == [["Content-Length", "2"], ["content-length", "2"]]


def test_a_client_that_waits_is_told_to_go_on_once():
    desk = Desk()
    ask = b"POST / HTTP/1.1\r\nHost: vip\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert desk.take(ask) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert desk.take(b"h") == b""
    assert desk.take(b"i").startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_the_test_configured():
    desk = Desk({
        "status": 503, "headers": [["X-Extra", "1"]], "set_cookie": ["a=1; Secure", "b=2"], "cacheable": False, "close": True,
    })  # fmt: skip
    out = desk.take(GET)
    for line in (b"HTTP/1.1 503 ", b"\r\nX-Extra: 1\r\n", b"\r\nSet-Cookie: a=1; Secure\r\nSet-Cookie: b=2\r\n",
                 b"\r\nCache-Control: no-store\r\n", b"\r\nConnection: close\r\n"):  # fmt: skip
        assert line in out
    assert desk.service.closing
    desk.options["web"] = {"status": 204}
    assert desk.take(GET) == b"", "after its last answer it hears nothing more"


def test_head_has_the_length_and_no_body():
    out = Desk({"body_size": 1000}).take(GET.replace(b"GET", b"HEAD") * 2)
    assert out.count(b"\r\nContent-Length: 1000\r\n") == 2 and out.endswith(b"\r\n\r\n")


def test_a_long_answer_comes_in_pieces_and_further_requests_wait():
    desk = Desk({"body_size": 1_000_000})
    out = desk.service.take(GET + GET)
    assert out.endswith(b"\r\n\r\n") and len(desk.of("request")) == 1
    body = b""
    while len(desk.of("request")) == 1:
        piece = desk.service.more()
        assert len(piece) < 70_000
        body += piece
    assert hashlib.sha256(body[:1_000_000]).hexdigest() == body_of("t1", 1_000_000)[1] == desk.of("answered-long")[0]["sha256"]
    assert body[1_000_000:].startswith(b"HTTP/1.1 200 ") and desk.service.pending


def test_a_held_answer_waits_to_be_released():
    desk = Desk({"hold": True})
    assert desk.take(GET + GET) == b"" and len(desk.of("request")) == 1
    assert desk.service.push({"release": True}).startswith(b"HTTP/1.1 200 ") and len(desk.of("request")) == 2
    desk.options["web"] = {}
    assert desk.service.push({"release": True}).startswith(b"HTTP/1.1 200 ")
    assert desk.service.push({"release": True}) == b"" and desk.take(GET).startswith(b"HTTP/1.1 200 ")


def test_what_waits_is_bounded():
    desk = Desk({"body_size": 1_000_000})
    desk.service.take(GET)
    while not desk.service.closing:
        desk.service.take(bytes(1_000_000))
    assert desk.of("malformed")


def test_a_head_that_comes_byte_by_byte_is_not_read_again_for_each(monkeypatch):
    """64 KiB of them kept the one process that serves everybody busy for minutes."""
    from lbcert.endpoints import http

    looks = []
    monkeypatch.setattr(http, "head_of", lambda buffer, look=http.head_of: looks.append(len(buffer)) or look(buffer))
    desk, slow = Desk(), b"\r\nPOST /a HTTP/1.1\r\nHost: v\r\n" + b"X: y\r\n" * 500 + b"Content-Length: 2\r\n\r\nab"
    assert desk.take(slow + slow + GET, 1).count(b"HTTP/1.1 200 ") == 3
    assert len(looks) < 10


def test_a_focus_is_answered_in_its_own_language():
    body = b'<request xmlns="urn:ietf:params:xml:ns:cccp" requestId="77"><addUser/></request>'
    head = b"POST /mcu HTTP/1.1\r\nHost: vip\r\nContent-Type: application/cccp+xml\r\nContent-Length: %d\r\n\r\n" % len(body)
    out = Desk().take(head + body)
    assert b"Content-Type: application/cccp+xml" in out and b'requestId="77" from="fe2.pool.lbcert.test" code="success"' in out


@pytest.mark.parametrize("data", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost : vip\r\n\r\n",
    b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + GET, b"POST / HTTP/1.1\r\nHost: v\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: v\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST / HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: v\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", b"\0" * 70_000,
], ids=range(11))  # fmt: skip
@pytest.mark.parametrize("size", [None, 5])
def test_what_is_no_request_is_reported_and_refused(data, size):
    desk = Desk()
    out = desk.take(data, size)
    assert [event["kind"] for event in desk.events] == ["malformed"]
    assert out.startswith(b"HTTP/1.1 ") and b"fe=2; conn=7" in out and desk.service.closing
    assert desk.take(GET) == b""


@pytest.mark.parametrize("how", [{}, {"body_size": 5000}, {"body_size": 200_000, "chunked": True}, {"status": 304}], ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_was_said_is_reported_where_it_is_asked_for(how, method):
    """Status, header list and body as a client must have them."""
    desk = Desk({"tell": True, "headers": [["X-B", "1"], ["x-b", "two"]], **how})
    replies = Replies(0)
    replies.expect(method)
    out = desk.take(GET.replace(b"GET", method.encode()))
    while desk.service.pending:
        out += desk.service.more()
    replies.take(out)
    [reply], [said] = replies.whole, desk.of("said")
    assert (said["token"], said["number"], said["status"]) == ("t1", 1, reply.status)
    assert [list(pair) for pair in said["headers"]] == [list(pair) for pair in reply.fields]
    assert (said["body_length"], said["body_sha256"]) == (reply.body_length, reply.body_sha256)
