"""SIP through the ideal balancer of a pool: logins that stay with their Front End, and messages that nobody alters."""

import pytest
from lab_rig import make_lab, soon

from lbcert.steps.calling import dial, push
from lbcert.scenes.pool import POOL
from lbcert.wire.sip_vectors import UNFIT, recorded, torture

SERVICES = ("sip", "sip-tls", "sharing")


@pytest.fixture(scope="module")
def pool(zygote, tmp_path_factory):
    lab = make_lab(zygote, tmp_path_factory.mktemp("pool"), dut="ideal:ocs")
    yield lab
    lab.close()


def ask(lab, talk, what=""):
    """Have a held client ask once more; returns the word for what came."""
    before = len(talk.speech.later)
    talk.send(talk.speech.again(what))
    soon(lab, "an answer", lambda: len(talk.speech.later) > before)
    return talk.speech.later[-1]


@pytest.mark.parametrize("service", ["sip", "sip-tls"])
def test_a_login_stays_with_its_front_end(pool, service):
    talks = pool.visit([dial(pool, service, signed=True, hold=True) for _ in range(6)])
    assert {talk.outcome for talk in talks} == {"answered"}
    for talk in talks:
        told = talk.speech.told()
        assert told["target"] == f"{pool.server(talk.server).host}.{POOL}" and told["one_server"]
        assert [ask(pool, talk, act) for act in ("register", "invite", "bye")] == ["answered"] * 3
        assert set(told["signatures"]) == {"right"}
        talk.leave()


@pytest.mark.parametrize("service", SERVICES)
def test_what_one_end_says_is_what_the_other_hears(pool, service):
    """RFC 4475's messages one way, a real server's signed answer the other, and ends that still understand each other."""
    (talk,) = pool.visit([dial(pool, service, hold=True)])
    for name, message in torture().items():
        if name not in UNFIT:
            talk.send(talk.speech.recite(message))
    push(pool, talk, say="bytes", hex=recorded("ocs2007")["response"].hex())
    talk.send(talk.speech.again())
    soon(pool, "the answer", lambda: talk.speech.answers == 2)
    push(pool, talk, say="digest")
    digest = pool.history.last("digest", who=talk.server, conn=talk.connection)
    assert talk.speech.digest() == {"went": digest["came"], "came": digest["went"]}
    talk.leave()
