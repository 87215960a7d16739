"""What an OCS 2007 server and a 2007 R2 pair signed, we sign; the vectors are public test data of the SIPE project.

Of the R2 pair the whole exchange is known: challenge, answer, signed request and signed response.
"""

import pytest
from sip_rig import R2, SIG

from lbcert.security import ntlm_datagram
from lbcert.security.login import Login, SecurityError
from lbcert.wire.sip import Message
from lbcert.wire.sipae import parameters_of, signed_content


@pytest.mark.parametrize("target, signature", SIG.signatures.items(), ids=["own", "foreign"])
def test_sip_sig(target, signature):
    """Catalogue, SIP-SIG: the same message for another pool member has another signature."""
    content = SIG.content.replace(b"ocs1.ocs.provo.novell.com", target)
    assert ntlm_datagram.Signer(SIG.key, extended=False).server(content) == signature


def test_the_content_is_taken_from_the_message():
    response = Message.datagram(SIG.response)
    parameters = parameters_of(response.first("authentication-info"))
    assert signed_content(response, parameters, server=True, version=2) == SIG.content
    assert parameters["rspauth"] == ntlm_datagram.Signer(SIG.key, extended=False).server(SIG.content)


def test_our_server_understands_communicator_2007_r2():
    request = Message.datagram(R2.request)
    parameters = parameters_of(request.first("proxy-authorization"))
    established = ntlm_datagram.verify(R2.answer, R2.accounts, R2.nonce)
    assert (established.user, established.domain) == ("User", "COSMO")
    content = signed_content(request, parameters, server=False)
    assert content == R2.request_content
    assert established.signer.client(content) == parameters["response"].upper() == R2.request_signature


def test_our_client_answers_as_communicator_2007_r2_does_and_accepts_its_server():
    answer, established = ntlm_datagram.authenticate(
        R2.challenge, Login("User", R2.accounts["User"], "COSMO"), extended=True, host="COSMO-OCS-R2",
        chance=R2.chance, moment=R2.moment, session=R2.session)  # fmt: skip
    assert answer == R2.answer
    response = Message.datagram(R2.response)
    parameters = parameters_of(response.first("authentication-info"))
    assert established.signer.server(signed_content(response, parameters, server=True)) == parameters["rspauth"]


def test_our_challenge_is_the_r2_servers():
    assert ntlm_datagram.challenge("cosmo-ocs-r2.cosmo.local", "COSMO", R2.nonce) == R2.challenge


@pytest.mark.parametrize("extended", [False, True])
def test_both_ends_agree(extended):
    nonce = bytes(range(8))
    offer = ntlm_datagram.challenge("fe1.pool.lbcert.test", "LBCERT", nonce)
    answer, client = ntlm_datagram.authenticate(offer, Login("ülf", "gäheim", "DOM"), extended=extended)
    server = ntlm_datagram.verify(answer, {"ülf": "gäheim"}, nonce)
    assert (server.user, server.domain) == ("ülf", "DOM")
    for signs in ("client", "server"):
        made = getattr(client.signer, signs)(b"<words>")
        assert made == getattr(server.signer, signs)(b"<words>") != getattr(server.signer, signs)(b"<other>")


REFUSED = {
    "password": ("user", "another", "password of 'user' is wrong"),
    "user": ("nobody", "secret", "'nobody' has no account"),
}


@pytest.mark.parametrize("user, password, reason", REFUSED.values(), ids=REFUSED)
def test_a_wrong_login_is_refused(user, password, reason):
    answer, _ = ntlm_datagram.authenticate(ntlm_datagram.challenge("fe1.x", "D", bytes(8)), Login(user, password))
    with pytest.raises(SecurityError, match=reason):
        ntlm_datagram.verify(answer, {"user": "secret"}, bytes(8))


@pytest.mark.parametrize("cut", range(0, 352, 7))
def test_a_cut_message_is_one_error(cut):
    with pytest.raises(SecurityError, match="^NTLM: "):
        ntlm_datagram.verify(R2.answer[:cut], R2.accounts, R2.nonce)
    if cut < len(R2.challenge):
        with pytest.raises(SecurityError, match="^NTLM: "):
            ntlm_datagram.authenticate(R2.challenge[:cut], Login("User", "x"))
