"""Worst-of, counting, and the result of a deployment."""

from __future__ import annotations

import pytest

from lbcert.verdicts import WORST_FIRST, Result, Verdict, badness, count, result, worst

ORDER = ["fail", "harness-error", "setup-error", "blocked", "not-run", "non-strict", "waived", "unsupported",
         "measured", "pass"]


def test_the_order_is_the_contract():
    assert [str(verdict) for verdict in WORST_FIRST] == ORDER
    assert set(WORST_FIRST) == set(Verdict) and all(verdict.meaning for verdict in Verdict)


@pytest.mark.parametrize("position", range(9))
def test_each_verdict_is_worse_than_the_next(position: int):
    worse, better = ORDER[position:position + 2]
    assert worst([better, worse, better]) == worst([worse, better]) == worse


def test_the_worst_of_nothing_is_no_pass():
    assert worst([]) == Verdict.NOT_RUN


def test_an_unknown_verdict_is_refused():
    with pytest.raises(ValueError, match="passed"):
        worst(["passed"])


def test_counts_name_every_verdict():
    assert count(["pass", "pass", "fail"]) == dict.fromkeys(ORDER, 0) | {"pass": 2, "fail": 1}


def test_a_missing_variant_does_not_hide_an_interrupted_test():
    assert badness("not-run", "interrupted") < badness("not-run", "no variant short-lifetime")


NOT_OFFERED = "not-run: the feature 'proxy-v1' is not claimed"
VARIANT = "not-run: no variant short-lifetime in dut.yaml"


@pytest.mark.parametrize(("musts", "others", "expected"), [
    ("pass pass", "", "certified"),
    ("pass measured", "", "certified"),
    ("pass", "fail", "certified"),
    ("pass", "harness-error not-run", "certified"),
    ("pass fail", "", "failed"),
    ("fail harness-error", "", "failed"),
    ("fail waived", "", "failed"),
    ("pass harness-error", "", "incomplete"),
    ("pass setup-error", "", "incomplete"),
    ("pass blocked", "", "incomplete"),
    ("pass not-run", "", "incomplete"),
    ("pass not-run waived", "", "incomplete"),
    ("pass unsupported", "", "partial"),
    ("pass waived", "", "partial"),
    (f"pass|{VARIANT}", "", "partial"),
    (f"pass|{NOT_OFFERED}", "", "certified"),
    (f"pass|{NOT_OFFERED}|{VARIANT}", "", "partial"),
    (f"{NOT_OFFERED}|{NOT_OFFERED}", "", "incomplete"),
    (f"pass|{VARIANT}|not-run", "", "incomplete"),
    (f"pass|{VARIANT}|fail", "", "failed"),
    (VARIANT + "|", "", "incomplete"),
    ("unsupported waived", "", "incomplete"),
    ("measured", "", "incomplete"),
    ("", "", "incomplete"),
    ("", "pass", "certified"),
])
def test_the_result_of_a_deployment(musts: str, others: str, expected: str):
    rows = [row("MUST", word) for word in split(musts)] + [row("SHOULD", word) for word in split(others)]
    assert result(rows) == expected


def test_each_result_is_explained():
    assert all(outcome.meaning for outcome in Result)


def split(words: str) -> list[str]:
    return [word for word in (words.split("|") if "|" in words else words.split()) if word]


def row(level: str, word: str) -> dict[str, str]:
    verdict, _, reason = word.partition(": ")
    return {"level": level, "verdict": verdict, "reason": reason}
