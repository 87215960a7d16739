"""OCS-IDLE-03, -04 and -06: what makes each verdict of the checks of connections in little use, whose idle time is 6 s."""

import pytest
from evidence_rig import event
from outage_rig import hold, mark, pool, told

from lbcert.evidence.checks import keepalives_pass_and_count, one_way_is_enough, pings_are_answered_by_the_front_end
from lbcert.verdicts import Verdict

PING, PONG = "0d0a0d0a", "0d0a"
TIMES = [4.0 * n for n in range(1, 9)]


def used(label: str, *, sent=TIMES, arrived=None, end: bool = True, octets: str = PING, service: str = "sip", pushed=(), **ends):
    made = hold("10.1.0.1", "fe1", label=label, service=service, echoes={"end": end}, to_client=ends)
    call = told(made)
    made += [event(t, "client", "sent", call=call["call"], bytes=PING) for t in sent]
    made += [event(t + 0.01, "fe1", "keepalive", conn=call["conn"], bytes=octets) for t in (sent if arrived is None else arrived)]
    made += [event(t, "fe1", "pushed", conn=call["conn"], bytes=PONG) for t in pushed]
    return made


def judged(check, *events, over: float = 32.1):
    return check(pool(*events, mark("kept", 0.1), mark("over", over)), idle=6.0)


@pytest.mark.parametrize(
    "one, verdict, words",
    [
        (used("keepalive"), Verdict.PASS, "16 of 16 keep-alives arrived as `0d 0a 0d 0a`; 2 of 2 connections (sip-tls 1, sip 1) were open after 32.0 s"),
        (used("keepalive", arrived=TIMES[:-1]), Verdict.FAIL, "28 of 32 bytes of keep-alives arrived (0d 0a 0d 0a 0d 0a 0d 0a)"),
        (used("keepalive", octets=PONG), Verdict.FAIL, "16 of 32 bytes"),
        (used("keepalive", octets="0d200d0a"), Verdict.FAIL, "32 of 32 bytes of keep-alives arrived (0d 20 0d 0a 0d 20 0d 0a)"),
        (used("keepalive", arrived=[]), Verdict.FAIL, "0 of 32 bytes of keep-alives arrived (none)"),
        (used("keepalive", end=False, fin_to_client=6.1), Verdict.FAIL, "client 10.1.0.1 on sip at fe1: closed 6.00 s after its last answer"),
        (used("keepalive", end=False), Verdict.FAIL, "it carried no data any more"),
        (used("keepalive", sent=[4.0], end=False, fin_to_client=10.1), Verdict.HARNESS_ERROR, "machine too slow: 6.10 s between"),
        (used("keepalive", sent=[4.0], end=False, fin_to_client=8.1), Verdict.FAIL, "closed 8.00 s after its last answer"),
        (used("keepalive", sent=[4.0, 10.0, *TIMES[2:]]), Verdict.HARNESS_ERROR, "machine too slow: 6.00 s between two keep-alives"),
    ],
    ids=["kept", "one-lost", "halved", "changed", "swallowed", "closed", "dead", "closed-by-our-fault", "closed-early", "ours"],
)
def test_of_keepalives(one, verdict, words):
    finding = judged(keepalives_pass_and_count, used("keepalive", service="sip-tls"), one)
    assert finding.verdict is verdict
    assert words in finding.observed


def test_too_short_a_look_is_no_pass():
    with pytest.raises(ValueError, match="not 5 idle times"):
        judged(keepalives_pass_and_count, used("keepalive"), over=29.0)


@pytest.mark.parametrize(
    "client, server, verdict, words",
    [
        ({}, {}, Verdict.PASS, "1 of 1 connections on which only the client spoke and 1 of 1 connections on which only the Front End spoke"),
        ({"end": False, "fin_to_client": 6.1}, {}, Verdict.FAIL, "only the client spoke: client 10.1.0.1 on sip at fe1: closed 6.00 s"),
        ({}, {"end": False, "fin_to_client": 6.1}, Verdict.FAIL, "only the Front End spoke: client 10.1.0.1 on sip at fe1: closed 6.00 s"),
        ({}, {"pushed": TIMES[:3]}, Verdict.HARNESS_ERROR, "machine too slow"),
        ({"sent": TIMES[:3]}, {}, Verdict.HARNESS_ERROR, "machine too slow"),
    ],
    ids=["kept", "client", "server", "ours-at-the-server", "ours"],
)
def test_of_one_way_traffic(client, server, verdict, words):
    finding = judged(one_way_is_enough, used("from-client", **client), used("from-server", **{"sent": (), "pushed": TIMES, **server}))
    assert finding.verdict is verdict
    assert words in finding.observed


def pinged(*, arrived: str | None = PING, at: float = 1.01, pongs=((1.02, PONG),), unasked=((5.02, PONG),)):
    """A client that pings at second 1, and whose Front End says CRLF by itself at second 5."""
    made = hold("10.1.0.1", "fe1")
    call = told(made)
    made.append(event(1.0, "client", "sent", call=call["call"], bytes=PING))
    made += [event(at, "fe1", "keepalive", conn=call["conn"], bytes=arrived)] if arrived else []
    made.append(event(5.0, "fe1", "pushed", conn=call["conn"], bytes=PONG))
    made += [event(t, "client", "heard", call=call["call"], bytes=octets) for t, octets in (*pongs, *unasked)]
    return made


@pytest.mark.parametrize(
    "one, verdict, words",
    [
        (pinged(), Verdict.PASS, "1 of 1 pings were answered by their Front Ends, the slowest after 0.020 s; 1 of 1 unasked CRLFs arrived"),
        (pinged(pongs=((2.1, PONG),)), Verdict.NON_STRICT, "the pong came after 1.10 s"),
        (pinged(pongs=()), Verdict.NON_STRICT, "the pong never arrived"),
        (pinged(pongs=((1.02, PONG), (1.03, PONG))), Verdict.NON_STRICT, "in place of one pong came 0d 0a 0d 0a"),
        (pinged(arrived=None), Verdict.NON_STRICT, "its ping never reached the Front End, though a pong came"),
        (pinged(arrived=None, pongs=()), Verdict.NON_STRICT, "its ping never reached the Front End"),
        (pinged(arrived=PONG), Verdict.NON_STRICT, "its ping reached the Front End as 0d 0a"),
        (pinged(pongs=((1.005, PONG),)), Verdict.NON_STRICT, "a pong was there before the Front End had the ping"),
        (pinged(pongs=((1.02, "0d"), (1.03, "0a"))), Verdict.PASS, "1 of 1 pings"),
        (pinged(unasked=()), Verdict.NON_STRICT, "of a CRLF that the Front End sent by itself came nothing"),
        (pinged(unasked=((6.2, PONG),)), Verdict.NON_STRICT, "a CRLF of the Front End came after 1.20 s"),
    ],
    ids=["answered", "late", "swallowed-pong", "two-pongs", "answered-in-its-place", "swallowed-ping", "halved", "answered-too-soon", "in-pieces",
         "swallowed-crlf", "late-crlf"],
)  # fmt: skip
def test_of_pings(one, verdict, words):
    finding = pings_are_answered_by_the_front_end(pool(one, mark("ping", 0.9), mark("unasked", 4.0), mark("over", 7.0)))
    assert finding.verdict is verdict
    assert words in finding.observed
