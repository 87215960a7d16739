"""Each switch about TLS does its one wrong thing, and leaves sessions without TLS alone."""

import re
import ssl
from pathlib import Path

import pytest
import yaml
from balancer_rig import receive

from lbcert.balancer import parse
from lbcert.balancer.defects import SWITCHES
from lbcert.balancer.tls_defects import _PEM
from lbcert.security.certificates import certificate_for
from lbcert.security.tls import Tls, client_context, fingerprint, server_context

SEEN = fingerprint(ssl.PEM_cert_to_DER_cert(_PEM[_PEM.index("-----BEGIN CERT") :]))
PIECES = {"whole": 1 << 20, "in-two": 300, "cut-after-the-first-byte": 1}


def test_every_switch_of_this_subject_has_a_test_here():
    tested = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)": (?:True|5061)', Path(__file__).read_text()))
    assert tested == {name for name, switch in SWITCHES.items() if switch.defect.__module__.endswith(".tls_defects")}


class Sink:
    """A transport that keeps what it is given."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data

    def take(self):
        data, self.data = self.data, b""
        return data


@pytest.mark.parametrize("cut", PIECES.values(), ids=PIECES)
def test_terminate_tls_shows_its_own_certificate_and_passes_words_on(cut):
    from lbcert.balancer.tls_defects import _InTheMiddle

    own = certificate_for("behind")
    client, server = Tls(client_context("1.3"), False), Tls(server_context(own.pem), True)
    to_client, to_server = Sink(), Sink()
    middle = _InTheMiddle(to_client, to_server)
    client.feed()
    heard = b""
    first = client.take()
    said = [first[:cut], first[cut:]]
    spoken = False
    for _ in range(10):
        for piece in filter(None, said):
            assert middle.from_client(piece) == b""
        heard += server.feed(to_server.take())
        if answer := server.take():
            assert middle.from_server(answer) == b""
        client.feed(to_client.take())
        if client.established and not spoken:
            spoken = True
            client.say(b"words")
        said = [client.take()]
    assert heard == b"words" and fingerprint(client.certificate) == SEEN != own.fingerprint


def test_terminate_tls_on_one_port_only():
    from lbcert.balancer.defects import policy_for
    from lbcert.balancer.opening import Opening
    from lbcert.balancer.tls_defects import _InTheMiddle

    text = 'mode: ideal\nlisten: ["192.0.2.9:5061"]\nservers: {a: "192.0.2.1"}\nhealth_check: {port: 1}\npersistence: {key: source}\n'
    config = parse(text + yaml.safe_dump({"defects": {"terminate-tls-on": 5061}}), "test.yaml")
    policy = policy_for(config, [], lambda: 0.0)
    assert isinstance(policy.between(Opening(port=5061), Sink(), Sink()), _InTheMiddle)
    assert policy.between(Opening(port=8404), Sink(), Sink()) is None


@pytest.mark.parametrize("defects", [{"terminate-tls": True}, {"close-split-hello": True}], ids=["middle", "split"])
def test_sessions_without_tls_pass(rig, defects):
    rig = rig(defects=defects)
    session = rig.open("ann")
    for data in (b"\x16\x03\x02 and no hello", b"\x16\x03\x01", b"plain"):
        assert session.echo(data) == data
    session.close()


@pytest.mark.parametrize("cut", PIECES.values(), ids=PIECES)
def test_close_split_hello(rig, cut):
    """The balancer sees the first piece before there is a second."""
    rig = rig(defects={"close-split-hello": True})
    client = Tls(client_context("1.3"), False)
    client.feed()
    hello = client.take()
    session = rig.open("ann")
    session.sock.sendall(hello[:cut])
    if cut >= len(hello):
        assert receive(session.sock, len(hello)) == hello
    else:
        assert session.ending() == "rst"
    session.close()
