"""OCS-FAIL-05: what makes each verdict of `ports_move_together`. fe1 loses its power at second 0 and is back at second 30."""

import pytest
from evidence_rig import marks
from outage_rig import call, fault, opened, pool, restored

from lbcert.evidence.checks import ports_move_together
from lbcert.verdicts import Verdict

CLIENT, OTHER = "10.1.0.1", "10.1.0.2"
WINDOWS = marks(busy=14.0, quiet=16.0, end=18.0)
BEFORE = [fault("fe1"), call(OTHER, "fe3", -5.0, label="settle"), *WINDOWS, call("10.1.9.1", "fe2", 14.1, label="after")]
FIRST = call(CLIENT, "fe2", 20.0, label="first")
FRESH = call("10.1.9.2", "fe1", 35.0, label="fresh")


def ports(label: str, *servers: str, client: str = CLIENT, t: float = 40.0):
    return [call(client, server, t, service=service, label=label) for server, service in zip(servers, ("sip", "sip-tls", "focus"), strict=False)]


def judged(*, moved=("fe2", "fe2", "fe2"), back=("fe2", "fe2", "fe2"), others=("fe3", "fe3"), first=FIRST, fresh=FRESH, returns=False, more=()):
    story = [*BEFORE, first, *ports("moved", *moved, t=21.0), *ports("others", others[0], client=OTHER, t=21.0), restored("fe1", 30.0), fresh,
             *ports("back", *back), *ports("others back", others[1], client=OTHER), *more]  # fmt: skip
    return ports_move_together(pool(*story, persistence={"returns_after_recovery": returns}))


@pytest.mark.parametrize(
    "how, verdict, words",
    [
        ({}, Verdict.PASS, "1 of 1 clients were at one Front End with all of up to 4 ports; 1 of 1 followed the declared rule after the return; "
                           "2 of 2 connections"),
        ({"moved": ("fe2", "fe3", "fe2")}, Verdict.FAIL, "client 10.1.0.1 was split while fe1 was dead: fe2 on sip, sip, focus; fe3 on sip-tls"),
        ({"moved": ("fe2", None, "fe2")}, Verdict.FAIL, "client 10.1.0.1 on sip-tls: closed without an answer"),
        ({"first": call(CLIENT, None, 20.0, label="first"), "moved": (None, None), "back": (None,)}, Verdict.FAIL,
         "0 of 0 clients were at one Front End with all of up to 0 ports"),
        ({"back": ("fe1", "fe1", "fe1")}, Verdict.FAIL, "was at fe1 instead of fe2 after fe1 had returned"),
        ({"back": ("fe1", "fe1", "fe1"), "returns": True}, Verdict.PASS, "1 of 1 followed the declared rule"),
        ({"returns": True}, Verdict.FAIL, "was at fe2 instead of fe1 after fe1 had returned"),
        ({"back": ("fe2", "fe1", "fe2")}, Verdict.FAIL, "was split after fe1 had returned: fe1 on sip-tls; fe2 on sip, focus"),
        ({"back": ("fe3", "fe3", "fe3")}, Verdict.FAIL, "was at fe3 instead of fe2"),
        ({"others": ("fe2", "fe3")}, Verdict.FAIL, "client 10.1.0.2 on sip of fe3 was moved to fe2 while fe1 was dead"),
        ({"others": ("fe3", "fe1")}, Verdict.FAIL, "client 10.1.0.2 on sip of fe3 was moved to fe1 after fe1 had returned"),
        ({"fresh": call("10.1.9.2", "fe2", 35.0, label="fresh")}, Verdict.BLOCKED, "fe1 got no new client after it had returned, which OCS-AFF-05"),
        ({"fresh": call("10.1.9.2", "fe2", 35.0, label="fresh"), "back": ("fe1",)}, Verdict.FAIL, "was at fe1 instead of fe2"),
        ({"first": call(CLIENT, "fallback", 20.0, label="first"), "moved": ("fallback",)}, Verdict.BLOCKED, "which OCS-FAIL-07 is about"),
        ({"more": opened("fe1", 5061, 14.1, 14.2, 14.3)}, Verdict.BLOCKED, "fe1 was never taken out of the pool"),
    ],
    ids=["together", "split", "unserved", "nobody-served", "went-back", "goes-back", "stayed", "split-later", "moved-again", "others-moved", "others-moved-later",
         "never-used-again", "never-used-and-moved", "at-the-fallback", "unnoticed"],
)  # fmt: skip
def test_each_verdict(how, verdict, words):
    finding = judged(**how)
    assert finding.verdict is verdict
    assert words in finding.observed
