"""Real clients, through a balancer, to our servers: what xfreerdp and rdesktop do, our servers understand."""

import pytest
from peers_rig import RDESKTOP, XFREERDP, XVFB, Home, first_packet, needs, rdesktop, xfreerdp

from lbcert.steps.scripts import converse, secure, tell_conversations
from lbcert.topology.plan import CLIENT_HOST
from lbcert.wire import ConnectionConfirm

pytestmark = pytest.mark.xdist_group("peers")  # one worker: they share what is dear to make

PASSWORD = "Secret.1"
CONNECT_INITIAL = "7f65"
"""what both clients say first once security stands (T.125, MCS Connect-Initial)"""
ENOUGH = 64
"""bytes of a client in plain until our server closes; a Connect-Initial has more"""
PROTOCOLS = {"nla": "credssp", "tls": "tls"}


@needs(XFREERDP, XVFB)
@pytest.mark.parametrize("security", PROTOCOLS)
def test_xfreerdp_takes_the_servers_own_certificate(behind, security):
    """It is told to accept that certificate and no other, so what it says inside shows that it has seen it."""
    programs, user = behind("haproxy"), f"free{security}"
    secure(programs.lab, {user: PASSWORD})
    home = Home(programs, user)
    client = programs.start(CLIENT_HOST, *xfreerdp(programs.lab.vip, user, PASSWORD, security, home.certificate))
    programs.wait("the client's first words inside TLS", lambda: home.events("inside"), client)
    programs.stop(client)
    tls, inside = home.events("tls")[0], home.events("inside")[0]
    assert CONNECT_INITIAL in inside["head"]
    assert (tls["protocol"], tls["certificate"]) == (PROTOCOLS[security], home.certificate)
    logins = home.events("login")
    assert bool(logins) == (security == "nla") and all(e["ok"] and e["bound"] and e["user"] == user for e in logins)


@needs(XFREERDP, XVFB)
@pytest.mark.parametrize("wrong", ["password", "certificate"])
def test_xfreerdp_is_not_let_in_with_something_wrong(behind, wrong):
    """The control of the test above: our server and the client tell right from wrong."""
    programs, user = behind("haproxy"), f"wrong{wrong}"
    secure(programs.lab, {user: PASSWORD})
    home = Home(programs, user)
    argv = {"password": xfreerdp(programs.lab.vip, user, "another", "nla", home.certificate),
            "certificate": xfreerdp(programs.lab.vip, user, PASSWORD, "nla", "00" * 32)}[wrong]  # fmt: skip
    client = programs.start(CLIENT_HOST, *argv)
    programs.wait("the client gives up", lambda: client.status is not None)
    programs.wait("the server has seen it go", lambda: home.events("close"))
    assert home.events("tls") and not home.events("inside")
    assert bool(home.events("login")) == (wrong == "password") and not any(event["ok"] for event in home.events("login"))


@needs(XFREERDP, XVFB)
@pytest.mark.nightly
def test_a_login_through_somebody_in_the_middle_is_refused_by_the_server(behind):
    """xfreerdp takes any certificate here; the server finds out by itself that the client logged in to another key."""
    programs, user = behind("terminate-tls"), "middle"
    secure(programs.lab, {user: PASSWORD})
    client = programs.start(CLIENT_HOST, *xfreerdp(programs.lab.vip, user, PASSWORD, "nla"))
    programs.wait("a login", lambda: programs.lab.history.last("login"), client)
    programs.stop(client)
    login = programs.lab.history.last("login")
    assert (login["user"], login["ok"], login["bound"]) == (user, False, False)


@needs(RDESKTOP, XVFB)
def test_rdesktop_does_tls_with_the_server(behind):
    """Its CredSSP is Kerberos only: it offers that, gives it up, and comes back with TLS."""
    programs, user = behind("haproxy"), "desktls"
    secure(programs.lab, {})
    home = Home(programs, user)
    client = programs.start(CLIENT_HOST, *rdesktop(programs.lab.vip, user))
    programs.wait("the client's first words inside TLS", lambda: home.events("inside"), client)
    programs.stop(client)
    tls, inside = home.events("tls")[-1], home.events("inside")[0]
    assert CONNECT_INITIAL in inside["head"]
    assert (tls["protocol"], tls["certificate"]) == ("tls", home.certificate)


@pytest.mark.parametrize(
    "program",
    [pytest.param("xfreerdp", marks=needs(XFREERDP, XVFB)), pytest.param("rdesktop", marks=needs(RDESKTOP, XVFB))],
)
def test_standard_security_follows_a_bare_confirm(behind, program):
    """Clients of the first kind of security send a name and no negotiation data, and go on in plain after eleven bytes."""
    programs, user = behind("haproxy"), f"plain{program}"
    lab, home = programs.lab, Home(programs, user)
    converse(lab, {user: {"answer": ConnectionConfirm().encode().hex(), "expect": ENOUGH}})
    argv = {"xfreerdp": xfreerdp(lab.vip, user, PASSWORD, "rdp"), "rdesktop": rdesktop(lab.vip, user, "-4")}[program]
    client = programs.start(CLIENT_HOST, *argv)
    programs.wait("the server has heard enough and closed", lambda: home.events("close"))
    programs.stop(client)
    tell_conversations(lab)
    assert first_packet(home.events("request")[0]).negotiation is None
    assert CONNECT_INITIAL in home.events("conversation")[0]["heard"]["head"]
