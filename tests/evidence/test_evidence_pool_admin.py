"""OCS-ADMIN-01 and -02 with literal histories."""

from __future__ import annotations

import pytest
from calls_rig import pool
from evidence_rig import event

from lbcert.evidence.checks import defaults_open_nothing, page_asks_who_you_are
from lbcert.evidence.checks.pool_admin import DEFAULTS
from lbcert.verdicts import Verdict

PAGE = "10.10.2.20:7777"
LOOKED = event(0, "client", "places")


def asked(none: int | None, wrong: int | None, broken: int | None, right: int | None = 0, place: str = PAGE, path: str = "/") -> list:
    seen = {"none": none, "wrong": wrong, "broken": broken} | ({} if right == 0 else {"right": right})
    return [event(1, "client", "page", place=place, path=path, status=status, **{"with": what}) for what, status in seen.items()]


PAGES = {
    "asks": (asked(401, 401, 401, 200), PAGE, Verdict.PASS, "none status 401"),
    "turns away": (asked(403, 403, 400, 200), PAGE, Verdict.PASS, "broken status 400"),
    "open": (asked(200, 200, 200, 200), PAGE, Verdict.FAIL, "opened without credentials (status 200)"),
    "takes any": (asked(401, 200, 401, 200), PAGE, Verdict.FAIL, "opened with wrong credentials"),
    "leads on": (asked(302, 401, 401, 200), PAGE, Verdict.FAIL, "opened without credentials (status 302)"),
    "broken header opens": (asked(401, 401, 200, 200), PAGE, Verdict.FAIL, "opened with a broken header"),
    "right ones do not open": (asked(401, 401, 401, 401), PAGE, Verdict.FAIL, "do not open it (status 401)"),
    "nobody there": (asked(None, None, None, None), PAGE, Verdict.FAIL, "do not open it (no answer)"),
    "open elsewhere": ([*asked(503, 503, 503), *asked(200, 200, 200, path="/haproxy?stats")], None, Verdict.FAIL,
                       PAGE + "/haproxy?stats: opened without credentials"),
    "asks elsewhere": ([*asked(503, 503, 503, 503), *asked(401, 401, 401, 200, path="/haproxy?stats")], PAGE, Verdict.PASS, "right status 200"),
    "no page": ([], None, Verdict.PASS, "no page to open"),
    "an undeclared page": (asked(200, 200, 200), None, Verdict.FAIL, "opened without credentials"),
    "a port that speaks no HTTP": (asked(None, None, None), None, Verdict.PASS, "none no answer"),
}


@pytest.mark.parametrize("events, declared, verdict, observed", PAGES.values(), ids=PAGES.keys())
def test_page(events, declared, verdict, observed):
    finding = page_asks_who_you_are(pool(LOOKED, *events), declared)
    assert finding.verdict is verdict
    assert observed in finding.observed


def tried(opens: tuple[str, str] | None, count: int = len(DEFAULTS)) -> list:
    return [event(1, "client", "page", place=PAGE, user=user, password=password, status=200 if (user, password) == opens else 401,
                  **{"with": "default"}) for user, password in DEFAULTS[:count]]  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", [
    (tried(None), Verdict.PASS, f"{len(DEFAULTS)} attempts at {PAGE}"),
    (tried(("admin", "admin")), Verdict.NON_STRICT, f"{PAGE} opens with admin:admin"),
    ([], Verdict.PASS, "0 attempts at no page"),
], ids=["none opens", "one opens", "no page"])  # fmt: skip
def test_defaults(events, verdict, observed):
    finding = defaults_open_nothing(pool(LOOKED, *events))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_too_few_attempts_are_no_verdict():
    with pytest.raises(ValueError, match="only 3 pairs"):
        defaults_open_nothing(pool(LOOKED, *tried(None, 3)))


@pytest.mark.parametrize("check, parameters", [(page_asks_who_you_are, {"declared": None}), (defaults_open_nothing, {})])
def test_where_nobody_looked_there_is_no_verdict(check, parameters):
    with pytest.raises(ValueError, match="nobody looked"):
        check(pool(), **parameters)


def test_a_declared_page_must_have_been_asked_for():
    with pytest.raises(ValueError, match="was not asked for"):
        page_asks_who_you_are(pool(LOOKED, *asked(401, 401, 401)), PAGE)
