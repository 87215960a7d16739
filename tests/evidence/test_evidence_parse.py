"""RDP-PARSE: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import served, story, unserved

from lbcert.evidence.checks import arrives_unchanged, cuts_do_not_matter, is_served
from lbcert.verdicts import Verdict

NAMED = bytes.fromhex("0300002c27e00000000000436f6f6b69653a206d737473686173683d6a736d6974680d0a0100080003000000")
NAMELESS = bytes.fromhex("0300000b06e00000000000")

UNCHANGED = {
    "same": ([served(None, "ts1", label="CR-01", sent=NAMED)], Verdict.PASS, "1 of 1 first packets arrived unchanged"),
    "one-byte-changed": ([served(None, "ts1", label="CR-01", sent=NAMED, received=NAMED[:-4] + b"\0" * 4)], Verdict.FAIL,
                         "CR-01: sent 44 bytes, ts1 received 44; first difference at byte 40: 03000000 became 00000000"),
    "end-cut-off": ([served(None, "ts1", label="CR-01", sent=NAMED, received=NAMED[:36])], Verdict.FAIL,
                    "ts1 received 36; first difference at byte 36: 0100080003000000 became end"),
    "longer": ([served(None, "ts1", label="CR-10", sent=NAMELESS, received=NAMELESS + b"x")], Verdict.FAIL,
               "first difference at byte 11: end became 78"),
    "something-follows": ([served(None, "ts1", label="CR-01", sent=NAMED, rest=2)], Verdict.FAIL,
                          "CR-01: 2 extra bytes followed the packet at ts1"),
    "named-not-served": ([unserved(None, "reset", label="CR-01", sent=NAMED)], Verdict.FAIL, "CR-01: reset without an answer"),
    "nameless-not-served": ([served(None, "ts1", label="CR-01", sent=NAMED), unserved(None, "closed", label="CR-10", sent=NAMELESS)],
                            Verdict.BLOCKED, "CR-10 got no service, which RDP-PARSE-04 is about"),
    "fault-goes-before-blocked": ([unserved(None, "reset", label="CR-01", sent=NAMED),
                                   unserved(None, "closed", label="CR-10", sent=NAMELESS)], Verdict.FAIL, "CR-01: reset"),
    "unreadable-counts-as-named": ([unserved(None, "closed", label="odd", sent=b"\3\0\0")], Verdict.FAIL, "odd: closed"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_arrives_unchanged(events, verdict, observed):
    finding = arrives_unchanged(story(*events))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_byte_identity_rests_on_the_capture():
    assert arrives_unchanged(story(served(None, "ts1", label="CR-01", sent=NAMED))).silence


SERVED = {
    "all": ([served(None, "ts1"), served(None, "ts2")], Verdict.PASS, "2 of 2 were answered"),
    "one-closed": ([served(None, "ts1"), unserved(None, "closed", label="CR-03", source="10.1.0.9")], Verdict.FAIL,
                   "1 of 2 were answered. CR-03 from 10.1.0.9: closed without an answer"),
    "unreachable": ([unserved(None, "unreachable", label="CR-03")], Verdict.FAIL, "unreachable"),
    "malformed": ([unserved(None, "malformed", label="CR-03")], Verdict.FAIL, "something that is no Connection Confirm"),
    "not-a-servers-own-confirm": ([served(None, "ts1", recorded_by="ts2")], Verdict.FAIL, "not with the server's own Confirm"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", SERVED.values(), ids=SERVED.keys())
def test_is_served(events, verdict, observed):
    finding = is_served(story(*events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True)


def sent_in(seconds: float, visit: list) -> list:
    """The visit, with the time that our client took to send its pieces."""
    return [*visit[:-1], {**visit[-1], "sending": int(seconds * 1e9)}]


WHOLE = [served("ann", "ts1", label="whole"), served("bob", "ts2", label="whole")]
CUTS = {
    "same": ([*WHOLE, served("ann", "ts1", label="cut after 4"), served("bob", "ts2", label="cut after 4")], Verdict.PASS,
             "2 of 2 cut requests of 2 users reached the user's server"),
    "elsewhere": ([*WHOLE, served("ann", "ts2", label="cut after 4")], Verdict.FAIL, "user ann, cut after 4: ts2 instead of ts1"),
    "lost": ([*WHOLE, unserved("ann", "timeout", label="cut after 4")], Verdict.FAIL, "user ann, cut after 4: no answer in 15 s"),
    "whole-lost": ([unserved("ann", "reset", label="whole"), served("ann", "ts1", label="cut after 4")], Verdict.FAIL,
                   "user ann, whole: reset without an answer"),
    "slow-but-right": ([*WHOLE, *sent_in(5.5, served("ann", "ts1", label="1 byte at a time"))], Verdict.PASS, "1 of 1 cut requests"),
    "elsewhere-in-good-time": ([*WHOLE, *sent_in(1.0, served("ann", "ts2", label="cut after 4"))], Verdict.FAIL, "ts2 instead of ts1"),
    "elsewhere-sent-too-slowly": ([*WHOLE, *sent_in(5.5, served("ann", "ts2", label="1 byte at a time"))], Verdict.HARNESS_ERROR,
                                  "machine too slow: 1 cut requests went astray that we took up to 5.50 s to send"),
    "lost-sent-too-slowly": ([*WHOLE, *sent_in(5.5, [unserved("ann", "closed", label="1 byte at a time")])], Verdict.HARNESS_ERROR,
                             "machine too slow"),
    "one-in-good-time-decides": ([*WHOLE, *sent_in(5.5, served("ann", "ts2", label="1 byte at a time")),
                                  *sent_in(1.0, served("bob", "ts1", label="cut after 4"))], Verdict.FAIL, "user bob, cut after 4: ts1"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", CUTS.values(), ids=CUTS.keys())
def test_cuts_do_not_matter(events, verdict, observed):
    finding = cuts_do_not_matter(story(*events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True)


@pytest.mark.parametrize(
    "check, events",
    [(arrives_unchanged, []), (is_served, []), (cuts_do_not_matter, []), (cuts_do_not_matter, WHOLE)],
    ids=["unchanged", "served", "cuts", "cuts-without-a-cut"],
)
def test_without_observations_there_is_no_verdict(check, events):
    with pytest.raises(ValueError, match="the history holds no"):
        check(story(*events))
