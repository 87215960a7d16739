"""Mock servers and clients that mean it: TLS and CredSSP inside a lab, past the balancer."""

import pytest
from lab_rig import make_lab, record, soon, visit

from lbcert.clients.rdp import Visit, connection_request
from lbcert.steps.scripts import log_in, secure
from lbcert.security.login import Login, Manner
from lbcert.wire import Protocols

pytestmark = pytest.mark.xdist_group("security")  # one worker: they share what is dear to make

LOGIN = Login("ann", "secret", "DOM")


@pytest.fixture(scope="module")
def certified(zygote, tmp_path_factory):
    lab = make_lab(zygote, tmp_path_factory.mktemp("certified"), security=True)
    yield lab
    lab.close()


def session(lab, manner, protocols=Protocols.SSL | Protocols.HYBRID):
    """One session with the first server; what the client tells of it, and the session."""
    secure(lab, {LOGIN.user: LOGIN.password})
    (one,) = visit(lab, lab.servers[0], Visit(lab.sources.one(), "ann", connection_request("ann", protocols), hold=True))
    log_in(lab, {one: manner})
    return lab.history.last("secured"), one


@pytest.mark.parametrize("protocols, protocol", [(Protocols.SSL, "tls"), (Protocols.SSL | Protocols.HYBRID, "credssp")])
def test_a_session_is_secured_and_carries_words(certified, protocols, protocol):
    own = certified.servers[0].extra["certificate"]["fingerprint"]
    seen, one = session(certified, Manner(LOGIN, body=100_000, in_pieces=True), protocols)
    assert (seen["outcome"], seen["protocol"], seen["certificate"], seen["echoed"]) == ("complete", protocol, own, 100_000)
    tls = record(certified, one, "tls")
    assert (tls["protocol"], tls["certificate"], tls["version"]) == (protocol, own, "TLSv1.3")
    if protocol == "credssp":
        login = record(certified, one, "login")
        assert (login["user"], login["domain"], login["ok"], login["bound"]) == ("ann", "DOM", True, True)
    one.leave()
    soon(certified, "the server has seen it go", lambda: record(certified, one, "close"))


def test_a_wrong_password_is_refused_and_both_ends_say_so(certified):
    seen, one = session(certified, Manner(Login("ann", "another")))
    assert seen["outcome"] == "CredSSP: the server refuses the login (c000006d)" and (seen["login"], seen["echoed"]) == (False, 0)
    login = record(certified, one, "login")
    assert (login["ok"], login["reason"]) == (False, "NTLM: the password of 'ann' is wrong")


def test_what_is_no_tls_is_closed_with_a_reason(certified):
    secure(certified, {})
    (one,) = visit(certified, certified.servers[0], Visit(certified.sources.one(), "ann", hold=True))
    one.sock.send(b"GET / HTTP/1.0\r\n\r\n")
    soon(certified, "the server's close", lambda: one.ended)
    assert record(certified, one, "security-failed")["reason"].startswith("TLS: ")


def test_every_server_has_its_own_certificate_and_keeps_it(certified):
    prints = [server.extra["certificate"]["fingerprint"] for server in certified.servers]
    assert len(set(prints)) == len(certified.servers)
    secure(certified, {})
    assert {event["who"]: event["certificate"] for event in certified.history.of("secure")} == {
        server.name: own for server, own in zip(certified.servers, prints, strict=True)
    }


def test_a_lab_that_was_not_made_for_it_says_so(shared):
    with pytest.raises(ValueError, match="security=True"):
        secure(shared, {})
