"""OCS-AFF-03 with literal histories: a lifetime of 4 s, returns after 3 s."""

from __future__ import annotations

import pytest
from calls_rig import answered, pool, syn, unanswered
from evidence_rig import event

from lbcert.evidence.checks import affinity_lasts, half_an_hour_is_remembered, many_are_remembered
from lbcert.verdicts import Verdict

RETURNS = ["second", "third"]
COUNT = 30


def home(number: int, turn: int = 0) -> str:
    return f"fe{(number + turn) % 3 + 1}"


def visits(label: str, t: float, count: int = COUNT, stem: str = "10.1.0", turn: int = 0, took: float = 0.01) -> list:
    calls = [answered(f"{stem}.{n}", "sip", home(n, turn if n % 3 else 0), t, label=label, took=took) for n in range(count)]
    return [*calls, *(syn(call, t, data_to_server=t + 0.001) for call in calls)]


def story(second: list, third: list, again: list) -> list:
    return [*visits("first", 0), *visits("away", 0, stem="10.9.0"), *second, *third, *again]


GONE = visits("away again", 9, stem="10.9.0", turn=1)
STILL = visits("away again", 9, stem="10.9.0")
KEPT = visits("second", 3), visits("third", 6)
HALF_HOUR, NEVER = {"timer": 1800}, {"timer": "none"}

STORIES = {
    "renewed": (story(*KEPT, GONE), HALF_HOUR, 4.0, Verdict.PASS, "60 of 60 returns"),
    "moved at once": (story(visits("second", 3, turn=1), visits("third", 6), GONE), HALF_HOUR, 4.0, Verdict.FAIL, "(second)"),
    "not renewed": (story(KEPT[0], visits("third", 6, turn=1), GONE), HALF_HOUR, 4.0, Verdict.FAIL, "(third)"),
    "not answered": (story([*visits("second", 3), unanswered("10.1.0.1", "sip", "closed", 3, label="second")], KEPT[1], GONE),
                     HALF_HOUR, 4.0, Verdict.FAIL, "second: closed"),
    "late through us": (story(visits("second", 5, turn=1), visits("third", 8), GONE), HALF_HOUR, 4.0, Verdict.HARNESS_ERROR, "too slow"),
    "one late through us": (story([*visits("second", 3, count=29),
                                   call := answered("10.1.0.29", "sip", "fe1", 5, label="second"), syn(call, 5, data_to_server=5)],
                                  visits("third", 6), GONE), HALF_HOUR, 4.0, Verdict.PASS, "58 of 58"),
    "slow product": (story(visits("second", 3, took=2), visits("third", 6), GONE), HALF_HOUR, 4.0, Verdict.PASS, "60 of 60"),
    "not in force": (story(*KEPT, STILL), HALF_HOUR, 4.0, Verdict.BLOCKED, "lifetime of 4 s is not in force: 30 of 30"),
    "ten minutes": (story(*KEPT, GONE), {"timer": 600}, 4.0, Verdict.FAIL, "the declared lifetime is 600 s"),
    "undeclared": (story(*KEPT, GONE), {}, 4.0, Verdict.FAIL, "no lifetime is declared"),
    "for ever": (story(*KEPT, STILL), NEVER, None, Verdict.PASS, "declared lifetime: none"),
    "for ever, and forgets": (story(*KEPT, GONE), NEVER, None, Verdict.FAIL, "was forgotten"),
}  # fmt: skip


@pytest.mark.parametrize("events, persistence, lifetime, verdict, observed", STORIES.values(), ids=STORIES.keys())
def test_lifetime(events, persistence, lifetime, verdict, observed):
    finding = affinity_lasts(pool(*events, persistence=persistence), lifetime, RETURNS)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_all_on_one_front_end_tell_nothing():
    events = [answered(f"10.1.0.{n}", "sip", "fe1", t, label=label)
              for label, t in (("first", 0), ("away", 0), ("second", 3), ("third", 6), ("away again", 9)) for n in range(9)]  # fmt: skip
    assert affinity_lasts(pool(*events, persistence=HALF_HOUR), 4.0, RETURNS).verdict is Verdict.BLOCKED


