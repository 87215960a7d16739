"""Both ends of TLS and CredSSP against each other, without a network. Others' implementations: tests/peers."""

import os

import pytest

from lbcert.security.certificates import certificate_for
from lbcert.security.credssp import CredsspClient, CredsspServer
from lbcert.security.login import Login, SecurityError
from lbcert.security.tls import Tls, client_context, fingerprint, server_context
from lbcert.wire.certificate import subject_public_key
from lbcert.wire.credssp import TsRequest

OWN, OTHER = certificate_for("own"), certificate_for("other")
ACCOUNTS = {"ann": "secret", "ülf": "gäheim"}


def talk(client, server, cut=1 << 20):
    """Messages back and forth, in pieces of `cut` bytes, until both are done."""
    says = client.start()
    while not (client.done and server.done):
        answer = b"".join(server.hear(says[at : at + cut]) for at in range(0, len(says), cut))
        says = b"".join(client.hear(answer[at : at + cut]) for at in range(0, len(answer), cut))
    return client, server


@pytest.mark.parametrize("newest", ["1.2", "1.3"])
def test_tls_shows_the_servers_certificate_and_carries_words(newest):
    server, client = Tls(server_context(OWN.pem), True), Tls(client_context(newest), False)
    client.feed()
    while not (client.established and server.established):
        server.feed(client.take())
        client.feed(server.take())
    assert client.version == f"TLSv{newest}" and fingerprint(client.certificate) == OWN.fingerprint != OTHER.fingerprint
    assert subject_public_key(client.certificate) == OWN.public_key
    client.say(b"words")
    assert server.feed(client.take()) == b"words"
    with pytest.raises(SecurityError, match="^TLS: "):
        server.feed(os.urandom(100))


@pytest.mark.parametrize("version", range(2, 7))
@pytest.mark.parametrize("cut", [1, 1 << 20], ids=["in-single-bytes", "whole"])
def test_a_login_is_bound_on_both_sides(version, cut):
    client, server = talk(CredsspClient(Login("ülf", "gäheim", "DOM"), OWN.public_key, version),
                          CredsspServer(ACCOUNTS, OWN.public_key, "TS1"), cut)  # fmt: skip
    assert (client.bound, server.bound, server.user, server.domain, server.version) == (True, True, "ülf", "DOM", version)


def test_what_follows_the_login_is_handed_on():
    client, server = talk(CredsspClient(Login("ann", "secret"), OWN.public_key), CredsspServer(ACCOUNTS, OWN.public_key, "TS1"))
    assert server.rest == b""
    client, server = CredsspClient(Login("ann", "secret"), OWN.public_key), CredsspServer(ACCOUNTS, OWN.public_key, "TS1")
    last = client.hear(server.hear(client.hear(server.hear(client.start()))))
    server.hear(last + b"and words")
    assert server.done and server.rest == b"and words"


REFUSED = {
    "password": (Login("ann", "another"), OWN, "password of 'ann' is wrong", None),
    "user": (Login("bob", "secret"), OWN, "user 'bob' has no account", None),
    "key": (Login("ann", "secret"), OTHER, "TLS is about another key", False),
}


@pytest.mark.parametrize("version", [2, 6])
@pytest.mark.parametrize("login, seen, reason, bound", REFUSED.values(), ids=REFUSED)
def test_a_server_refuses(login, seen, reason, bound, version):
    server = CredsspServer(ACCOUNTS, OWN.public_key, "TS1")
    client = CredsspClient(login, seen.public_key, version)
    with pytest.raises(SecurityError, match=reason):
        talk(client, server)
    assert server.bound is bound and not server.done
    if version == 6:
        with pytest.raises(SecurityError, match="refuses the login .c000006d"):
            client.hear(server.refusal())
    else:
        assert server.refusal() == b""


def test_a_client_refuses_a_server_that_only_pretends_to_know_the_key():
    client, server = CredsspClient(Login("ann", "secret"), OWN.public_key), CredsspServer(ACCOUNTS, OWN.public_key, "TS1")
    proof = TsRequest.decode(server.hear(client.hear(server.hear(client.start())))).value.pub_key_auth
    with pytest.raises(SecurityError, match="not the signature"):
        client.hear(TsRequest(6, pub_key_auth=proof[:-1] + bytes((proof[-1] ^ 1,))).encode())


NONSENSE = {
    "no-message": (b"\x03\0\0\x0b", "is not a TSRequest's"),
    "no-token": (TsRequest(6).encode(), "holds no token"),
    "old": (TsRequest(1, (b"x",)).encode(), "older than 2"),
    "spnego": (TsRequest(6, (b"\x60\x28\x06\x06+\x06\x01\x05\x05\x02",)).encode(), "without SPNEGO"),
    "without-sealing": (TsRequest(6, (b"NTLMSSP\0\1\0\0\0" + bytes(24),)).encode(), "sealing with exchanged keys is needed"),
    "cut": (TsRequest(6, (b"NTLMSSP\0\1\0\0\0",)).encode(), "no negotiate message"),
}


@pytest.mark.parametrize("octets, reason", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_one_error_at_the_server(octets, reason):
    with pytest.raises(SecurityError, match=reason):
        CredsspServer(ACCOUNTS, OWN.public_key, "TS1").hear(octets)


@pytest.mark.parametrize("token", [b"NTLMSSP\0\2\0\0\0", b"NTLMSSP\0\2\0\0\0" + b"\xff" * 40, b"hello"],
                         ids=["cut", "wild", "text"])  # fmt: skip
def test_nonsense_is_one_error_at_the_client(token):
    client = CredsspClient(Login("ann", "secret"), OWN.public_key)
    client.start()
    with pytest.raises(SecurityError, match="^NTLM: the server's"):
        client.hear(TsRequest(6, (token,)).encode())


@pytest.mark.parametrize("token", [b"NTLMSSP\0\3\0\0\0", b"NTLMSSP\0\3\0\0\0" + b"\xff" * 80, b"hello"],
                         ids=["cut", "wild", "text"])  # fmt: skip
def test_nonsense_in_place_of_a_proof_is_one_error(token):
    client, server = CredsspClient(Login("ann", "secret"), OWN.public_key), CredsspServer(ACCOUNTS, OWN.public_key, "TS1")
    server.hear(client.start())
    with pytest.raises(SecurityError, match="^NTLM: "):
        server.hear(TsRequest(6, (token,), pub_key_auth=b"x", client_nonce=bytes(32)).encode())
