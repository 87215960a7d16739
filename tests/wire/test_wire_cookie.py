"""The two text lines: the catalogue's token table (3.3), permitted spellings, and lines that name no address."""

import pytest

from lbcert.wire import TokenAddress, decode_cookie, decode_token, encode_cookie, encode_token

TOKENS = [
    ("pool-a", "10.0.0.5", 3389, b"Cookie: msts=83886090.15629.0000"),
    ("pool-b", "10.0.0.6", 3389, b"Cookie: msts=100663306.15629.0000"),
    ("microsoft", "172.31.249.216", 3389, b"Cookie: msts=3640205228.15629.0000"),
    ("seed-11", "192.168.0.11", 3389, b"Cookie: msts=184592576.15629.0000"),
    ("seed-12", "192.168.0.12", 3389, b"Cookie: msts=201369792.15629.0000"),
    ("freerdp", "192.168.50.127", 3389, b"Cookie: msts=2134026432.15629.0000"),
    ("port-3390", "10.1.2.3", 3390, b"Cookie: msts=50462986.15885.0000"),
    ("largest", "255.255.255.255", 65535, b"Cookie: msts=4294967295.65535.0000"),
    ("smallest-number", "1.0.0.0", 1, b"Cookie: msts=1.256.0000"),
    ("zero", "0.0.0.0", 0, b"Cookie: msts=0.0.0000"),
]
tokens = pytest.mark.parametrize("id, ip, port, line", TOKENS, ids=[row[0] for row in TOKENS])


@tokens
def test_encode_token(id, ip, port, line):
    assert encode_token(ip, port) == line


@tokens
def test_decode_token(id, ip, port, line):
    assert decode_token(line) == TokenAddress(ip, port) == (ip, port)


@pytest.mark.parametrize("options, line", [
    ({"zeros": False}, b"Cookie: msts=100663306.15629."),
    ({"pad": True}, b"Cookie: msts=100663306.15629.0000 "),
    ({"zeros": False, "pad": True}, b"Cookie: msts=100663306.15629. "),
], ids=["no-zeros", "padded", "no-zeros-padded"])
def test_permitted_spellings(options, line):
    assert encode_token("10.0.0.6", 3389, **options) == line
    assert decode_token(line) == ("10.0.0.6", 3389)


def test_an_even_token_is_not_padded():
    assert encode_token("10.0.0.5", 3389, pad=True) == b"Cookie: msts=83886090.15629.0000"


OPAQUE = {
    "empty": b"",
    "cookie": b"Cookie: mstshash=jsmith",
    "cookie-that-looks-like-a-token": b"Cookie: mstshash=83886090.15629.0000",
    "tsv": b"tsv://MS Terminal Services Plugin.1.99999",
    "mth": b"mth://localhost/10.0.0.5/3389",
    "opaque-msts": b"Cookie: msts=1234567890",
    "empty-msts": b"Cookie: msts=",
    "no-last-dot": b"Cookie: msts=83886090.15629",
    "no-port": b"Cookie: msts=83886090..0000",
    "no-address": b"Cookie: msts=.15629.0000",
    "address-plus-2^32": b"Cookie: msts=4378853386.15629.0000",
    "address-is-2^32": b"Cookie: msts=4294967296.15629.0000",
    "address-plus-2^64": b"Cookie: msts=18446744073793437706.15629.0000",
    "port-is-2^16": b"Cookie: msts=83886090.65536.0000",
    "port-plus-2^16": b"Cookie: msts=83886090.81165.0000",
    "negative": b"Cookie: msts=-83886090.15629.0000",
    "hexadecimal": b"Cookie: msts=0x500000a.15629.0000",
    "leading-zero": b"Cookie: msts=083886090.15629.0000",
    "dotted-address": b"Cookie: msts=10.0.0.5.15629.0000",
    "reserved-not-zero": b"Cookie: msts=83886090.15629.0001",
    "three-zeros": b"Cookie: msts=83886090.15629.000",
    "two-spaces": b"Cookie: msts=83886090.15629.0000  ",
    "inner-space": b"Cookie: msts= 83886090.15629.0000",
    "carriage-return": b"Cookie: msts=83886090.15629.0000\r",
    "line-end": b"Cookie: msts=83886090.15629.0000\r\n",
    "newline": b"Cookie: msts=83886090.15629.0000\n",
    "other-case": b"cookie: msts=83886090.15629.0000",
    "arabic-digits": "Cookie: msts=٨٣.15629.0000".encode(),
}


@pytest.mark.parametrize("line", OPAQUE.values(), ids=OPAQUE)
def test_opaque(line):
    assert decode_token(line) is None


@pytest.mark.parametrize("ip, port", [("10.0.0.5", -1), ("10.0.0.5", 65536), ("10.0.0", 1), ("::1", 1), ("name", 1)])
def test_encode_token_refuses_what_it_cannot_say(ip, port):
    with pytest.raises(ValueError):
        encode_token(ip, port)


@pytest.mark.parametrize("name", [b"jsmith", b"", b"MYDOMAIN\\", b"jsmith ", b"Cookie: mstshash=x", b"\xfc\0\r"])
def test_cookie(name):
    assert encode_cookie(name) == b"Cookie: mstshash=" + name
    assert decode_cookie(encode_cookie(name)) == name


@pytest.mark.parametrize("line", [
    b"", b"Cookie: mstshash", b"cookie: mstshash=j", b"Cookie: msts=1.256.0000", b" Cookie: mstshash=j",
])
def test_not_a_cookie(line):
    assert decode_cookie(line) is None
