"""RDP-SESS-01a: what makes each verdict of `idle_time_is_kept`."""

import pytest
from evidence_rig import at, event, story, unserved
from session_rig import session

from lbcert.evidence.checks import idle_time_is_kept
from lbcert.verdicts import Verdict

LAST = {"last_data": 0.0}
HOUR = 3600.0


def one(number: int, client: float | None, server: float | None, *, end: bool = False, last=LAST, rst: bool = False):
    """A session whose last byte passed at second 0, and whose ends were told at these seconds."""
    kind = "rst" if rst else "fin"
    return session(f"user{number}", "ts1", number, echoes={"end": end},
                   to_client={**last, **({f"{kind}_to_client": client} if client is not None else {})},
                   at_server={**last, **({f"{kind}_to_server": server} if server is not None else {})})  # fmt: skip


def judged(*events, declared: float | str = HOUR, how: str = "real", span: float = HOUR, over: float = 3781.0, rate: int = 1):
    history = story(*events, event(-6.0, "harness", "pace", how=how, span=span, rate=rate),
                    event(0.1, "harness", "mark", name="silence"), event(over, "harness", "mark", name="over"))  # fmt: skip
    history.events[0]["declares"]["session"] = {"idle": declared}
    return idle_time_is_kept(history)


REAL = {
    "as-declared": ([one(1, 3600.0, 3600.01), one(2, 3599.0, 3599.0, rst=True)], Verdict.PASS,
                    "2 of 2 silent sessions ended, after 3,599.0 to 3,600.0 s; both ends of 2 were told, at most 0.0100 s"),
    "just-long-enough": ([one(1, 3420.0, 3420.0)], Verdict.PASS, "1 of 1"),
    "too-early": ([one(1, 3600.0, 3600.0), one(2, 3419.0, 3419.0)], Verdict.FAIL,
                  "user user2 on ts1: ended after 56.98 min of silence, 95.0%"),
    "much-too-early": ([one(1, 3000.0, 3000.0)], Verdict.FAIL, "ended after 50 min of silence, 83.3% of the idle time"),
    "too-late": ([one(1, 3781.0, 3781.0)], Verdict.FAIL, "ended after 63.02 min of silence, 105.0%"),
    "never": ([one(1, None, None, end=True)], Verdict.FAIL, "user user1 on ts1: still open after 63.02 min of silence"),
    "after-the-test": ([one(1, 3782.0, 3782.0, end=True)], Verdict.FAIL, "still open after 63.02 min of silence"),
    "dropped-without-a-word": ([one(1, None, None)], Verdict.FAIL, "carried no data any more, and neither end was told"),
    "server-not-told": ([one(1, 3600.0, None)], Verdict.FAIL, "ended after 60 min of silence, but the server was never told"),
    "client-not-told": ([one(1, None, 3600.0)], Verdict.FAIL, "ended after 60 min of silence, but the client was never told"),
    "server-told-late": ([one(1, 3600.0, 3601.2)], Verdict.FAIL, "the server was told 1.2 s after the other end"),
    "a-byte-in-the-silence": ([one(1, 3610.0, 3610.0, last={"last_data": 60.1})], Verdict.FAIL,
                              "a byte passed 60 s into the silence"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", REAL.values(), ids=REAL)
def test_in_real_time(events, verdict, observed):
    finding = judged(*events)
    assert finding.verdict is verdict
    assert observed in finding.observed


def echoed_at_the_end(pause_from: float = 0.0, pause: float = 3782.0):
    return one(1, None, None, end=True, last={"last_data": 3782.0, "pause_from": pause_from, "quiet_pause": pause})


def with_pause(*events):
    """`pause` is a length, not a time."""
    for each in events:
        for flow in each:
            if "quiet_pause" in flow:
                flow["pause"] = flow.pop("quiet_pause")
    return events


FOR_EVER = {
    "lives": (echoed_at_the_end(), Verdict.PASS,
              "1 of 1 silent sessions were open after 3,781.0 s, in real time; declared idle time: none"),
    "a-byte": (echoed_at_the_end(600.0, 3182.0), Verdict.FAIL, "a byte passed 600 s into the silence"),
    "a-byte-late": (echoed_at_the_end(0.0, 3000.0), Verdict.FAIL, "a byte passed"),
    "ended": (one(1, 900.0, 900.0), Verdict.FAIL, "user user1 on ts1: ended after 15 min of silence"),
    "dropped": (one(1, None, None), Verdict.FAIL, "carried no data any more"),
}


@pytest.mark.parametrize("events, verdict, observed", FOR_EVER.values(), ids=FOR_EVER)
def test_where_no_idle_time_is_declared(events, verdict, observed):
    finding = judged(*with_pause(events), declared="none")
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_a_declaration_below_the_floor_fails_whatever_the_traffic_shows():
    finding = judged(one(1, 1800.0, 1800.0), declared=1800, span=1800.0)
    assert finding.verdict is Verdict.FAIL
    assert finding.reason == "the declared idle time is 30 min, and users are silent for 60 min"


def control(number: int, seconds: float, took: float | None):
    """A connection to a control listener, and its flow; it stood at second 0.2."""
    flow = {"link": "client:eth0", "client": "10.1.9.9", "cport": 30000 + number, "sport": 61000 + number}
    facts = [event(0.2, "harness", "control", port=61000 + number, seconds=seconds, source="10.1.9.9", cport=30000 + number)]
    stamps = {"synack": at(0.2)} | ({"fin_to_client": at(0.2 + took)} if took is not None else {})
    return [*facts, event(0.2, "capture", "flow", **flow, **stamps)]


def controls(rate: float = 60.0, second: float | None = None):
    return [*control(1, 3420.0, 3420 / rate), *control(2, 3780.0, 3780 / (second or rate))]


FAST = {
    "nominal": (controls(), one(1, 60.0, 60.0), Verdict.PASS, "after 3,600.0 to 3,600.0 s"),
    "drifting": (controls(62.8), one(1, 57.3, 57.3), Verdict.PASS, "on a clock that ran at ×62.80 and ×62.80"),
    "drifting-is-no-excuse": (controls(62.8), one(1, 54.0, 54.0), Verdict.FAIL, "ended after 56.52 min of silence"),
    "fifty-minutes": (controls(), one(1, 50.0, 50.0), Verdict.FAIL, "ended after 50 min of silence, 83.3%"),
    "a-little-apart": (controls(), one(1, 60.0, 60.1), Verdict.PASS, "at most 0.1000 s (real time) apart"),
    "told-late": (controls(), one(1, 60.0, 60.2), Verdict.FAIL, "the server was told 12 s after the other end"),
    "controls-differ": (controls(60.0, 60.7), one(1, 60.0, 60.0), Verdict.HARNESS_ERROR,
                        "do not agree on the product's clock within 1%"),
    "no-faster-clock": (controls(1.0), one(1, 60.0, 60.0), Verdict.HARNESS_ERROR, "×1.00 and ×1.00, which is not near ×60"),
    "one-control-only": (control(1, 3420.0, 57.0), one(1, 60.0, 60.0), Verdict.HARNESS_ERROR, "do not agree"),
    "control-unseen": ([*control(1, 3420.0, 57.0), *control(2, 3780.0, None)], one(1, 60.0, 60.0), Verdict.HARNESS_ERROR,
                       "the capture does not show how long the control listener of 3780 s waited"),
}  # fmt: skip


@pytest.mark.parametrize("clock, session, verdict, observed", FAST.values(), ids=FAST)
def test_on_a_faster_clock(clock, session, verdict, observed):
    finding = judged(clock, session, how="faster", over=64.0, rate=60)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_no_control_is_no_observation():
    with pytest.raises(ValueError, match="no control connection"):
        judged(one(1, 60.0, 60.0), how="faster", over=64.0, rate=60)


def test_what_the_finding_rests_on():
    real, fast = judged(one(1, 3600.0, 3600.0)), judged(controls(), one(1, 60.0, 60.0), how="faster", over=64.0, rate=60)
    assert real.silence and fast.silence
    assert (real.margin, fast.margin) == (pytest.approx(180.0), pytest.approx(3.0))
    assert [(m["id"], m["value"], m["error"]) for m in real.measurements] == [("idle-time", 3600.0, 0.001)]
    assert fast.measurements[0]["value"] == pytest.approx(3600.0) and fast.measurements[0]["error"] == 36.0
    assert fast.window[0] < one(1, 60.0, 60.0)[-1]["t"] + 60_000_000_000 < fast.window[1]


def test_sessions_that_never_stood_say_nothing():
    dead = session("user2", "ts1", 2, echoes={"begin": False, "end": False}, to_client=LAST, at_server=LAST)
    assert judged(dead, one(1, 3600.0, 3600.0), unserved("user3", "closed", -5.0, label="held")).verdict is Verdict.BLOCKED
    assert judged(one(1, 3600.0, 3600.0), one(3, 3600.0, 3600.0), dead).verdict is Verdict.PASS


def test_a_capture_without_a_side_is_no_observation():
    events = [each for each in one(1, 3600.0, 3600.0) if each.get("link") != "ts1:eth0"]
    with pytest.raises(ValueError, match="does not hold both connections"):
        judged(events)
