"""Messages and keep-alives on a stream, however it is cut."""

import random

import pytest
from sip_rig import TORTURE

from lbcert.wire.outcome import Decoded, Malformed, NeedMore
from lbcert.wire.sip import Message, write
from lbcert.wire.sip_stream import MAX_HEAD, PING, PONG, KeepAlive, SipStream, decode

FIELDS = [("Via", "SIP/2.0/TCP a.test"), ("From", "<sip:a@a.test>;tag=1"), ("To", "<sip:a@a.test>"), ("CSeq", "1 OPTIONS")]


def options(number: int, body: bytes = b"") -> bytes:
    return write("OPTIONS sip:a@a.test SIP/2.0", [*FIELDS, ("Call-ID", f"call{number}")], body)


def all_sorts() -> list[bytes]:
    """Twenty messages with keep-alives between: long and compact names, blanks before colons, folds, binary bodies."""
    some = []
    for number in range(20):
        message = options(number, bytes(range(256)) * (number % 3) + PING * (number % 2))
        old = b"Content-Length: "
        some.append(message.replace(old, (old, b"l:", b"Content-Length \t : ", b"L :\r\n  ")[number % 4]))
        some += [PING] * (number % 3)
    return some


def taken(stream: SipStream, pieces) -> list[bytes]:
    return [item.encode() for piece in pieces for item in stream.feed(piece)]


@pytest.mark.parametrize("seed", range(10))
def test_any_segmentation_gives_the_same_messages(seed):
    rng, whole = random.Random(seed), all_sorts()
    data = b"".join(whole)
    for _ in range(300):
        cuts = sorted(rng.sample(range(1, len(data)), rng.choice((0, 1, 5, 60))))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert taken(SipStream(pings=True), pieces) == whole


def test_single_bytes_and_the_bodies():
    whole = all_sorts()
    stream = SipStream(pings=True)
    items = [item for octet in b"".join(whole) for item in stream.feed(bytes((octet,)))]
    assert [item.encode() for item in items] == whole and stream.pending == 0
    bodies = [item.body for item in items if isinstance(item, Message)]
    assert bodies == [bytes(range(256)) * (n % 3) + PING * (n % 2) for n in range(20)]


def test_line_ends_are_pings_at_the_server_and_pongs_at_the_client():
    message = options(1)
    assert taken(SipStream(pings=True), [b"\r", b"\n\r\n" + message, PONG, PONG]) == [PING, message, PING]
    assert taken(SipStream(pings=True), [PONG + message]) == [PONG, message]
    assert taken(SipStream(pings=False), [b"\r", b"\n\r\n" + message, PONG]) == [PONG, PONG, message, PONG]
    assert decode(PONG) == NeedMore(2) and decode(PING + b"x") == Decoded(KeepAlive(PING), b"x")
    assert decode(PONG, pings=False) == Decoded(KeepAlive(PONG))


