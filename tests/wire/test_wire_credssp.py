"""TSRequest and TSCredentials ([MS-CSSP] 2.2.1), and the DER under them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbcert.wire import Decoded, Malformed, NeedMore
from lbcert.wire.credssp import LOGON_FAILURE, PasswordCredentials, TsRequest, binding, reports_errors
from lbcert.wire.der import Der, integer

NTLM = bytes.fromhex("4e544c4d53535000 01000000 b78208e2 0000000000000000 0000000000000000 0601b11d0000000f")
FIRST = bytes.fromhex("3037 a003020106 a130 302e 302c a02a 0428") + NTLM
"""a client's first message, taken apart by hand"""
REQUESTS = {
    "first": (TsRequest(6, (NTLM,)), FIRST),
    "binding": (TsRequest(2, pub_key_auth=b"k" * 200), bytes.fromhex("3081d3 a003020102 a381cb 0481c8") + b"k" * 200),
    "credentials": (TsRequest(6, auth_info=b"abc"), bytes.fromhex("300c a003020106 a205 0403 616263")),
    "refusal": (TsRequest(6, error_code=LOGON_FAILURE), bytes.fromhex("300d a003020106 a406 0204 c000006d")),
    "nonce": (TsRequest(6, client_nonce=b"n" * 32), bytes.fromhex("3029 a003020106 a522 0420") + b"n" * 32),
}
requests = pytest.mark.parametrize("value, octets", REQUESTS.values(), ids=REQUESTS)
modest = settings(deadline=None, max_examples=60)


@requests
def test_literal_messages(value, octets):
    assert value.encode() == octets
    assert TsRequest.decode(octets + b"more") == Decoded(value, b"more")


@requests
def test_every_prefix_needs_more(value, octets):
    for cut in range(len(octets)):
        outcome = TsRequest.decode(octets[:cut])
        assert isinstance(outcome, NeedMore) and 1 <= outcome.at_least <= len(octets) - cut


BROKEN = {
    "no-sequence": ("16030100", 0, "is not a TSRequest's"),
    "long-tag": ("3008a0030201063f8100", 2, "number above 30"),
    "indefinite-length": ("3080a003", 1, "a length of 0 bytes"),
    "length-of-five-bytes": ("308500000000ff", 1, "a length of 5 bytes"),
    "length-too-long": ("308105a003020106", 1, "more than DER allows"),
    "gigabytes": ("30847fffffff", 1, "at most 65536"),
    "empty": ("3000", 2, "version first"),
    "no-version": ("3005a2030401ff", 2, "version first"),
    "fields-out-of-order": ("300fa003020106a3030401ffa203040100", 2, "in order"),
    "unknown-field": ("300aa003020106a603020100", 2, "0 to 5"),
    "version-is-text": ("3005a003040106", 2, "version is no single value"),
    "version-padded": ("3006a00402020006", 2, "which DER does not allow"),
    "no-token": ("3009a003020106a1023000", 2, "holds no token"),
    "cut-inside": ("3007a003020106a205", 2, "cut short"),
    "two-values-in-one-field": ("300ea003020106a2070401aa0402bbcc", 2, "no single value"),
}


@pytest.mark.parametrize("octets, offset, reason", BROKEN.values(), ids=BROKEN)
def test_broken_messages_are_named(octets, offset, reason):
    outcome = TsRequest.decode(bytes.fromhex(octets))
    assert isinstance(outcome, Malformed) and outcome.offset == offset and reason in outcome.reason, outcome


small = st.binary(max_size=300)


@modest
@given(st.builds(TsRequest, st.integers(-3, 300), st.lists(small, max_size=3).map(tuple), st.none() | small, st.none() | small,
                 st.none() | st.integers(-(2**31), 2**32), st.none() | small))  # fmt: skip
def test_every_message_survives(value):
    assert TsRequest.decode(value.encode()) == Decoded(value)


@modest
@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: FIRST[:20] + tail))
def test_any_bytes_get_an_answer_that_holds(octets):
    for codec in (TsRequest, Der):
        outcome = codec.decode(octets)
        if isinstance(outcome, Decoded):
            assert outcome.value.encode() + outcome.rest == octets
    assert isinstance(PasswordCredentials.decode(octets), Malformed)


@pytest.mark.parametrize("number, octets", [(0, "00"), (127, "7f"), (128, "0080"), (-1, "ff"), (-128, "80"), (-129, "ff7f")])
def test_integers_are_as_short_as_they_get(number, octets):
    assert integer(number).contents == bytes.fromhex(octets)


def test_credentials():
    value = PasswordCredentials("D", "ann", "p")
    octets = bytes.fromhex("3021 a003020101 a11a 0418 3016 a004 0402 4400 a108 0406 61006e006e00 a204 0402 7000")
    assert value.encode() == octets
    assert PasswordCredentials.decode(octets) == Decoded(value)
    assert isinstance(PasswordCredentials.decode(octets.replace(b"\2\1\1", b"\2\1\2")), Malformed)  # a smart card's


def test_the_binding_is_the_key_for_old_versions_and_a_hash_for_new_ones():
    assert (binding("client", 4, b"\xffkey", None), binding("server", 4, b"\xffkey", None)) == (b"\xffkey", b"\0key")
    new = {binding(sender, 5, b"key", nonce * 32) for sender in ("client", "server") for nonce in (b"a", b"b")}
    assert len(new) == 4 and {len(one) for one in new} == {32}
    with pytest.raises(ValueError, match="nonce of 32 bytes"):
        binding("client", 6, b"key", None)


def test_versions_that_say_why():
    assert [version for version in range(2, 8) if reports_errors(version)] == [3, 4, 6, 7]
