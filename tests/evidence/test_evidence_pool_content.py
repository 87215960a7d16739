"""OCS-AFF-04, OCS-APP-01, -02 with literal histories."""

from __future__ import annotations

from hashlib import sha256

import pytest
from calls_rig import answered, pool, unanswered
from evidence_rig import event

from lbcert.evidence.checks import sign_in_stays_with_one_front_end, sip_is_not_altered, tls_is_end_to_end
from lbcert.verdicts import Verdict

FINE = {"statuses": [401, 401, 200], "signatures": {"right": 1}, "one_server": True, "targets": ["fe1.pool", "fe1.pool"],
        "target": "fe1.pool"}  # fmt: skip


def signed_in(server: str = "fe1", **facts) -> list:
    call = answered("10.1.0.1", "sip", server)
    name = f"{server}.pool"
    call[-1] |= {**FINE, "targets": [name, name], "target": name, **facts}
    return call


def signed(server: str, ok: bool, why: str, conn: int = 0) -> dict:
    return event(0, server, "signed", conn=conn, ok=ok, why=why, target="fe1.pool")


OTHERS = [signed_in("fe1"), signed_in("fe2")]
SIGN_IN = {
    "all": ([*OTHERS, signed_in("fe3")], Verdict.PASS, "3 of 3 clients signed in, with 3 Front Ends"),
    "refused": ([*OTHERS, unanswered("c", "sip", "refused")], Verdict.FAIL, "the sign-in was refused"),
    "foreign": ([*OTHERS, unanswered("c", "sip", "foreign")], Verdict.FAIL, "another Front End answered"),
    "not connected": ([*OTHERS, unanswered("c", "sip", "reset")], Verdict.FAIL, "reset without an answer"),
    "one more 401": ([*OTHERS, signed_in(statuses=[401, 401, 401, 200])], Verdict.FAIL, "said 401, 401, 401, 200"),
    "forged": ([*OTHERS, signed_in(signatures={"right": 1, "forged": 1})], Verdict.FAIL, "forged"),
    "unsigned": ([*OTHERS, signed_in(signatures={})], Verdict.FAIL, "with signatures {}"),
    "two answer": ([*OTHERS, signed_in(one_server=False)], Verdict.FAIL, "more than one Front End answered"),
    "two targets": ([*OTHERS, signed_in(targets=["fe1.pool", "fe2.pool"])], Verdict.FAIL, "fe1.pool, fe2.pool"),
    "another's name": ([*OTHERS, signed_in(targets=["x", "x"], target="x")], Verdict.FAIL, "fe1 was called fe1.pool and x"),
    "a message went astray": ([*OTHERS, signed_in(), signed("fe2", False, "foreign-target")], Verdict.FAIL, "fe2 was sent a message"),
    "not signed yet": ([*OTHERS, signed_in(), signed("fe1", False, "unsigned")], Verdict.PASS, "3 of 3"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", SIGN_IN.values(), ids=SIGN_IN.keys())
def test_sign_in(events, verdict, observed):
    finding = sign_in_stays_with_one_front_end(pool(*events), clients=3)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_too_few_who_sign_in_are_no_verdict():
    with pytest.raises(ValueError, match="2 clients signed in, not 3"):
        sign_in_stays_with_one_front_end(pool(*OTHERS), clients=3)


def conversation(sent=("q1", "q2", "r1"), received=("a1", "n1", "a2", "p1"), *, right: int = 1, wrong: int = 0, alive: bool = True,
                 more: tuple = ()) -> list:  # fmt: skip
    """Two requests, the second answered behind a NOTIFY that it brought about, a response to that, and bytes that were pushed."""
    call = answered("10.1.0.1", "sip", "fe1", held=True)
    conn = call[0]["conn"]
    there = [
        event(1, "fe1", "request", conn=conn, token="t", sha256="q1", answers=["a1"]),
        event(2, "fe1", "sent", conn=conn, sha256="n1"),
        event(2, "fe1", "pushed", conn=conn, bytes=""),
        event(3, "fe1", "response", conn=conn, sha256="r1"),
        event(3, "fe1", "request", conn=conn, token="t", sha256="q2", answers=["a2"]),
        event(4, "fe1", "pushed", conn=conn, bytes=b"pushed".hex()),
        *({**one, "conn": conn} for one in more),
    ]
    # The call's own first request is among them.
    kept = [one for one in call if one["kind"] != "request"] + [{**call[1], "sha256": "q0", "answers": ["a0"]}]
    kept.sort(key=lambda one: one["t"])
    received = [sha256(b"pushed").hexdigest() if digest == "p1" else digest for digest in ("a0", *received)]
    sent = ("q0", "q1", "r1", "q2") if sent == ("q1", "q2", "r1") else ("q0", *sent)
    signatures = {name: count for name, count in (("right", right), ("forged", wrong)) if count}
    return [*kept, *there, event(5, "client", "said", call=call[-1]["call"], sent=list(sent), received=received,
                                 signatures=signatures, alive=alive)]  # fmt: skip


CONTENT = {
    "identical": (conversation(), Verdict.PASS, "4 messages to Front Ends and 5 to clients on 1 ports; 1 signatures"),
    "changed towards the server": (conversation(sent=("q1", "r1", "other")), Verdict.FAIL, "1 of 4 messages did not arrive as sent"),
    "changed towards the client": (conversation(received=("a1", "n1", "x", "p1")), Verdict.FAIL, "1 others came to the client"),
    "lost towards the client": (conversation(received=("a1", "n1", "a2")), Verdict.FAIL, "1 of 5 messages did not arrive"),
    "added": (conversation(received=("a1", "n1", "a2", "p1", "x")), Verdict.FAIL, "0 of 5 messages did not arrive as sent, and 1"),
    "order": (conversation(received=("n1", "a1", "a2", "p1")), Verdict.FAIL, "changed their order"),
    "unreadable": (conversation(more=(event(5, "fe1", "malformed", reason="no colon"),)), Verdict.FAIL, "and 1 others came"),
    "forged": (conversation(wrong=1), Verdict.FAIL, "do not verify: forged"),
    "refused there": (conversation(more=(signed("fe1", False, "wrong-signature"),)), Verdict.FAIL, "wrong-signature"),
    "the first is not signed": (conversation(more=(signed("fe1", False, "unsigned"),)), Verdict.PASS, "1 signatures"),
    "a later one is not signed": (conversation(more=(signed("fe1", True, "right"), signed("fe1", True, "right"),
                                                     signed("fe1", False, "unsigned"), signed("fe1", False, "unsigned"))),
                                  Verdict.FAIL, "do not verify: unsigned"),
    "ended early": (conversation(alive=False), Verdict.FAIL, "the connection ended before all was said"),
    "nothing signed": (conversation(right=0), Verdict.FAIL, "no message was signed"),
    "not answered": ([call := unanswered("c", "sip", "malformed"), event(5, "client", "said", call=call["call"], sent=["q"],
                      received=[], signatures={}, alive=False), *conversation()], Verdict.FAIL, "something came that cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", CONTENT.values(), ids=CONTENT.keys())
def test_content(events, verdict, observed):
    finding = sip_is_not_altered(pool(*events))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_a_notify_that_comes_with_an_answer_stands_behind_it():
    call = answered("10.1.0.1", "sip", "fe1")
    call[1] |= {"sha256": "q0", "answers": ["a0", "n1"]}
    own = event(0.004, "fe1", "sent", conn=call[0]["conn"], sha256="n1")
    said = event(5, "client", "said", call=call[-1]["call"], sent=["q0"], received=["a0", "n1"], signatures={"right": 1}, alive=True)
    assert sip_is_not_altered(pool(call[0], own, *call[1:], said)).verdict is Verdict.PASS


CERTIFICATES = event(0, "harness", "certificates", client="cc" * 32, servers={"fe1": "11" * 32, "fe2": "22" * 32})


def over_tls(seen: str, shown: str | None, server: str = "fe1") -> list:
    call = answered("10.1.0.1", "sip-tls", server)
    call[-1]["tls"] = {"version": "1.3", "server": seen, "problem": ""}
    return [*call, *([] if shown is None else [event(0, server, "tls", conn=call[0]["conn"], client=shown, version="1.3")])]


def failed(seen: str) -> dict:
    return unanswered("10.1.0.2", "sip-tls", "closed") | {"tls": {"version": "", "server": seen, "problem": ""}}


TLS = {
    "end to end": (over_tls("11" * 32, "cc" * 32), Verdict.PASS, "1 connections on sip-tls with the certificates of both ends"),
    "the product's": (over_tls("99" * 32, "cc" * 32), Verdict.FAIL, "is no Front End's"),
    "the product's, and not answered": ([failed("99" * 32)], Verdict.FAIL, "is no Front End's"),
    "another Front End's": (over_tls("22" * 32, "cc" * 32), Verdict.FAIL, "with the certificate of another"),
    "client not seen": (over_tls("11" * 32, ""), Verdict.FAIL, "fe1 saw no certificate of the client"),
    "another client": (over_tls("11" * 32, "dd" * 32), Verdict.FAIL, "fe1 saw another certificate of the client"),
    "no TLS at the server": (over_tls("11" * 32, None), Verdict.FAIL, "saw no certificate"),
    "not answered": ([*over_tls("11" * 32, "cc" * 32), failed("")], Verdict.BLOCKED, "OCS-NET-02"),
    "refused": ([*over_tls("11" * 32, "cc" * 32), unanswered("c", "sip-tls")], Verdict.BLOCKED, "refused (OCS-NET-02)"),
}


@pytest.mark.parametrize("events, verdict, observed", TLS.values(), ids=TLS.keys())
def test_tls(events, verdict, observed):
    finding = tls_is_end_to_end(pool(CERTIFICATES, *events))
    assert finding.verdict is verdict
    assert observed in finding.observed


@pytest.mark.parametrize("check", [sip_is_not_altered, tls_is_end_to_end])
def test_without_observations_there_is_no_verdict(check):
    with pytest.raises(ValueError, match="the history holds no"):
        check(pool(CERTIFICATES))
