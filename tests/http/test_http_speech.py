"""A web client understands every answer exactly, in any segmentation, and keeps its cookies."""

import hashlib

import pytest
from http_rig import Desk, converse

from lbcert.clients.http import Ask, Browse, Raw
from lbcert.endpoints.http_answer import body_of
from lbcert.wire.cookies import Jar
from lbcert.wire.talk import Identity

segments = pytest.mark.parametrize("size", [None, 1, 5, 100])


def browse(*asks, **how):
    return Browse("t1", asks, host="vip.lbcert.test", **how)


@segments
@pytest.mark.parametrize("pipelined", [False, True], ids=["in a row", "pipelined"])
@pytest.mark.parametrize("web", [None, {"chunked": True}, {"body_size": 5000}, {"body_size": 5000, "chunked": True}], ids=str)
def test_every_request_is_answered_by_whom(size, pipelined, web):
    post, put = Ask("/2?x=1", "POST", body=b"abc" * 100), Ask("/4", "PUT", body=b"x" * 99, chunks=3)
    asks = [Ask("/1"), post, Ask("/3", "HEAD"), put, Ask()]
    desk = Desk(web)
    speech = converse(browse(*asks, pipelined=pipelined), desk, size)
    assert (speech.outcome, speech.identity) == ("answered", Identity(2, 7))
    assert [one["target"] for one in desk.of("request")] == [
        "/1?token=t1", "/2?x=1&token=t1", "/3?token=t1", "/4?token=t1", "/?token=t1",
    ]  # fmt: skip
    assert {one["token"] for one in desk.of("request")} == {"t1"}
    assert [one["body_length"] for one in desk.of("request")] == [0, 300, 0, 99, 0]
    if web and "body_size" in web:
        assert speech.replies[0].body_sha256 == body_of("t1", 5000)[1]
        assert [one.body_length for one in speech.replies] == [5000, 5000, 0, 5000, 5000]


@segments
def test_raw_bytes_and_content_are_kept_apart(size):
    answer = b"HTTP/1.1 200 Fine\r\nX-lbcert-SERVER: fe=3; conn=4\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    speech = browse(Ask(), Ask(), pipelined=True)
    speech.begin()
    for at in range(0, len(answer) * 2, size or 1000):
        speech.take((answer * 2)[at : at + (size or 1000)])
    assert speech.outcome == "answered" and speech.identity == Identity(3, 4)
    for reply in speech.replies:
        assert (reply.raw, reply.body, reply.reason) == (answer, b"abc", "Fine")
        assert reply.fields == [("X-lbcert-SERVER", "fe=3; conn=4"), ("transfer-encoding", "chunked")]
        assert reply.body_sha256 == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("answer, outcome", [
    (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status 503"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "anonymous"),
    (b"SSH-2.0-x\r\n", "malformed"), (b"\x15\x03\x01\0\x02\x02\x28", "malformed"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", None),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", "malformed"),
    (b"HTTP/1.1 304 Not Modified\r\nX-Lbcert-Server: fe=1; conn=1\r\nContent-Length: 99\r\n\r\n", "answered"),
    (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
     b"HTTP/1.1 200 OK\r\nX-Lbcert-Server: fe=1; conn=1\r\nContent-Length: 0\r\n\r\n", "answered"),
], ids=range(8))  # fmt: skip
@segments
def test_one_word_for_what_came(answer, outcome, size):
    speech = browse(Ask())
    speech.begin()
    for at in range(0, len(answer), size or 1000):
        speech.take(answer[at : at + (size or 1000)])
    assert speech.outcome == outcome
    speech.ended()
    assert speech.outcome == (outcome or "short" if outcome else "malformed")


def test_an_answer_that_ends_with_its_connection():
    speech = browse(Ask())
    speech.begin()
    speech.take(b"HTTP/1.0 200 OK\r\nX-Lbcert-Server: fe=1; conn=1\r\n\r\nall of ")
    speech.take(b"it")
    assert speech.outcome is None
    speech.ended()
    assert speech.outcome == "answered" and speech.replies[0].body == b"all of it"


def test_a_held_connection_is_asked_again():
    desk = Desk()
    speech = converse(browse(Ask("/1")), desk)
    assert speech.take(desk.take(speech.again(Ask("/2")))) == b""
    assert speech.outcome == "answered" and [one["number"] for one in desk.of("request")] == [1, 2]


def test_a_body_waits_for_the_word():
    desk = Desk()
    speech = browse(Ask("/", "POST", body=b"abc", expect=True))
    assert not speech.begin().endswith(b"abc")
    assert converse(browse(Ask("/", "POST", body=b"abc", expect=True)), desk).outcome == "answered"
    assert desk.of("request")[0]["body_length"] == 3


def test_a_cookie_is_sent_on_every_connection_of_its_client():
    jar, desk = Jar(), Desk({"set_cookie": "SERVERID=s2; path=/; Secure; HttpOnly"})
    converse(browse(Ask("/1"), Ask("/2"), jar=jar, secure=True), desk)
    converse(browse(Ask("/3"), jar=jar, secure=True), desk)
    converse(browse(Ask("/4"), jar=jar), desk)
    assert [one["cookies"] for one in desk.of("request")] == [[], [["SERVERID", "s2"]], [["SERVERID", "s2"]], []]
    cookie = next(iter(jar))
    assert (cookie.secure, cookie.http_only, cookie.lasting) == (True, True, False)


def test_bytes_that_no_client_would_say():
    desk = Desk()
    smuggled = (b"POST /1?token=out HTTP/1.1\r\nHost: v\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                b"GET /2?token=in HTTP/1.1\r\nHost: v\r\n\r\n")  # fmt: skip
    speech = converse(Raw("out", smuggled, answers=2), desk)
    assert speech.outcome == "answered" and len(speech.replies) == 2
    assert [one["token"] for one in desk.of("request")] == ["out", "in"]
