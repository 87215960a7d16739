"""Whatever comes, neither half raises; and what a server understands does not depend on the segmentation."""

import random

import pytest
from http_rig import GET, Desk

from lbcert.clients.http import Ask, Browse
from lbcert.wire.http import chunk

AMOUNTS = [700, pytest.param(20_000, marks=pytest.mark.nightly)]
POST = (b"POST /p?token=t2 HTTP/1.1\r\nHost: vip\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
        + chunk(b"abc" * 20) + b"0\r\n\r\n")  # fmt: skip
PUT = b"PUT /p HTTP/1.1\r\nhost: vip\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\nabcdefghi"
STREAMS = [GET * 2 + POST, POST + PUT + GET, PUT + b"GET / HTTP/1.0\r\n\r\n"]
ODD = [b"\r", b"\n", b"\0", b" ", b"\t", b":", b"\x80", b"\r\n", b"\r\n\r\n", b"HTTP/1.0", b"Content-Length: 3\r\n", b"chunked",
       b"Host: b\r\n", b"fffffffff", b"-1", b"Connection: close\r\n", b"Upgrade: h2c\r\n", b"CONNECT "]  # fmt: skip


def mutated(dice, stream):
    octets = bytearray(stream)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(octets))
        deed = dice.randrange(4)
        if deed == 0:
            octets[at : at + dice.randrange(1, 30)] = b""
        elif deed == 1:
            octets[at:at] = dice.choice(ODD)
        elif deed == 2:
            octets[at] = dice.randrange(256)
        else:
            octets[at:at] = octets[at : at + 40]
    return bytes(octets)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_mutated_requests(amount):
    dice = random.Random(amount)
    malformed = 0
    for _ in range(amount):
        data = mutated(dice, dice.choice(STREAMS))
        whole, pieces = Desk(), Desk()
        whole.take(data)
        pieces.take(data, dice.choice((1, 3, 40)))
        assert whole.of("request") == pieces.of("request"), data
        assert len(whole.of("malformed")) <= 1
        malformed += bool(whole.of("malformed"))
    assert malformed > amount // 10


@pytest.mark.parametrize("amount", AMOUNTS)
def test_mutated_answers(amount):
    dice = random.Random(amount)
    ways = (None, {"chunked": True}, {"status": 204}, {"set_cookie": ["a=b; path=/; max-age=5"]})
    answers = [Desk(web).take(GET) for web in ways]
    good = 0
    for _ in range(amount):
        data = mutated(dice, dice.choice(answers))
        seen = []
        for size in (len(data) or 1, 7):
            speech = Browse("t1", [Ask()], host="vip")
            speech.begin()
            for at in range(0, len(data), size):
                speech.take(data[at : at + size])
            speech.ended()
            seen.append((speech.outcome, [reply.told() for reply in speech.replies]))
        assert seen[0] == seen[1], data
        good += seen[0][0] == "answered"
    assert good > amount // 10
