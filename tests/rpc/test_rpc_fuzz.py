"""Whatever comes, neither half raises, and neither keeps more than it may."""

import random

import pytest
from rpc_rig import Desk, Recording

from lbcert.clients.mapper import AskMapper
from lbcert.endpoints.mapper import LARGEST
from lbcert.wire import epm, rpc
from lbcert.wire.outcome import Decoded, Malformed, NeedMore

AMOUNTS = [1_000, pytest.param(20_000, marks=pytest.mark.nightly), pytest.param(1_000_000, marks=pytest.mark.nightly)]


def mutated(dice, seed):
    """A known stream with bytes changed, cut out, doubled or moved."""
    octets = bytearray(seed)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at, end = sorted((dice.randrange(len(octets) + 1), dice.randrange(len(octets) + 1)))
        deed = dice.randrange(5)
        if deed == 0:
            del octets[at : min(end, at + 40)]
        elif deed == 1:
            octets[at:at] = octets[at:end][:200]
        elif deed == 2:
            octets[at:at] = dice.randbytes(dice.randrange(20))
        elif at < len(octets):
            octets[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, octets[at] ^ (1 << dice.randrange(8))))
        if not octets:
            break
    return bytes(octets)


def streams():
    """What clients say, and what servers answer, whole."""
    said, heard = [], []
    for how in ({}, {"lookup": True}, {"fragment": 9}):
        record = Recording(AskMapper("t-1", **how), Desk())
        said.append(b"".join(record.said))
        heard.append(Desk().take(said[-1]))
    return said, heard


@pytest.mark.parametrize("amount", AMOUNTS)
def test_mutated_streams(amount):
    dice = random.Random(amount)
    said, heard = streams()
    whole = answered = malformed = 0
    for _ in range(amount):
        desk, size = Desk(), dice.choice((None, None, 1, 50))
        desk.take(mutated(dice, dice.choice(said)), size)
        assert len(desk.service._buffer) <= rpc.FRAGMENT
        assert desk.service._pending is None or len(desk.service._pending[1].stub) <= LARGEST
        malformed += "malformed" in desk.kinds()
        whole += "request" in desk.kinds()
        speech = AskMapper("t-1")
        speech.begin()
        speech.take(mutated(dice, heard[0]))
        answered += speech.outcome == "answered"
    assert min(whole, malformed, answered) > amount // 50, "the mutations reach all kinds of ends"


@pytest.mark.parametrize("codec", [rpc.Bind, rpc.BindAck, epm.Tower, epm.Question, epm.Inquiry], ids=lambda one: one.__name__)
def test_bodies_of_any_bytes_give_an_outcome(codec):
    dice = random.Random(5)
    for _ in range(500):
        octets = dice.randbytes(dice.randrange(80))
        outcome = codec.decode(octets)
        assert isinstance(outcome, Decoded | Malformed)
        if isinstance(outcome, Malformed):
            assert 0 <= outcome.offset <= len(octets)


@pytest.mark.parametrize("value", [
    rpc.Bind((rpc.Context(3, epm.MAPPER), rpc.Context(4, epm.DCOM, (rpc.NDR, epm.DCOM))), 5, 1500, 1600),
    rpc.BindAck(9, ((0, 0), (0, 0)), "135", 1500, 1600), epm.Tower(epm.DCOM, 49154, "192.168.0.12"),
    epm.Question(None, b"abc"), epm.Question(epm.token_uuid("t-1"), epm.Tower(epm.DCOM).encode(), 9),
    epm.Inquiry(), epm.Inquiry(epm.token_uuid("t-1"), epm.MAPPER, 3, 7),
], ids=lambda one: type(one).__name__)  # fmt: skip
def test_values_survive_the_wire(value):
    assert type(value).decode(value.encode() + b"rest") == Decoded(value, b"rest")


@pytest.mark.parametrize("pdu", [
    rpc.Pdu(rpc.BIND, 1, b"abc"), rpc.Pdu(rpc.REQUEST, 0xFFFFFFFF, b"", rpc.FIRST, bytes(24)),
    rpc.Pdu(rpc.FAULT, 1, b"x" * 99, minor=1),
], ids=range(3))  # fmt: skip
def test_every_prefix_of_a_pdu_needs_more(pdu):
    octets = pdu.encode()
    assert rpc.Pdu.decode(octets + b"rest") == Decoded(pdu, b"rest")
    for cut in range(len(octets)):
        outcome = rpc.Pdu.decode(octets[:cut])
        assert isinstance(outcome, NeedMore) and 1 <= outcome.at_least <= len(octets) - cut


@pytest.mark.parametrize("token", ["t", "0123456789abcdef", "1af1b5a2-0000-4000-8000-0000000000ff"])
def test_tokens_survive(token):
    assert epm.uuid_token(epm.token_uuid(token)) == token


@pytest.mark.parametrize("token", ["", "0123456789abcdefg", "ä", "a\n"])
def test_other_texts_are_no_tokens(token):
    with pytest.raises(ValueError):
        epm.token_uuid(token)
