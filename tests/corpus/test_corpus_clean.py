"""What tells of people and networks is replaced, and the packet stays what it was otherwise."""

from dataclasses import replace

import pytest
from corpus_rig import CR, cookie
from hypothesis import given, settings
from hypothesis import strategies as st

from lbcert.corpus.clean import CORRELATION_ID, Cleaner, alike
from lbcert.corpus.names import Pseudonyms, coarse, shape
from lbcert.corpus.packets import flags, kind, nameless, protocols
from lbcert.wire import MALFORMED_VECTORS, ConnectionRequest, decode_token, encode_token

NAMES = st.one_of(st.text("abcXYZ019._-\\@ äÖ名𠮷").map(str.encode),
                  st.binary().map(lambda raw: raw.translate(None, b"\0\r\n")))  # fmt: skip


def request(data):
    return ConnectionRequest.decode(data).value


def cleaned(data, **options):
    return Cleaner([request(data)], **options).clean(request(data))


@settings(max_examples=150, deadline=None)
@given(st.lists(NAMES, max_size=6))
def test_pseudonyms(names):
    given_ = Pseudonyms(names)
    for name in names:
        other = given_.of(name)
        assert shape(other) == shape(name) and len(other) == len(name) and other == given_.of(name)
        assert other != name or not set(shape(name)) & set("aA0äÄ一𠀀\udcff")


def test_a_pseudonym_has_nothing_of_the_name_and_is_nobody_else_s():
    names = [b"jsmith", b"amelia", b"robert"]
    one, other = Pseudonyms(names), Pseudonyms([b"xxxxxx"])
    assert [one.of(name) for name in names] == [one.of(name) for name in names]
    assert one.of(b"jsmith") == other.of(b"xxxxxx")
    assert len({one.of(name) for name in names} | set(names)) == 6


def test_domain_and_user_have_pseudonyms_of_their_own():
    names = [b"CORP\\jsmith", b"jsmith", b"jsmith@corp.example", b"CORP\\"]
    both, user, mail, domain = map(Pseudonyms(names).of, names)
    assert both == domain + user and mail.split(b"@")[0] == user and mail[11:12] == b"."


@pytest.mark.parametrize("name", [b"jsmith", b"CORP\\j.smith", "jörg@名".encode(), b"j\xffsmith", b"a" * 200])
def test_a_cookie_keeps_its_form(name):
    packet = cleaned(cookie(name))
    assert packet.cookie != name and coarse(packet.cookie) == coarse(name)
    assert replace(packet, cookie=name).encode() == cookie(name)


TOKENS = {
    "Microsoft's": encode_token("172.31.249.216", 3389), "eight digits": encode_token("10.0.0.3", 3389),
    "padded": encode_token("10.0.0.6", 3389, pad=True) + b"", "short": encode_token("10.0.0.6", 3389, zeros=False),
    "seven digits": encode_token("10.20.100.0", 3389),
}  # fmt: skip


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_s_address_becomes_one_of_documentation(token):
    packet = cleaned(ConnectionRequest(routing_token=token).encode())
    assert len(packet.routing_token) == len(token) and packet.address.port == 3389
    assert packet.address.ip.rpartition(".")[0] in ("192.0.2", "198.51.100", "203.0.113")
    assert cleaned(ConnectionRequest(routing_token=token).encode(), keep_tokens=True).routing_token == token


def test_an_address_with_a_short_number_keeps_its_length():
    token = cleaned(ConnectionRequest(routing_token=encode_token("7.0.0.0", 3389)).encode()).routing_token
    assert token == b"Cookie: msts=9.15629.0000"


def test_addresses_are_told_apart():
    tokens = [ConnectionRequest(routing_token=encode_token(f"10.0.0.{last}", 3389)) for last in range(60, 255)]
    clean = Cleaner(tokens)
    assert len({clean.clean(one).routing_token for one in [*tokens, *tokens]}) == len(tokens)