BAD = {
    "no-length": (b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n", "no Content-Length"),
    "two-lengths": (b"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\n", "no one number: '1, 2'"),
    "negative": (b"OPTIONS sip:a SIP/2.0\r\nl: -999\r\n\r\n", "no one number"),
    "huge": (b"OPTIONS sip:a SIP/2.0\r\nl: 9999999\r\n\r\n", "a body of 9999999 bytes"),
    "endless-head": (b"OPTIONS sip:a SIP/2.0\r\nx: " + b"y" * MAX_HEAD, "no whole head"),
    "endless-line": (b"O" * (MAX_HEAD + 1), "no whole head"),
    "http": (b"GET / HTTP/1.1\r\n", "no version of SIP"),
    "tls": (b"\x16\x03\x01\x02\0\x01\0", "byte 0x16 begins neither"),
    "half-a-line-end": (b"\r\n\rX", "byte 0x0d begins neither"),
}


@pytest.mark.parametrize("data, reason", BAD.values(), ids=BAD)
@pytest.mark.parametrize("step", [1, 1 << 20], ids=["in-single-bytes", "whole"])
def test_what_has_no_end_is_malformed_and_held_no_longer(data, reason, step):
    stream = SipStream(pings=True)
    items = [item for at in range(0, len(data), step) for item in stream.feed(data[at : at + step])]
    assert isinstance(items[-1], Malformed) and reason in items[-1].reason
    assert stream.dead and stream.pending == 0 and stream.feed(options(1)) == []


def test_need_more_is_never_too_much():
    message = options(1, b"body")
    for cut in range(len(message)):
        outcome = decode(message[:cut])
        assert isinstance(outcome, NeedMore) and 1 <= outcome.at_least <= len(message) - cut
    assert decode(message + b"rest").rest == b"rest"


WELL_FORMED = {  # name: method or status, URI, Call-ID, CSeq, length of the body
    "wsinv": ("INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam", "wsinv.ndaksdj@192.0.2.1", 9, 150),
    "intmeth": (
        "!interesting-Method0123456789_*+`.%indeed'~",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{', 139122385, 0),
    "esc01": ("INVITE", "sip:sips%3Auser%40example.com@example.net", "esc01.239409asdfakjkn23onasd0-3234", 234234, 150),
    "escnull": ("REGISTER", "sip:example.com", "escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd", 14398234, 0),
    "esc02": ("RE%47IST%45R", "sip:registrar.example.com", "esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf", 29344, 0),
    "lwsdisp": ("OPTIONS", "sip:user@example.com", "lwsdisp.1234abcd@funky.example.com", 60, 0),
    "longreq": ("INVITE", None, "longreq.one" + "really" * 20 + "longcallid", 3882340, 150),
    "dblreq": ("REGISTER", "sip:example.com", "dblreq.0ha0isndaksdj99sdfafnl3lk233412", 8, 0),
    "semiuri": ("OPTIONS", "sip:user;par=u%40example.net@example.com", "semiuri.0ha0isndaksdj", 8, 0),
    "transports": ("OPTIONS", "sip:user@example.com", "transports.kijh4akdnaqjkwendsasfdj", 60, 0),
    "mpart01": ("MESSAGE", "sip:kumiko@example.org", "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..", 1, 553),
    "unreason": (200, None, "unreason.1234ksdfak3j2erwedfsASdf", 35, 154),
    "noreason": (100, None, "noreason.asndj203insdf99223ndf", 35, 0),
    "badbranch": ("OPTIONS", "sip:user@example.com", "badbranch.sadonfo23i420jv0as0derf3j3n", 8, 0),
    "unkscm": ("OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent", "unkscm.nasdfasser0q239nwsdfasdkl34", 3923423, 0),
    "novelsc": ("OPTIONS", "soap.beep://192.0.2.103:3002", "novelsc.asdfasser0q239nwsdfasdkl34", 3923423, 0),
    "unksm2": ("REGISTER", "sip:example.com", "unksm2.daksdj@hyphenated-host.example.com", 234902, 0),
    "bext01": ("OPTIONS", "sip:user@example.com", "bext01.0ha0isndaksdj", 8, 0),
    "invut": ("INVITE", "sip:user@example.com", "invut.0ha0isndaksdjadsfij34n23d", 235448, 40),
    "regaut01": ("REGISTER", "sip:example.com", "regaut01.0ha0isndaksdj", 9338, 0),
    "bcast": (200, None, "bcast.0384840201234ksdfak3j2erwedfsASdf", 35, 154),
    "zeromf": ("OPTIONS", "sip:user@example.com", "zeromf.jfasdlfnm2o2l43r5u0asdfas", 39234321, 0),
    "cparam01": ("REGISTER", "sip:example.com", "cparam01.70710@saturn.example.com", 2, 0),
    "cparam02": ("REGISTER", "sip:example.com", "cparam02.70710@saturn.example.com", 3, 0),
    "regescrt": ("REGISTER", "sip:example.com", "regescrt.k345asrl3fdbv@192.0.2.1", 14398234, 0),
    "sdp01": ("INVITE", "sip:user@example.com", "sdp01.ndaksdj9342dasdd", 8, 150),
    "inv2543": ("INVITE", "sip:UserB@example.com", "inv2543.1717@ift.client.example.com", 56, 105),
}  # fmt: skip


@pytest.mark.parametrize("name", WELL_FORMED)
def test_rfc4475_well_formed(name):
    """27 of the 49; what is written here is read from the RFC, and aiosipua reads the same."""
    what, uri, call_id, number, body = WELL_FORMED[name]
    message = Message.datagram(TORTURE[name])
    assert message.fault is None and (message.method or message.status) == what and len(message.body) == body
    assert (message.call_id, message.cseq[0]) == (call_id, number)
    assert uri is None or message.uri == uri
    full = message.full
    assert (full.call_id, full.cseq.seq, full.cseq.method) == (call_id, *message.cseq)
    assert len(message.uri) == (0 if message.status else len(full.uri))
    assert (full.from_addr.tag or "", full.to_addr.tag or "") == (message.address("from").tag, message.address("to").tag)


FIRST_LINE, CSEQ = "the first line", "the CSeq is no number"
REFUSED = {
    "insuf": "there is no from", "lwsruri": FIRST_LINE, "lwsstart": FIRST_LINE, "trws": FIRST_LINE, "bigcode": FIRST_LINE,
    "ltgtruri": "the request is for no URI", "mismatch01": "another method", "mismatch02": "another method", "scalar02": CSEQ,
    "scalarlg": CSEQ, "multi01": "from is there more than once", "quotbal": "From or To holds no URI",
}  # fmt: skip
"""what is faulty already by the few fields that are read"""
READ = {"badinv01", "badvers", "escruri", "badaspec", "baddate", "regbadct"}
"""faulty in fields that nobody here reads, or in the version, which has an answer of its own"""
WITHOUT_END = {"clerr", "ncl", "mcl01", "baddn"}


def test_rfc4475_the_others():
    assert REFUSED.keys() | READ | WITHOUT_END | WELL_FORMED.keys() == TORTURE.keys() and len(TORTURE) == 49
    for name, reason in REFUSED.items():
        (message,) = SipStream(pings=True).feed(TORTURE[name])
        assert reason in message.fault, name
    assert {name: Message.datagram(TORTURE[name]).fault for name in READ} == dict.fromkeys(READ)
    ends = {name: SipStream(pings=True).feed(TORTURE[name]) for name in WITHOUT_END}
    assert not ends["clerr"] and not ends["baddn"]
    assert isinstance(ends["ncl"][0], Malformed) and isinstance(ends["mcl01"][0], Malformed)
