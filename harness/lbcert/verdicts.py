"""The verdict vocabulary, the order of badness, and the result of a deployment.

Pure functions without input or output: everything that counts verdicts uses these, so that
the terminal, report.json and the HTML page cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a test, or a requirement, came to."""

    PASS = "pass"
    FAIL = "fail"
    NON_STRICT = "non-strict"
    UNSUPPORTED = "unsupported"
    MEASURED = "measured"
    BLOCKED = "blocked"
    SETUP_ERROR = "setup-error"
    HARNESS_ERROR = "harness-error"
    NOT_RUN = "not-run"
    WAIVED = "waived"

    @property
    def meaning(self) -> str:
        """One sentence for the legend of a report."""
        return _MEANING[self]


class Result(StrEnum):
    """What a deployment came to."""

    CERTIFIED = "certified"
    PARTIAL = "partial"
    INCOMPLETE = "incomplete"
    FAILED = "failed"

    @property
    def meaning(self) -> str:
        """One sentence for the legend of a report."""
        return _RESULT_MEANING[self]


#: From the worst to the best; a requirement takes the first one that any of its tests has.
WORST_FIRST: tuple[Verdict, ...] = (
    Verdict.FAIL,
    Verdict.HARNESS_ERROR,
    Verdict.SETUP_ERROR,
    Verdict.BLOCKED,
    Verdict.NOT_RUN,
    Verdict.NON_STRICT,
    Verdict.WAIVED,
    Verdict.UNSUPPORTED,
    Verdict.MEASURED,
    Verdict.PASS,
)

_RANK = {verdict: rank for rank, verdict in enumerate(WORST_FIRST)}

_MEANING = {
    Verdict.PASS: "Traffic showed what the requirement asks for.",
    Verdict.FAIL: "Traffic showed that the product does not do what the requirement asks for.",
    Verdict.NON_STRICT: "A SHOULD requirement is not met. A limitation to know about, not a failure.",
    Verdict.UNSUPPORTED: "The product declares that it does not offer this, and a probe confirmed it.",
    Verdict.MEASURED: "A figure without a judgement.",
    Verdict.BLOCKED: "Could not be judged, because a requirement that it needs failed. The reason names it.",
    Verdict.SETUP_ERROR: "The product or the lab could not be set up. Says nothing about the requirement.",
    Verdict.HARNESS_ERROR: "The suite itself went wrong. Says nothing about the product.",
    Verdict.NOT_RUN: "No test of it ran to its end. The reason says why.",
    Verdict.WAIVED: "Not met, and set aside by somebody, with a reason and an expiry date.",
}

_RESULT_MEANING = {
    Result.CERTIFIED: "Every MUST requirement of the profile was judged, those about optional features that are not claimed excepted, and none failed.",
    Result.PARTIAL: "No MUST failed, but at least one is unsupported, waived, "
                    "or lacks the variant of the configuration that its test needs.",
    Result.INCOMPLETE: "No MUST failed, but at least one was not judged, or nothing passed. "
                       "No statement about the product can be made.",
    Result.FAILED: "At least one MUST requirement failed.",
}

#: A `not-run` whose reason starts so is a gap in the deployment, not in the run.
NO_VARIANT = "no variant"


#: How the reason of a `not-run` ends whose row is about something that the deployment does not offer.
NOT_CLAIMED = "is not claimed"


def not_offered(row: Mapping[str, Any]) -> bool:
    """True for a row about something optional that the deployment does not claim: it counts for nothing."""
    return row["verdict"] == Verdict.NOT_RUN and (row.get("reason") or "").endswith(NOT_CLAIMED)


def lacks_variant(verdict: str, reason: str | None) -> bool:
    """True for a row that could not run only because the deployment offers no variant for it."""
    return verdict == Verdict.NOT_RUN and (reason or "").lower().startswith(NO_VARIANT)


def badness(verdict: str, reason: str | None = None) -> tuple[int, bool]:
    """Sort key, the worst first.

    Of two `not-run`, the missing variant is the better one: it leaves a deployment `partial`,
    and must not hide a test that was interrupted.
    """
    return _RANK[Verdict(verdict)], lacks_variant(verdict, reason)


def worst(verdicts: Iterable[str]) -> Verdict:
    """The worst of some verdicts; of none at all, `not-run`: silence is never a pass."""
    return min((Verdict(verdict) for verdict in verdicts), key=_RANK.__getitem__, default=Verdict.NOT_RUN)


def believed(verdict: str, reason: str, observed: bool, levels: Iterable[str]) -> tuple[Verdict, str]:
    """A test's verdict and reason, unless it cannot be right; then the suite is at fault, not the product.

    `observed`: whether the test recorded anything; `levels`: of the requirements that it is about.
    """
    if verdict == Verdict.PASS and not observed:
        return Verdict.HARNESS_ERROR, "the test passed without recording a single observation"
    if verdict == Verdict.NON_STRICT and "MUST" in levels:
        return Verdict.HARNESS_ERROR, f"a MUST cannot be non-strict; the test said: {reason or 'nothing'}"
    return Verdict(verdict), reason


def count(verdicts: Iterable[str]) -> dict[str, int]:
    """How many of each verdict, every verdict named."""
    counts = {verdict.value: 0 for verdict in Verdict}
    for verdict in verdicts:
        counts[Verdict(verdict).value] += 1
    return counts


_NOT_JUDGED = {Verdict.HARNESS_ERROR, Verdict.SETUP_ERROR, Verdict.BLOCKED, Verdict.NOT_RUN}
_SET_ASIDE = {Verdict.UNSUPPORTED, Verdict.WAIVED}


def result(rows: Iterable[Mapping[str, Any]]) -> Result:
    """The result of a deployment from its requirement rows (keys `level`, `verdict`, `reason`)."""
    rows = list(rows)
    musts = [(Verdict(row["verdict"]), row.get("reason")) for row in rows if row["level"] == "MUST" and not not_offered(row)]
    gaps = [lacks_variant(verdict, reason) for verdict, reason in musts]
    if any(verdict is Verdict.FAIL for verdict, _ in musts):
        return Result.FAILED
    if any(verdict in _NOT_JUDGED and not gap for (verdict, _), gap in zip(musts, gaps)):
        return Result.INCOMPLETE
    if not any(row["verdict"] == Verdict.PASS for row in rows):
        return Result.INCOMPLETE
    if any(gaps) or any(verdict in _SET_ASIDE for verdict, _ in musts):
        return Result.PARTIAL
    return Result.CERTIFIED
