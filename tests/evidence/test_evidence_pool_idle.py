"""OCS-IDLE-01, -02, -05 and -07: what makes each verdict of the checks of silent connections, whose last byte passed at second 0."""

import pytest
from evidence_rig import event
from outage_rig import hold, mark, pool, told

from lbcert.evidence.checks import (
    both_ends_are_told,
    front_end_reaches_silent_client,
    idle_time_exceeds_refresh,
    silent_connection_lives,
)
from lbcert.verdicts import Verdict

LATE, OVER = 1711.0, 1892.0
TIMES = {"expires": 600, "keep_alive": 300}


def silent(label: str, ends: float | tuple[float | None, float | None] | None = None, *, end: bool = False, used: float | None = None,
           service: str = "sip", **facts):  # fmt: skip
    """A silent connection: when its ends (client, Front End) were told, or when it was used again at the end of its silence."""
    last = {"last_data": 0.0} if used is None else {"last_data": used, "pause_from": 0.0, "pause": used}
    client, server = ends if isinstance(ends, tuple) else (ends, ends)
    return hold("10.1.0.1", "fe1", label=label, service=service, echoes={"end": end},
                to_client={**last, **({"fin_to_client": client} if client is not None else {})},
                at_server={**last, **({"fin_to_server": server} if server is not None else {})}, **facts)  # fmt: skip


def judged(check, *events, declared: float | str | None = 1800.0, how: str = "real", span: float = 1800.0, late: float = LATE):
    return check(pool(*events, event(-6.0, "harness", "pace", how=how, span=span, rate=1), mark("silence", 0.1), mark("late", late),
                      mark("over", OVER), session={"idle": declared}))  # fmt: skip


ALIVE = silent("silent", end=True, used=1711.1)


@pytest.mark.parametrize(
    "one, more, verdict, words",
    [
        (ALIVE, {}, Verdict.PASS, "alive: 2 of 2 on sip-tls and 1 of 1 on sip, each after 1,711.0 s of silence or more"),
        (silent("silent", end=False, used=1711.1), {}, Verdict.FAIL, "after 28.52 min of silence it carried no data any more"),
        (silent("silent", 900.0), {}, Verdict.FAIL, "client 10.1.0.1 on sip at fe1: ended after 15 min of silence"),
        (silent("silent", 1709.0), {}, Verdict.FAIL, "ended after 28.48 min of silence"),
        (silent("silent", 1710.5), {}, Verdict.PASS, "each after 1,710.5 s"),
        (silent("silent", (None, 900.0)), {}, Verdict.FAIL, "ended after 15 min of silence"),
        (ALIVE, {"declared": 1200.0}, Verdict.FAIL, "the declared idle time is 20 min, less than 30 min"),
        (ALIVE, {"declared": "none"}, Verdict.PASS, "declared idle time: none"),
        (hold("10.1.0.1", "fe1", label="silent", echoes={"end": True}, to_client={"last_data": 1711.1, "pause_from": 700.0, "pause": 1011.1},
              at_server={"last_data": 1711.1, "pause_from": 700.0, "pause": 1011.1}), {}, Verdict.FAIL, "a byte passed 11.66 min into the silence"),
    ],
    ids=["alive", "silent-drop", "half", "too-short", "long-enough", "one-end-only", "short-by-declaration", "for-ever", "a-byte"],
)  # fmt: skip
def test_of_a_silent_connection(one, more, verdict, words):
    others = [silent("silent", end=True, used=1711.1, service="sip-tls") for _ in range(2)]
    finding = judged(silent_connection_lives, *others, one, **more)
    assert finding.verdict is verdict
    assert words in finding.observed


def test_connections_that_never_stood_tell_nothing():
    lost = silent("silent", end=True, used=1711.1)
    lost = [one for one in lost if one["kind"] != "echo"]
    assert judged(silent_connection_lives, lost).verdict is Verdict.BLOCKED


def test_a_port_on_which_none_stood_is_no_pass():
    lost = [one for one in silent("silent", end=True, used=1711.1, service="sip-tls") if one["kind"] != "echo"]
    finding = judged(silent_connection_lives, ALIVE, silent("silent", end=True, used=1711.1), lost)
    assert finding.verdict is Verdict.BLOCKED
    assert "no connection on sip-tls carried data" in finding.observed


