"""RDP-PARSE-02 and -12: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import event, served, story, unserved

from lbcert.evidence.checks import answer_arrives_unchanged, is_answered_in_kind
from lbcert.verdicts import Verdict
from lbcert.wire import CC_VECTORS
from lbcert.wire.octets import stream, summary

ANSWER = CC_VECTORS["CC-01"] + stream("down", 5000)
POURED = stream("up", 5000)


def talk(number, label, heard=ANSWER, at_server=POURED, told=True, how="closed"):
    """One conversation: the visit, its end at the client, and what the server said and heard."""
    user = f"talk{number}"
    visit = served(user, "ts1", label=label)
    visit[1]["visit"] = number
    end = event(1, "client", "session-end", visit=number, port=1, how=how, poured=summary(POURED), received=summary(heard))
    said = event(2, "ts1", "conversation", user=user, conn=1, sent=summary(ANSWER), heard=summary(at_server))
    return [*visit, end, *([said] if told else [])]


SAME = talk(1, "CC-01")
HALF = "CC-01, client half-closes"
UNCHANGED = {
    "same": (SAME, Verdict.PASS, "1 of 1 exchanges arrived unchanged in both directions"),
    "flags-cleared": (talk(1, "CC-01", ANSWER[:12] + b"\0" + ANSWER[13:]), Verdict.FAIL,
                      "CC-01, towards the client: 5019 of 5019 bytes; first difference at byte 12: 1f08"),
    "one-byte-in-the-body": (talk(1, "CC-01", ANSWER[:3000] + b"?" + ANSWER[3001:]), Verdict.FAIL,
                             "first difference between byte 2048 and 3071"),
    "one-byte-lost": (talk(1, "CC-01", ANSWER[:3000] + ANSWER[3001:]), Verdict.FAIL, "5018 of 5019 bytes; first difference between"),
    "cut-short": (talk(1, "CC-01", ANSWER[:4500]), Verdict.FAIL, "4500 of 5019 bytes; the stream is cut short"),
    "cut-between-blocks": (talk(1, "CC-01", ANSWER[:4096]), Verdict.FAIL, "4096 of 5019 bytes; the stream is cut short"),
    "something-added": (talk(1, "CC-01", ANSWER + b"bye"), Verdict.FAIL, "5022 of 5019 bytes"),
    "towards-the-server": (talk(1, "CC-01", at_server=POURED[::-1]), Verdict.FAIL, "CC-01, towards the server: 5000 of 5000 bytes"),
    "never-told": ([*SAME, *talk(2, "CC-02", how="left")], Verdict.FAIL, "2 of 2 exchanges arrived unchanged"),
    "told-by-a-reset": (talk(1, "CC-01", how="reset"), Verdict.PASS, "1 of 1"),
    "half-closed-and-never-told": (talk(1, HALF, how="left"), Verdict.PASS, "1 of 1 exchanges"),
    "not-answered": ([*SAME, {**unserved("talk2", "malformed", label="CC-03"), "visit": 2}], Verdict.FAIL,
                     "CC-03: answered with something that is no Connection Confirm"),
    "nobody-spoke": (talk(1, "CC-01", told=False), Verdict.FAIL, "CC-01: answered, but no server has spoken with this user"),
    "half-closed-and-lost": ([*SAME, *talk(2, HALF, ANSWER[:-64])], Verdict.PASS, "0 of 1 clients that had sent FIN"),
    "half-closed-and-kept": ([*SAME, *talk(2, HALF)], Verdict.PASS, "1 of 1 clients that had sent FIN"),
    "half-closed-loses-the-client's": ([*SAME, *talk(2, HALF, at_server=POURED[:99])], Verdict.FAIL, "towards the server: 99 of 5000"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_answer_arrives_unchanged(events, verdict, observed):
    finding = answer_arrives_unchanged(story(events))
    assert (finding.verdict, finding.silence) == (verdict, True)
    assert observed in finding.observed


def old(number, answer="0300000b06d00000100100", ok=True, **more):
    visit = served(f"old{number}", "ts1", **more)
    visit[1] |= {"visit": number, "answer": answer}
    return [*visit, event(3, "client", "echo", visit=number, phase="after", ok=ok)]


IN_KIND = {
    "eleven-bytes": (old(1), Verdict.PASS, "1 of 1 were answered in kind"),
    "negotiated": ([*old(1), *old(2, CC_VECTORS["CC-02"].hex())], Verdict.FAIL, "user old2: answered with 19 bytes instead of 11 (030000130ed0"),
    "more-behind-it": (old(1, "0300000b06d0000010010000"), Verdict.FAIL, "answered with 12 bytes instead of 11"),
    "somebody-else's": (old(1, recorded_by="ts2"), Verdict.FAIL, "not with the server's own Confirm"),
    "no-data-after-it": (old(1, ok=False), Verdict.FAIL, "user old1: the session carried no data"),
    "closed": ([*old(1), unserved("old2", "closed")], Verdict.FAIL, "user old2: closed without an answer"),
}


@pytest.mark.parametrize("events, verdict, observed", IN_KIND.values(), ids=IN_KIND.keys())
def test_is_answered_in_kind(events, verdict, observed):
    finding = is_answered_in_kind(story(events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding.observed


@pytest.mark.parametrize("check", [answer_arrives_unchanged, is_answered_in_kind])
def test_without_observations_there_is_no_verdict(check):
    with pytest.raises(ValueError, match="the history holds no"):
        check(story())
