"""RDP-FAIL-05: what makes each verdict of `sessions_are_cut`. ts1 goes dark at second 0; the limit is 13 s."""

import pytest
from evidence_rig import CHECK, at, attempts, event, marks, served, story, unserved

from lbcert.evidence.checks import sessions_are_cut
from lbcert.verdicts import Verdict

DARK = event(0.0, "lab", "fault", fault="dark", server="ts1")
WINDOWS = marks(busy=13.0, quiet=15.0, end=17.0)
PORTS = {"ann": 40001, "bob": 40002, "eve": 40003}
HELD = [
    served("ann", "ts1", -5.0, label="held", held=True, port=40001),
    served("bob", "ts1", -5.0, label="held", held=True, port=40002),
    served("eve", "ts2", -5.0, label="held", held=True, port=40003),
]
AFTER = [served("joe", "ts2", 15.5, label="after")]


def closed(user: str, t: float, key: str = "fin_to_client", link: str = "client:eth0", source: str = "10.1.0.1"):
    """The balancer closes a session towards its client, as captured."""
    return event(-5.0, "capture", "flow", link=link, client=source, cport=PORTS[user], **{key: at(t)})


def judged(*events, held=HELD, after=AFTER, fault="dark", **setup):
    return sessions_are_cut(story(DARK, WINDOWS, *held, *after, *events, **setup), fault=fault)


BOTH = [closed("ann", 9.0), closed("bob", 12.0)]

CASES = {
    "in-time": (BOTH, Verdict.PASS, "2 of 2 sessions on ts1 were closed, between 9.00 and 12.00 s after the fault"),
    "by-reset": ([closed("ann", 9.0, "rst_to_client"), closed("bob", 9.0)], Verdict.PASS, "2 of 2"),
    "at-the-limit": ([BOTH[0], closed("bob", 13.0)], Verdict.PASS, "2 of 2"),
    "late": ([BOTH[0], closed("bob", 13.01)], Verdict.NON_STRICT, "user bob: closed only after 13.01 s"),
    "one-never": (BOTH[:1], Verdict.NON_STRICT, "user bob: the session was never closed"),
    "none": ([], Verdict.NON_STRICT, "0 of 2 sessions on ts1 were closed"),
    "another-servers-session-cut": ([*BOTH, closed("eve", 9.5)], Verdict.NON_STRICT, "user eve on ts2: cut 9.50 s after ts1 died"),
    "another-servers-session-cut-before": ([*BOTH, closed("eve", -1.0)], Verdict.PASS, "2 of 2"),
    "closed-towards-the-server-only": ([BOTH[0], closed("bob", 9.0, link="ts1:eth0")], Verdict.NON_STRICT, "bob: the session was never"),
    "another-clients-close": ([BOTH[0], closed("bob", 9.0, source="10.1.0.2")], Verdict.NON_STRICT, "bob: the session was never closed"),
}


@pytest.mark.parametrize("events, verdict, observed", CASES.values(), ids=CASES.keys())
def test_sessions_are_cut(events, verdict, observed):
    finding = judged(*events)
    assert finding.verdict is verdict
    assert observed in finding.observed


@pytest.mark.parametrize(
    "change, reason",
    [
        (dict(events=attempts("ts1:eth0", 13.1, 13.2, 13.3)), "ts1 was never taken out of the pool"),
        (dict(events=[unserved("joe", "timeout", 15.6, label="after")]), "1 of 2 users got no service after the detection limit"),
        (dict(held=HELD[2:]), "no user could hold a session on ts1, which RDP-PERSIST-01 is about"),
        (dict(held=[unserved("ann", "closed", -5.0, label="held")]), "no user could hold a session on ts1"),
    ],
    ids=["still-in-the-pool", "no-service", "nobody-on-it", "nobody-at-all"],
)
def test_what_cannot_be_told_apart_is_blocked(change, reason):
    finding = judged(*change.pop("events", []), **change)
    assert finding.verdict is Verdict.BLOCKED
    assert reason in finding.reason


def test_a_single_cut_shows_that_it_noticed():
    assert judged(closed("ann", 9.0), *attempts("ts1:eth0", 13.1, 13.2, 13.3)).verdict is Verdict.NON_STRICT


def test_a_declared_detection_beyond_the_ceiling_does_not_count():
    finding = judged(*BOTH, check={**CHECK, "inter": 4.0, "timeout": 1.1})
    assert finding.verdict is Verdict.NON_STRICT
    assert finding.reason == "the declared detection of 15.3 s is beyond the ceiling of 15 s"


def test_the_longest_cut_is_a_figure():
    (measured,) = judged(*BOTH).measurements
    assert (measured["id"], measured["value"], measured["unit"]) == ("session-cut-dark", 12.0, "s")


def test_what_it_rests_on_is_told():
    finding = judged(*BOTH)
    assert finding.window == (at(0.0), at(13.0)) and finding.margin == 1.0 and finding.silence
