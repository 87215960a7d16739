"""A client's hello of TLS by hand, and what servers say to it. OpenSSL, as this Python has it, is the other side."""

import ssl

import pytest

from lbcert.security.certificates import certificate_for
from lbcert.security.mutual import server_context
from lbcert.wire.outcome import Decoded, Malformed, NeedMore
from lbcert.wire.tls_hello import VERSIONS, WEAK, Said, client_hello, read_answer

RANDOM = bytes(range(32))


def answer_of_openssl(hello: bytes) -> bytes:
    """What a server of this machine's library says, or its alert."""
    context = server_context(certificate_for("hello").pem)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(into, out, server_side=True)
    into.write(hello)
    try:
        server.do_handshake()
    except ssl.SSLError:
        pass
    return out.read()


@pytest.mark.parametrize("offer, version", [("TLS 1.2", "TLS 1.2"), ("TLS 1.3", "TLS 1.3")])
def test_a_good_hello_is_answered(offer, version):
    answer = read_answer(answer_of_openssl(client_hello(offer, "www.lbcert.test", RANDOM)))
    assert isinstance(answer, Decoded) and answer.value.version == version and answer.value.suite and answer.value.alert is None


@pytest.mark.parametrize("offer", ["SSL 3.0", "TLS 1.0", "TLS 1.1", "NULL", "anonymous", "export", "RC4", "3DES"])
def test_an_old_one_is_refused_by_an_alert(offer):
    answer = read_answer(answer_of_openssl(client_hello(offer, "www.lbcert.test", RANDOM)))
    assert isinstance(answer, Decoded) and answer.value.version is None
    assert answer.value.alert in ("protocol_version", "handshake_failure")


def test_static_rsa_is_understood_where_it_is_spoken():
    """The library would do it: that a hello is refused is then the server's own doing."""
    answer = read_answer(answer_of_openssl(client_hello("static RSA", "www.lbcert.test", RANDOM)))
    assert isinstance(answer, Decoded) and answer.value.suite in (*WEAK["static RSA"], None)


def test_it_offers_what_it_says():
    for offer in (*VERSIONS, *WEAK):
        hello = client_hello(offer, "a.test", RANDOM)
        assert hello[0] == 22 and len(hello) == 5 + int.from_bytes(hello[3:5], "big")
        assert RANDOM in hello and (b"a.test" in hello) == (offer != "SSL 3.0")


@pytest.mark.parametrize("offer, version", [("TLS 1.2", "TLS 1.2"), ("TLS 1.3", "TLS 1.3"), ("TLS 1.0", None)])
def test_a_client_that_names_no_host(offer, version):
    answer = read_answer(answer_of_openssl(client_hello(offer, "", RANDOM)))
    assert isinstance(answer, Decoded) and answer.value.version == version


ANSWERS = {
    "alert": (bytes.fromhex("15030100020246"), Decoded(Said(None, None, "protocol_version"))),
    "unknown-alert": (bytes.fromhex("150301000202fa"), Decoded(Said(None, None, "alert 250"))),
    "ssl-3.0": (b"\x16\x03\x00\x00\x2a\x02\0\0\x26\x03\x00" + bytes(32) + b"\0\x00\x0a\0", Decoded(Said("SSL 3.0", 10))),
    "more-behind": (bytes.fromhex("15030100020246") + b"x", Decoded(Said(None, None, "protocol_version"), b"x")),
    "nothing-yet": (b"", NeedMore(5)),
    "half-a-record": (b"\x15\x03\x01\x00\x02\x02", NeedMore(1)),
    "http": (b"HTTP/1.1 400", Malformed(0, "no record of TLS")),
    "no-hello": (b"\x16\x03\x01\x00\x04\x0e\0\0\0", Malformed(5, "a handshake that begins with no ServerHello")),
    "cut-short": (b"\x16\x03\x01\x00\x27\x02\0\0\x23\x03\x01" + bytes(32) + b"\xff", Malformed(299, "a ServerHello without a cipher suite")),
    "an-unknown-version": (b"\x16\x03\x01\x00\x2a\x02\0\0\x26\x03\x09" + bytes(32) + b"\0\x00\x0a\0", Malformed(9, "a ServerHello of version 0x0309")),
    "empty-record": (b"\x16\x03\x01\x00\x00", Malformed(3, "a record of 0 bytes")),
}  # fmt: skip


@pytest.mark.parametrize("data, expected", ANSWERS.values(), ids=ANSWERS)
def test_answers(data, expected):
    assert read_answer(data) == expected


def test_no_bytes_raise():
    whole = answer_of_openssl(client_hello("TLS 1.3", "a.test", RANDOM))[:200]
    for end in range(len(whole)):
        assert isinstance(read_answer(whole[:end]), (NeedMore, Decoded))
        read_answer(whole[:end] + bytes([whole[end] ^ 0xFF]) + whole[end + 1 :])
