"""Certificates of the lab's authority: strict verification takes them, and only whom they name; both sides can show one."""

import json
import ssl

import pytest
from security_rig import FE, POOL, client, front_end, meet, root, stranger

from lbcert.security.authority import Authority, authority
from lbcert.security.login import SecurityError
from lbcert.security.mutual import client_context, server_context


def strict(**means):
    context = client_context(root=root(), name_checked=True, **means)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.mark.parametrize("name", [FE, POOL, "192.168.0.11", "fd00::11"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_strict_clients_take_a_front_end_by_each_of_its_names(name, version):
    ours, theirs = meet(strict(newest=version), server_context(front_end().pem), name)
    assert (ours.version, theirs.version) == (f"TLSv{version}", f"TLSv{version}")


def test_they_refuse_it_by_another_name():
    with pytest.raises(SecurityError, match="VERIFY"):
        meet(strict(), server_context(front_end().pem), "fe2.pool.lbcert.test")


def test_they_refuse_another_authority():
    with pytest.raises(SecurityError, match="VERIFY"):
        meet(strict(), server_context(stranger().pem), FE)


def test_a_client_without_a_root_takes_anybody():
    ours, _ = meet(client_context(), server_context(stranger().pem))
    assert ours.certificate and not ours.certificate == meet(client_context(), server_context(front_end().pem))[0].certificate


@pytest.mark.parametrize("rsa", [False, True], ids=["P-256", "RSA"])
def test_mutual_each_end_sees_the_other_by_its_fingerprint(rsa):
    from lbcert.security.tls import fingerprint

    leaf = authority().front_end(FE, POOL, rsa=True) if rsa else front_end()
    ours, theirs = meet(strict(pem=client().pem), server_context(leaf.pem, root(), "required"), FE)
    assert fingerprint(theirs.certificate) == client().fingerprint
    assert fingerprint(ours.certificate) == leaf.fingerprint


def test_a_front_end_is_a_client_too():
    meet(strict(pem=front_end().pem), server_context(front_end().pem, root(), "required"), FE)


@pytest.mark.parametrize("shown, reason", [
    (lambda: "", "DID_NOT_RETURN_A_CERTIFICATE"), (lambda: stranger().pem, "VERIFY_FAILED"),
    (lambda: authority().vip(["vip.lbcert.test"]).pem, "VERIFY_FAILED"),
], ids=["none", "a stranger's", "a server's"])  # fmt: skip
def test_a_server_that_demands_a_certificate_refuses(shown, reason):
    with pytest.raises(SecurityError, match=reason):
        meet(client_context(shown()), server_context(front_end().pem, root(), "required"))


def test_optional_means_both():
    server = server_context(front_end().pem, root(), "optional")
    assert meet(client_context(), server)[1].certificate == b""
    assert meet(client_context(client().pem), server)[1].certificate


def test_one_authority_for_each_process():
    assert authority() is authority() and Authority().root_pem != root()


def test_what_a_server_is_told_is_json():
    told = json.loads(json.dumps(front_end().told()))
    meet(strict(), server_context(told["pem"]), FE)


def test_long_words_in_pieces_arrive_whole():
    ours, theirs = meet(client_context(), server_context(front_end().pem))
    words = bytes(range(256)) * 1000
    ours.say(words)
    assert theirs.feed(ours.take()) == words