@pytest.mark.parametrize("line", [b"tsv://MS Terminal Services Plugin.1.Sessions", b"tsv://VMRDS.9", b"Cookie: msts=1234567890",
                                  b"Cookie: msts=4378853386.15629.0000", b"farm7.corp.example", b"jsmith: farm=7"])  # fmt: skip
def test_other_tokens_keep_their_kind(line):
    token = cleaned(ConnectionRequest(routing_token=line).encode()).routing_token
    assert token != line and len(token) == len(line) and coarse(token) == coarse(line) and decode_token(token) is None
    prefixes = [prefix for prefix in (b"tsv://", b"Cookie: msts=") if line.startswith(prefix)]
    assert token.startswith(tuple(prefixes) or b"") and b"jsmith" not in token


def test_no_name_hides_elsewhere():
    packet = ConnectionRequest(
        routing_token=b"cookie:  MSTSHASH=jsmith", cookie=b"jsmith", trailing=b"jsmith",
        extra_text=b"Cookie: mstshash=jsmith\r\n\r\njsmith\r\n", negotiation=request(CR["CR-01"]).negotiation,
    ).encode()  # fmt: skip
    for keep in (False, True):
        clean = Cleaner([request(packet)], keep).clean(request(packet))
        found = clean.encode().count(b"jsmith")
        assert len(clean.encode()) == len(packet) and found == (1 if keep else 0)
        assert clean.routing_token.endswith(clean.cookie) and clean.trailing == bytes(6)


def test_ids_are_replaced():
    packet = request(CR["CR-09"])
    own = replace(packet, correlation=replace(packet.correlation, correlation_id=b"own id of 16 oct", reserved=b"r" * 16))
    assert cleaned(own.encode()).correlation.correlation_id == CORRELATION_ID
    assert cleaned(own.encode()).correlation.reserved == bytes(16)


@pytest.mark.parametrize("same, one, other", [
    (True, cookie(b"jsmith"), cookie(b"Anna12")), (False, cookie(b"jsmith"), cookie(b"jsmit")),
    (False, cookie(b"CORP\\"), cookie(b"CORPx")), (False, cookie(b"jsmith"), CR["CR-09"]),
    (True, CR["CR-05"], replace(request(CR["CR-05"]), routing_token=encode_token("10.0.0.4", 3389)).encode()),
    (False, CR["CR-05"], CR["CR-06"]), (False, CR["CR-03"], CR["CR-10"]),
    (False, MALFORMED_VECTORS["M-09"], MALFORMED_VECTORS["M-10"]),
])  # fmt: skip
def test_packets_that_differ_in_letters_only_are_alike(same, one, other):
    assert (alike(cleaned(one)) == alike(cleaned(other))) is same and (alike(request(one)) == alike(request(other))) is same


@pytest.mark.parametrize("data, words", [
    (CR["CR-01"], ("cookie", "SSL HYBRID", "-", False)), (CR["CR-03"], ("none", "SSL HYBRID HYBRID_EX", "-", True)),
    (CR["CR-09"], ("cookie", "SSL HYBRID HYBRID_EX", "correlation", False)), (CR["CR-10"], ("none", "no negotiation", "-", True)),
    (CR["CR-14"], ("cookie", "RDP", "-", False)), (MALFORMED_VECTORS["M-09"], ("token + cookie", "SSL HYBRID", "-", False)),
    (MALFORMED_VECTORS["M-10"], ("cookie + token", "SSL HYBRID", "-", False)),
    (MALFORMED_VECTORS["M-16"], ("token + more text", "SSL HYBRID", "-", False)),
    (bytes.fromhex("030000130ee000000000000140080001010000"), ("none", "SSL 0x100", "0x40", True)),
])  # fmt: skip
def test_packets_in_words(data, words):
    one = request(data)
    assert (kind(one), protocols(one), flags(one), nameless(one)) == words