@pytest.mark.parametrize(
    "lived, times, more, verdict, words",
    [
        (1711.1, TIMES, {}, Verdict.PASS, "registrations live for 600 s, keep-alive time 300 s; silent connections lived for 1,711.0 s or more"),
        (290.0, TIMES, {}, Verdict.FAIL, "lived for 290 s, and clients may be silent for 300 s"),
        (310.0, TIMES, {}, Verdict.PASS, "lived for 310.0 s"),
        (310.0, {"expires": 400, "keep_alive": 3600}, {}, Verdict.FAIL, "clients may be silent for 400 s"),
        (5.9, TIMES, {"how": "variant", "span": 6.0, "late": 5.8}, Verdict.PASS, "lived for 1,740.0 s or more"),
        (5.9, TIMES, {"how": "variant", "span": 6.0, "late": 5.8, "declared": 200.0}, Verdict.FAIL, "clients may be silent for 300 s"),
    ],
    ids=["longer", "shorter", "just-longer", "shorter-than-a-registration", "on-a-variant", "declared-too-short"],
)
def test_of_the_refresh(lived, times, more, verdict, words):
    one = silent("silent", None, end=True, used=lived, **times) if lived in (1711.1, 5.9) else silent("silent", lived, **times)
    finding = judged(idle_time_exceeds_refresh, one, **more)
    assert finding.verdict is verdict
    assert words in finding.observed


@pytest.mark.parametrize(
    "one, more, verdict, words",
    [
        (silent("left", (1800.0, 1800.01)), {}, Verdict.PASS, "1 of 1 silent connections ended, after 1,800.0 to 1,800.0 s, in real time; "
                                                              "both ends of 1 were told, at most 0.0100 s"),
        (silent("left", (1800.0, 1801.5)), {}, Verdict.NON_STRICT, "the Front End was told 1.5 s after the other end"),
        (silent("left", (1801.5, 1800.0)), {}, Verdict.NON_STRICT, "the client was told 1.5 s after the other end"),
        (silent("left", (None, 1800.0)), {}, Verdict.NON_STRICT, "but the client was never told"),
        (silent("left", (1800.0, None)), {}, Verdict.NON_STRICT, "but the Front End was never told"),
        (silent("left", None), {}, Verdict.NON_STRICT, "it carried no data any more, and neither end was told"),
        (silent("left", None, end=True, used=1893.0), {}, Verdict.NON_STRICT, "still open after 31.53 min of silence"),
        (silent("left", None, end=True, used=1893.0), {"declared": "none"}, Verdict.UNSUPPORTED, "declares that silent connections never end"),
        (silent("left", None), {"declared": "none"}, Verdict.NON_STRICT, "neither end was told"),
        (silent("left", 900.0), {}, Verdict.PASS, "after 900.0 to 900.0 s"),
    ],
    ids=["told", "front-end-late", "client-late", "client-untold", "front-end-untold", "dropped", "never-ends", "declared-so", "declared-but-dropped",
         "too-early"],
)  # fmt: skip
def test_of_the_end(one, more, verdict, words):
    finding = judged(both_ends_are_told, one, **more)
    assert finding.verdict is verdict
    assert words in finding.observed


def notified(pushed: float | None, heard: float | None, ends: float | None = None, *, octets: bytes = b"NOTIFY", got: bytes = b"NOTIFY"):
    used = heard if heard is not None else pushed
    made = silent("notified", ends, used=used)
    call = told(made)
    if pushed is not None:
        made.append(event(pushed, "fe1", "pushed", conn=call["conn"], bytes=octets.hex()))
    if heard is not None:
        made.append(event(heard, "client", "heard", call=call["call"], bytes=got.hex()))
    return made


@pytest.mark.parametrize(
    "one, verdict, words",
    [
        (notified(1711.2, 1711.3), Verdict.PASS, "the NOTIFY arrived: 1 of 1 (1 of 1 on sip), in real time, the slowest after 0.100 s"),
        (notified(1711.2, None), Verdict.FAIL, "the NOTIFY after 28.52 min of silence never arrived"),
        (notified(1711.2, 1711.3, got=b"NOTIFI"), Verdict.FAIL, "never arrived"),
        (notified(1711.2, 1712.3), Verdict.FAIL, "the NOTIFY arrived after 1.10 s"),
        (silent("notified", 900.0), Verdict.BLOCKED, "ended after 15 min of silence, before its Front End said anything, which OCS-IDLE-01"),
        (silent("notified", 1711.1), Verdict.HARNESS_ERROR, "ended after 28.52 min of silence, before its Front End said anything"),
    ],
    ids=["arrives", "lost", "changed", "late", "gone", "ours"],
)
def test_of_what_the_front_end_says(one, verdict, words):
    finding = judged(front_end_reaches_silent_client, one)
    assert finding.verdict is verdict
    assert words in finding.observed
