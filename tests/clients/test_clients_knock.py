"""A client that asks an unknown port who is there."""

from __future__ import annotations

import pytest

from lbcert.clients.knock import Knock, basic


@pytest.mark.parametrize("heard, outcome, status, said", [
    (b"", None, None, ""),
    (b"HTTP/1.1 4", None, None, "HTTP/1.1 4"),
    (b"HTTP/1.1 401 Unauthorized\r\nA: b\r\n", "answered", 401, "HTTP/1.1 401 Unauthorized"),
    (b"HTTP/1.0 200 OK\r\n", "answered", 200, "HTTP/1.0 200 OK"),
    (b"HTTP/1.1 302\r\n", "answered", 302, "HTTP/1.1 302"),
    (b"SIP/2.0 400 Bad Request\r\n", "answered", None, "SIP/2.0 400 Bad Request"),
    (b"Unknown command: 'GET'\n", "answered", None, "Unknown command: 'GET'"),
    (b"\x15\x03\x01\x00\x02\x02\x16\n", "answered", None, "......."),
    (b"x" * 200, "answered", None, "x" * 96),
])  # fmt: skip
def test_an_answer_in_one_piece_and_in_bytes(heard, outcome, status, said):
    whole, pieces = Knock("10.10.2.20"), Knock("10.10.2.20")
    whole.take(heard)
    for byte in heard:
        assert pieces.take(bytes([byte])) == b""
    for one in (whole, pieces):
        assert (one.outcome, one.told()) == (outcome, {"status": status, "said": said})


def test_what_is_asked():
    assert Knock("10.10.2.20:7777").begin() == b"GET / HTTP/1.1\r\nHost: 10.10.2.20:7777\r\nConnection: close\r\n\r\n"
    assert Knock("x", path="/haproxy?stats").begin().startswith(b"GET /haproxy?stats HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n" in Knock("x", basic("admin", "admin")).begin()
