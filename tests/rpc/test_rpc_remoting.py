"""Remoting and monitoring: frames and lines in any segmentation, who answered, and nothing raised."""

import random

import pytest
from rpc_rig import Desk, converse

from lbcert.clients.monitor import Agent
from lbcert.clients.remoting import CallRemote
from lbcert.endpoints.monitor import Monitor
from lbcert.endpoints.remoting import Remoting
from lbcert.wire.nrtp import CLOSE, CONTENT_TYPE, CUSTOM, ONE_WAY, REPLY, REQUEST, REQUEST_URI, STATUS_CODE, Frame, Header
from lbcert.wire.outcome import Decoded, Malformed, NeedMore
from lbcert.wire.talk import Identity

segments = pytest.mark.parametrize("size", [None, 1, 7, 100])
FRAMES = [
    Frame(REQUEST, (Header(REQUEST_URI, "tcp://a/b"), Header(CONTENT_TYPE, "x")), b"abc"),
    Frame(ONE_WAY), Frame(REPLY, (Header(CLOSE),)),
    Frame(REQUEST, (Header(CUSTOM, "wert", "näme", 3), Header(CUSTOM, "v", "n", 1)), b"abcdef", (2, 4)),
    Frame(REPLY, (Header(STATUS_CODE, 500),), bytes(300)),
]  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES, ids=range(5))
def test_frames_survive_the_wire_and_every_cut(frame):
    octets = frame.encode()
    assert Frame.decode(octets + b"rest") == Decoded(frame, b"rest")
    for cut in range(len(octets)):
        outcome = Frame.decode(octets[:cut])
        assert isinstance(outcome, NeedMore) and 1 <= outcome.at_least <= len(octets) - cut


def test_a_frame_is_the_one_of_the_specification():
    """[MS-NRTP] 2.2.3.3.1: protocol, version, operation, distribution, length, headers, their end, content."""
    assert Frame(REQUEST, (Header(REQUEST_URI, "tcp://a"),), b"xy").encode() == bytes.fromhex(
        "2e4e4554 01 00 0000 0000 02000000 0400 01 01 07000000 7463703a2f2f61 0000 7879"
    )


@segments
@pytest.mark.parametrize("chunks", [(), (3, 200)])
def test_remoting_tells_who_answered(size, chunks):
    desk = Desk(Remoting)
    speech = converse(CallRemote("t-1", chunks=chunks), desk, size)
    assert (speech.outcome, speech.identity, speech.answers) == ("answered", Identity(2, 7), 1)
    converse(speech, desk, size, out=speech.again())
    assert (speech.outcome, speech.answers) == ("answered", 2)
    assert [(one["kind"], one["token"], one["number"]) for one in desk.events] == [("request", "t-1", 1), ("request", "t-1", 2)]


def test_one_way_calls_have_no_reply_and_a_close_is_obeyed():
    desk = Desk(Remoting)
    assert desk.take(Frame(ONE_WAY, (), b"x").encode()) == b""
    assert desk.take(Frame(REQUEST, (Header(CLOSE),), b"x").encode()) and desk.service.closing


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\n", b".NET\x02", FRAMES[4].encode(), FRAMES[0].encode()[:10] + b"\xff\xff\xff\x7f",
    FRAMES[0].encode()[:6] + b"\x09\0\0\0", FRAMES[0].encode()[:14] + b"\x63\0\0",
], ids=range(6))  # fmt: skip
@segments
def test_what_is_no_remoting_is_reported(data, size):
    desk = Desk(Remoting)
    desk.take(data, size)
    assert desk.kinds() == ["malformed"] and desk.service.closing


def test_a_reply_that_was_changed_is_seen():
    speech = CallRemote("t-1")
    answer = Desk(Remoting).take(speech.begin())
    speech.take(answer[:-1] + bytes((answer[-1] ^ 1,)))
    assert (speech.outcome, speech.answers) == ("changed", 0)


@segments
def test_an_agent_is_answered_and_its_lines_come_back(size):
    desk = Desk(Monitor)
    speech = converse(Agent("t-1"), desk, size)
    assert (speech.outcome, speech.identity) == ("answered", Identity(2, 7))
    converse(speech, desk, size, out=speech.again() + speech.again())
    assert (speech.outcome, speech.answers) == ("answered", 3)
    assert desk.events == [
        {"kind": "request", "token": "t-1", "number": 1}, {"kind": "line", "text": "t-1 1"}, {"kind": "line", "text": "t-1 2"},
    ]  # fmt: skip
    speech.take(b"else\r\n")
    assert (speech.outcome, speech.answers) == ("malformed", 3)


@pytest.mark.parametrize("data", [b"x" * 2000, b"HELLO\r\n", b"AGENT \xff\r\n", b"AGENT t\r\n" + b"x" * 1024,
                                  b"AGENT t\r\n" + b"x" * 1030 + b"\r\n"])  # fmt: skip
@segments
def test_what_is_no_agent_is_reported(data, size):
    desk = Desk(Monitor)
    desk.take(data, size)
    assert desk.kinds()[-1] == "malformed" and desk.service.closing


def test_changed_bytes_never_raise():
    dice = random.Random(3)
    for _ in range(3000):
        octets = bytearray(dice.choice(FRAMES).encode())
        for _ in range(dice.randrange(1, 4)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        outcome = Frame.decode(bytes(octets))
        assert isinstance(outcome, Malformed | NeedMore) or outcome.value.encode() + outcome.rest == octets
        Desk(Remoting).take(bytes(octets), 50)
