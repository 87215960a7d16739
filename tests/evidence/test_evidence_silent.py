"""RDP-FAIL-02 and -03: ts1 goes dark, or hangs, at second 0; the limit is 13 s."""

import pytest
from evidence_rig import CHECK, at, attempts, event, marks, served, story, unserved

from lbcert.evidence.checks import dark_server_is_left, hung_server_is_left
from lbcert.verdicts import Verdict

WINDOWS = marks(busy=13.0, quiet=15.0, end=17.0)
AFTER = [served("eve", "ts2", 13.5, label="after"), served("joe", "ts3", 14.0, label="after")]
PASS, FAIL, SOFT = Verdict.PASS, Verdict.FAIL, Verdict.NON_STRICT


def dark(*more, during=("ts2", 9.0), after=AFTER, **setup):
    first = served("ann", during[0], 0.1, took=during[1], label="during")
    return dark_server_is_left(story(event(0.0, "lab", "fault", fault="dark", server="ts1"), WINDOWS, first, *after, *more, **setup))


def hung(*more, after=AFTER, **setup):
    return hung_server_is_left(story(event(0.0, "lab", "fault", fault="hang", server="ts1"), WINDOWS, *after, *more, **setup))


DARK = {
    "within-ten-seconds": (dict(), PASS, "the slowest after 9.00 s"),
    "after-ten-seconds": (dict(during=("ts2", 10.01)), FAIL, "user ann, 0.10 s after ts1 went dark: Confirm only after 10.01 s"),
    "known-within-one-second": (dict(after=[served("eve", "ts2", 13.5, took=1.0, label="after")]), PASS, "2 of 2"),
    "known-but-slow": (dict(after=[served("eve", "ts2", 13.5, took=1.01, label="after")]), FAIL, "Confirm only after 1.01 s"),
}


@pytest.mark.parametrize("change, verdict, observed", DARK.values(), ids=DARK)
def test_users_of_a_dark_server_wait_within_limits(change, verdict, observed):
    finding = dark(**change)
    assert finding.verdict is verdict
    assert observed in finding.observed


@pytest.mark.parametrize("outcome", ["closed", "timeout", "refused"])
@pytest.mark.parametrize("label, t", [("during", 3.0), ("late", 13.0), ("after", 14.0)])
def test_a_user_without_service_is_a_failure(outcome, label, t):
    assert dark(unserved("joe", outcome, t, label=label)).verdict is FAIL


@pytest.mark.parametrize("took, verdict", [(1.0, PASS), (1.01, FAIL)])
def test_from_the_limit_on_users_are_served_at_once(took, verdict):
    assert dark(*[[one] for one in served("joe", "ts2", 13.0, took=took, label="late")]).verdict is verdict


@pytest.mark.parametrize("tried, verdict", [(2, PASS), (3, FAIL)])
def test_attempts_beyond_health_checks_are_a_failure(tried, verdict):
    assert dark(*attempts("ts1:eth0", *[13.5 + n / 10 for n in range(tried)])).verdict is verdict


def test_a_declared_detection_beyond_the_ceiling_fails():
    assert dark(check={**CHECK, "timeout": 3.5}).verdict is FAIL
    assert hung(check={**CHECK, "timeout": 3.5}).verdict is SOFT


def test_the_longest_wait_is_a_figure():
    (measured,) = dark().measurements
    assert (measured["id"], measured["value"]) == ("served-elsewhere-dark", 9.0)


HUNG = {
    "found": ((), PASS, "2 of 2 users were served after the limit"),
    "one-user-there": ((unserved("bob", "timeout", 14.5, label="after"),), SOFT, "user bob, 14.50 s after ts1 hung: no answer in 15 s"),
    "checks-only": (attempts("ts1:eth0", 13.1, 14.1, 15.1, 16.1), PASS, "2 without users, 2 with"),
    "attempts": (attempts("ts1:eth0", 13.1, 13.2, 13.3), SOFT, "ts1 never left the pool"),
}


@pytest.mark.parametrize("events, verdict, observed", HUNG.values(), ids=HUNG)
def test_a_hung_server_is_left(events, verdict, observed):
    finding = hung(*events)
    assert finding.verdict is verdict
    assert observed in finding.observed


@pytest.mark.parametrize("judged", [dark, hung])
def test_what_it_rests_on_is_told(judged):
    finding = judged()
    assert finding.window == (at(0.0), at(17.0)) and finding.margin == 1.0 and finding.silence


def test_without_visits_there_is_no_verdict():
    with pytest.raises(ValueError, match="no visit"):
        hung(after=[])


@pytest.mark.parametrize("judged, limit", [(dark, 10.0), (hung, None)])
def test_the_curve_shows_every_user_and_who_answered(judged, limit):
    timeline, curve = judged().figures
    assert (timeline["kind"], curve["kind"], curve["limit"]) == ("timeline", "answers", limit)
    assert {visit["server"] for visit in curve["visits"]} <= {"ts2", "ts3"} and all(visit["t"] >= 0 for visit in curve["visits"])
