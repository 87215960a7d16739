"""RDP-PERSIST-04, -05: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import ended, served, story, unserved

from lbcert.evidence.checks import lifetime_is_kept, session_outlives_lifetime
from lbcert.verdicts import Verdict

FOUR = 4.0
ABSENT = 24
"""users who stay away; by chance at most 23 of them are on their server again (two servers, 1e-6)"""


def absent(back: int, label: str = "away", t: float = 6.0):
    """24 users who stayed away, `back` of whom are on their server again."""
    events = []
    for number in range(ABSENT):
        home = ("ts1", "ts2")[number % 2]
        other = ("ts2", "ts1")[number % 2]
        events += served(f"away{number}", home, 0.0, label=label)
        events += served(f"away{number}", home if number < back else other, t, label=f"{label} again")
    return events


def session(user: str, server: str, back: str | None, lasted: float = 6.1, how: str = "left"):
    first = served(user, server, 0.0, label="held", held=True)
    again = served(user, back, 6.3, label="held again") if back else [unserved(user, "reset", 6.3, label="held again")]
    return [*first, ended(first, lasted, how), *again]


KEPT = [*session("ann", "ts1", "ts1"), *session("bob", "ts2", "ts2")]
OUTLIVES = {
    "kept": (KEPT, 6, FOUR, Verdict.PASS, "2 of 2 users were back on their server after a session of 6 s; 6 of 24"),
    "moved": ([*KEPT, *session("eve", "ts1", "ts2")], 6, FOUR, Verdict.FAIL, "user eve was on ts1, then on ts2"),
    "not served": ([*KEPT, *session("eve", "ts1", None)], 6, FOUR, Verdict.FAIL, "reset without an answer"),
    "closed": ([*KEPT, *session("eve", "ts1", "ts1", 4.0, "closed")], 6, FOUR, Verdict.FAIL, "was closed after 4.0 s"),
    "lifetime not in force": (KEPT, 24, FOUR, Verdict.BLOCKED, "the variant's lifetime of 4 s is not in force: 24 of 24"),
    "in force as far as chance can tell": (KEPT, 23, FOUR, Verdict.PASS, "23 of 24"),
    "moved, lifetime not in force": ([*KEPT, *session("eve", "ts1", "ts2")], 24, FOUR, Verdict.FAIL, "user eve"),
    "for ever": (KEPT, 24, None, Verdict.PASS, "24 of 24"),
    "for ever, but absent ones forgotten": (KEPT, 23, None, Verdict.FAIL, "user away23 was on ts2, then on ts1"),
    "all on one": ([*session("ann", "ts1", "ts1")], 6, FOUR, Verdict.BLOCKED, "all 1 users are on one server"),
}


@pytest.mark.parametrize("events, back, lifetime, verdict, observed", OUTLIVES.values(), ids=OUTLIVES.keys())
def test_session_outlives_lifetime(events, back, lifetime, verdict, observed):
    history = story(*events, *absent(back), servers=("ts1", "ts2"))
    finding = session_outlives_lifetime(history, lifetime=lifetime, held=6.0)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_a_session_that_we_ended_too_soon_is_no_verdict():
    history = story(*KEPT, *session("eve", "ts1", "ts1", 5.9), *absent(6), servers=("ts1", "ts2"))
    with pytest.raises(ValueError, match="lasted 5.9 s, not 6"):
        session_outlives_lifetime(history, lifetime=FOUR, held=6.0)


@pytest.mark.parametrize("events", [[], KEPT, absent(6)], ids=["none", "nobody away", "nobody held"])
def test_histories_without_one_of_the_groups_are_no_verdict(events):
    with pytest.raises(ValueError, match="the history holds no visit"):
        session_outlives_lifetime(story(*events), lifetime=FOUR, held=6.0)


def returns(user: str, *servers: str, times=(0.0, 3.6, 7.2)):
    labels = ("first", "second", "third")
    return [event for server, label, t in zip(servers, labels, times, strict=True)
            for event in (served(user, server, t, label=label) if server else [unserved(user, "closed", t, label=label)])]


BACK = [*returns("ann", "ts1", "ts1", "ts1"), *returns("bob", "ts2", "ts2", "ts2")]
HOURS = {"timer": 28800}
SHARED = {
    "kept": (BACK, HOURS, 6, FOUR, Verdict.PASS, "4 of 4 reconnections reached the user's server"),
    "no lifetime": (BACK, {"timer": "none"}, 24, None, Verdict.PASS, "declared lifetime: none"),
    "none declared": (BACK, {}, 6, FOUR, Verdict.NON_STRICT, "no lifetime is declared"),
    "too short": (BACK, {"timer": 28799}, 6, FOUR, Verdict.NON_STRICT, "the declared lifetime is 8 h, and"),
    "an hour": (BACK, {"timer": 3600}, 6, FOUR, Verdict.NON_STRICT, "the declared lifetime is 1 h"),
    "moved": ([*BACK, *returns("eve", "ts1", "ts2", "ts2")], HOURS, 6, FOUR, Verdict.NON_STRICT, "then on ts2 (second)"),
    "moved later": ([*BACK, *returns("eve", "ts1", "ts1", "ts2")], HOURS, 6, FOUR, Verdict.NON_STRICT, "then on ts2 (third)"),
    "not served": ([*BACK, *returns("eve", "ts1", "", "ts1")], HOURS, 6, FOUR, Verdict.NON_STRICT, "closed without an answer"),
    "not in force": (BACK, HOURS, 24, FOUR, Verdict.BLOCKED, "not in force"),
    "for ever, but forgotten": (BACK, {"timer": "none"}, 6, None, Verdict.NON_STRICT, "(away again)"),
}  # fmt: skip


@pytest.mark.parametrize("events, declared, back, lifetime, verdict, observed", SHARED.values(), ids=SHARED.keys())
def test_lifetime_is_kept(events, declared, back, lifetime, verdict, observed):
    history = story(*events, *absent(back, t=7.2), servers=("ts1", "ts2"), persistence=declared)
    finding = lifetime_is_kept(history, lifetime=lifetime, share=0.9)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_who_comes_too_late_does_not_count():
    many = [event for n in range(9) for event in returns(f"user{n}", *[("ts1", "ts2")[n % 2]] * 3)]
    late = returns("late", "ts1", "ts2", "ts1", times=(0.0, 3.95, 7.2))
    history = story(*many, *late, *absent(6, t=7.2), servers=("ts1", "ts2"), persistence=HOURS)
    finding = lifetime_is_kept(history, lifetime=FOUR, share=0.9)
    assert (finding.verdict, finding.observed[:8]) == (Verdict.PASS, "18 of 18")


def test_a_machine_too_slow_is_no_verdict():
    late = [event for n in range(5) for event in returns(f"user{n}", "ts1", "ts2", "ts1", times=(0.0, 3.95, 8.0))]
    history = story(*BACK, *late, *absent(6, t=7.2), servers=("ts1", "ts2"), persistence=HOURS)
    assert lifetime_is_kept(history, lifetime=FOUR, share=0.9).verdict is Verdict.HARNESS_ERROR