@pytest.mark.parametrize("missing", ["first", "second", "third", "away", "away again"])
def test_without_one_of_the_groups_there_is_no_verdict(missing):
    events = [one for one in story(*KEPT, GONE) if not isinstance(one, list) or one[-1]["label"] != missing]
    with pytest.raises(ValueError, match="the history holds no call"):
        affinity_lasts(pool(*events, persistence=HALF_HOUR), 4.0, RETURNS)


def half_an_hour(*back: list, how: str = "real"):
    """Clients come at 0 and again later, in real time, whose clock needs no control listeners."""
    pace = event(-6.0, "harness", "pace", how=how, span=1710.0 if how == "real" else 3.2, rate=1)
    return half_an_hour_is_remembered(pool(pace, *visits("came", 0), *(one for each in back for one in each), persistence=HALF_HOUR))


HALF_HOURS = {
    "remembered": (visits("came back", 1620), "real", Verdict.PASS, "30 of 30 clients who came back were on their Front End, 27 min"),
    "forgotten": (visits("came back", 1620, turn=1), "real", Verdict.FAIL, "27 min later then on"),
    "turned away": ([*visits("came back", 1620, count=29), unanswered("10.1.0.29", "sip", "closed", 1620, label="came back")], "real",
                    Verdict.FAIL, "27 min later closed without an answer"),
    "late through us": (visits("came back", 1790, turn=1), "real", Verdict.HARNESS_ERROR, "only 0 of 30"),
    "a short one, on the variant": (visits("came back", 3), "variant", Verdict.PASS, "30 of 30"),
    "a short one, late through us": (visits("came back", 4, turn=1), "variant", Verdict.HARNESS_ERROR, "only 0 of 30"),
}  # fmt: skip


@pytest.mark.parametrize("back, how, verdict, observed", HALF_HOURS.values(), ids=HALF_HOURS.keys())
def test_half_an_hour(back, how, verdict, observed):
    finding = half_an_hour(back, how=how)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_half_an_hour_of_clients_on_one_front_end_tells_nothing():
    came = [answered(f"10.1.0.{n}", "sip", "fe1", t, label=label) for label, t in (("came", 0), ("came back", 1620)) for n in range(9)]
    pace = event(-6.0, "harness", "pace", how="real", span=1710.0, rate=1)
    assert half_an_hour_is_remembered(pool(pace, *came, persistence=HALF_HOUR)).verdict is Verdict.BLOCKED


def test_without_clients_who_come_back_there_is_no_verdict():
    with pytest.raises(ValueError, match="call came back"):
        half_an_hour([])


MANY = {
    "remembered": ((), Verdict.PASS, "of 60 clients who came back were on their Front End, with 60 clients known"),
    "forgotten": (("10.1.0.0",), Verdict.FAIL, "then on fe"),
}


@pytest.mark.parametrize("moved, verdict, observed", MANY.values(), ids=MANY)
def test_many_clients(moved, verdict, observed):
    came = [answered(f"10.1.0.{n}", "sip", f"fe{n % 3 + 1}", label="came") for n in range(60)]
    back = [answered(f"10.1.0.{n}", "sip", f"fe{(n + (f'10.1.0.{n}' in moved)) % 3 + 1}", 9, label="came back") for n in range(60)]
    finding = many_are_remembered(pool(*came, *back))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


def test_many_clients_on_one_front_end_tell_nothing():
    calls = [answered(f"10.1.0.{n}", "sip", "fe1", t, label=label) for t, label in ((0, "came"), (9, "came back")) for n in range(60)]
    assert many_are_remembered(pool(*calls)).verdict is Verdict.BLOCKED
