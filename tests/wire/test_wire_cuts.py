"""TCP may cut a packet anywhere: part of a PDU asks for more, and the cut never changes the answer (RDP-PARSE-03)."""

import pytest

from lbcert.wire import (
    CC_VECTORS,
    CR_VECTORS,
    MALFORMED_VECTORS,
    ConnectionConfirm,
    ConnectionRequest,
    Data,
    Decoded,
    Malformed,
    NeedMore,
    Tpkt,
)

WHOLE = [
    *((id, ConnectionRequest, octets) for id, octets in CR_VECTORS.items()),
    *((id, ConnectionRequest, octets) for id, octets in MALFORMED_VECTORS.items() if id >= "M-08"),
    *((id, ConnectionConfirm, octets) for id, octets in CC_VECTORS.items()),
    *((f"TPKT {id}", Tpkt, octets) for id, octets in CC_VECTORS.items()),
    ("DATA", Data, bytes.fromhex("0300000c 02 f0 80 0401000100")),
]
BROKEN = [(id, octets) for id, octets in MALFORMED_VECTORS.items() if id < "M-08"]
whole = pytest.mark.parametrize("id, codec, octets", WHOLE, ids=[row[0] for row in WHOLE])


@whole
def test_every_prefix_needs_more(id, codec, octets):
    for cut in range(len(octets)):
        outcome = codec.decode(octets[:cut])
        assert isinstance(outcome, NeedMore)
        assert 1 <= outcome.at_least <= len(octets) - cut


@whole
def test_reading_exactly_what_is_asked_for_arrives_at_the_end(id, codec, octets):
    have = 0
    while isinstance(outcome := codec.decode(octets[:have]), NeedMore):
        have += outcome.at_least
    assert have == len(octets)
    assert outcome == codec.decode(octets)


@whole
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 30])
def test_segments_agree_with_the_whole(id, codec, octets, size):
    stream, buffer, values = octets * 3, b"", []
    for start in range(0, len(stream), size):
        buffer += stream[start:start + size]
        while isinstance(outcome := codec.decode(buffer), Decoded):
            values.append(outcome.value)
            buffer = outcome.rest
    assert values == [codec.decode(octets).value] * 3
    assert buffer == b""


@pytest.mark.parametrize("id, octets", BROKEN, ids=[id for id, _ in BROKEN])
def test_a_refusal_stays_the_same_refusal(id, octets):
    outcomes = [ConnectionRequest.decode((octets + bytes(50))[:cut]) for cut in range(len(octets) + 50)]
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Malformed)]
    waiting = outcomes[:len(outcomes) - len(refusals)]
    assert refusals and set(refusals) == {ConnectionRequest.decode(octets)}
    assert all(isinstance(outcome, NeedMore) for outcome in waiting)


@pytest.mark.parametrize("id, seen_after", [
    ("M-01", 5), ("M-02", 5), ("M-03", 5), ("M-04", 11), ("M-05", 42), ("M-06", 4), ("M-07", 44),
])
def test_a_refusal_comes_as_early_as_it_can(id, seen_after):
    """Reading exactly what is asked for stops at the fault: nobody waits for bytes that a broken length promises."""
    have = 0
    while isinstance(outcome := ConnectionRequest.decode(MALFORMED_VECTORS[id][:have]), NeedMore):
        have += outcome.at_least
    assert isinstance(outcome, Malformed)
    assert have == seen_after
