"""Properties over all bytes and all values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbcert.wire import (
    CC_VECTORS,
    CR_VECTORS,
    MALFORMED_VECTORS,
    ConnectionConfirm,
    ConnectionRequest,
    CorrelationInfo,
    Data,
    Decoded,
    Malformed,
    NeedMore,
    NegotiationFailure,
    NegotiationRequest,
    NegotiationResponse,
    Tpkt,
    decode_cookie,
    decode_token,
    encode_token,
)

PACKETS = [Tpkt, Data, ConnectionRequest, ConnectionConfirm]
STRUCTURES = [NegotiationRequest, NegotiationResponse, NegotiationFailure, CorrelationInfo]
KNOWN = [*CR_VECTORS.values(), *CC_VECTORS.values(), *MALFORMED_VECTORS.values(), Data(b"payload").encode()]
every_codec = pytest.mark.parametrize("codec", PACKETS + STRUCTURES)
modest = settings(deadline=None, max_examples=150)

u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@st.composite
def near_misses(draw):
    """A known packet with a few bytes changed, added or cut off: random bytes alone rarely pass the header."""
    octets = bytearray(draw(st.sampled_from(KNOWN)))
    for _ in range(draw(st.integers(0, 3))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(u8 | st.sampled_from(b"\0\x01\x06\x08\r\n C"))
    return bytes(octets[:draw(st.integers(0, len(octets)))]) + draw(st.binary(max_size=60))


PIECES = st.sampled_from([
    b"\r\n", b"Cookie: mstshash=", b"tsv://", b"\x01\x00\x08\x00", b"\x01\x08\x08\x00", b"\x06\x00\x24\x00",
])


@st.composite
def framed(draw):
    """Any variable part in a sound header."""
    variable = b"".join(draw(st.lists(PIECES | st.binary(max_size=12), max_size=8)))[:248]
    code = draw(st.sampled_from([0xE0, 0xD0]))
    return Tpkt(bytes((6 + len(variable), code, 0, 0, 0, 0, 0)) + variable).encode()


any_bytes = st.binary(max_size=80) | near_misses() | framed()


@every_codec
@modest
@given(octets=any_bytes)
def test_any_bytes_give_an_outcome_and_decoded_bytes_come_back(codec, octets):
    outcome = codec.decode(octets)
    if isinstance(outcome, Decoded):
        assert outcome.value.encode() + outcome.rest == octets
    elif isinstance(outcome, Malformed):
        assert 0 <= outcome.offset <= len(octets)
    else:
        assert isinstance(outcome, NeedMore) and outcome.at_least >= 1


@every_codec
@modest
@given(octets=any_bytes, cut=st.integers(0, 200))
def test_cutting_never_changes_the_answer(codec, octets, cut):
    whole, part = codec.decode(octets), codec.decode(octets[:cut])
    if isinstance(part, Malformed):
        assert part == whole
    elif isinstance(part, Decoded):
        assert whole == Decoded(part.value, part.rest + octets[cut:])
    elif not isinstance(whole, NeedMore):
        assert part.at_least <= len(octets) - cut


@every_codec
@modest
@given(octets=any_bytes, more=st.binary(max_size=80))
def test_fewer_bytes_than_asked_for_change_nothing(codec, octets, more):
    outcome = codec.decode(octets)
    if isinstance(outcome, NeedMore):
        assert isinstance(codec.decode(octets + more[:outcome.at_least - 1]), NeedMore)


names = st.binary(max_size=60).filter(lambda name: b"\0" not in name and b"\r\n" not in name)
tokens = names.filter(lambda line: line[:1] >= b" " and decode_cookie(line) is None)
plain_requests = st.builds(NegotiationRequest, u32, u8.map(lambda flags: flags & ~8))
correlated = st.builds(NegotiationRequest, u32, u8.map(lambda flags: flags | 8))
infos = st.builds(CorrelationInfo, st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), u8)
header = {"destination_ref": u16, "source_ref": u16, "class_option": st.integers(0, 15), "tpkt_reserved": u8}
text = st.one_of(
    st.fixed_dictionaries({"cookie": names}),
    st.fixed_dictionaries({"routing_token": tokens}),
    st.fixed_dictionaries({"cookie": names, "routing_token": tokens, "cookie_first": st.booleans()}),
    st.just({}),
)
negotiation = st.one_of(
    st.fixed_dictionaries({"negotiation": plain_requests, "trailing": st.binary(max_size=9)}),
    st.fixed_dictionaries({"negotiation": correlated, "correlation": infos, "trailing": st.binary(max_size=9)}),
    st.just({}),
)
requests = st.builds(lambda *parts: ConnectionRequest(**parts[0], **parts[1], **parts[2]),
                     text, negotiation, st.fixed_dictionaries(header))
confirms = st.builds(
    ConnectionConfirm,
    negotiation=st.none() | st.builds(NegotiationResponse, u32, u8) | st.builds(NegotiationFailure, u32, u8), **header,
)
others = st.one_of(st.builds(Data, st.binary(max_size=99), tpkt_reserved=u8),
                   st.builds(Tpkt, st.binary(min_size=3, max_size=99), reserved=u8))


@modest
@given(value=requests | confirms | others, rest=st.binary(max_size=20))
def test_values_survive_the_wire(value, rest):
    assert type(value).decode(value.encode() + rest) == Decoded(value, rest)


@modest
@given(value=requests | confirms | others, data=st.data())
def test_a_stream_in_random_segments(value, data):
    stream = value.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    assert all(isinstance(type(value).decode(stream[:cut]), NeedMore) for cut in cuts if cut < len(stream))


@modest
@given(ip=st.ip_addresses(v=4).map(str), port=u16, zeros=st.booleans(), pad=st.booleans())
def test_tokens_survive(ip, port, zeros, pad):
    line = encode_token(ip, port, zeros=zeros, pad=pad)
    assert decode_token(line) == (ip, port)
    assert not pad or len(line) % 2 == 0


@modest
@given(line=st.binary(max_size=50) | st.from_regex(rb"Cookie: msts=[0-9.]{0,24} ?", fullmatch=True))
def test_a_token_has_one_meaning(line):
    address = decode_token(line)
    if address is not None:
        bare = line.rstrip(b" ")
        assert bare in (encode_token(*address), encode_token(*address, zeros=False))
