"""RDP-FAIL-04 and -08: health checks as literals. `check` and `user` are connections to ts1 with all that is known of them."""

import itertools

import pytest
from evidence_rig import CHECK, at, attempts, event, marks, packet, served, story, unserved

from lbcert.evidence.checks import checks_are_harmless, rise_is_respected
from lbcert.verdicts import Verdict

PASS, SOFT, FAIL, BLOCKED = Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL, Verdict.BLOCKED
END = event(60.0, "harness", "mark", name="end")
_ports = itertools.count(30000)


def connection(t, *reports, server="ts1", **flow):
    """A connection to a server: its flow (seconds since its SYN), and what the application reported of it."""
    port = next(_ports)
    times = {key: at(t + value) for key, value in flow.items()}
    link = event(t, "capture", "flow", link=f"{server}:eth0", client="10.0.0.9", cport=port, server="10.0.0.1", syn=at(t), **times)
    told = [event(t + 0.001 * n, server, kind, conn=port, **facts) for n, (kind, facts) in enumerate(reports, start=1)]
    return [*told, link]


ACCEPT = ("accept", {"peer": None})


def accepted(t, *reports, **flow):
    events = connection(t, ACCEPT, *reports, **flow)
    events[0]["peer"] = ["10.0.0.9", events[-1]["cport"]]
    return events


def request(data=b"valid", rest=0, **more):
    return ("request", {"bytes": data.hex(), "rest": rest, **more})


def close(how="closed", **more):
    return ("close", {"how": how, **more})


HALF_OPEN = dict(synack=0.0001, rst_to_server=0.0002)
FIN = dict(synack=0.0001, fin_to_server=0.001, fin_to_client=0.002)
ASKED = dict(synack=0.0001, data_to_server=0.001, data_to_client=0.002)

KINDS = {
    "over-before-it-stood": (lambda t: connection(t, **HALF_OPEN), None),
    "refused": (lambda t: connection(t, rst_to_client=0.0001), None),
    "closed-in-order": (lambda t: accepted(t, close(unanswered=""), **FIN), None),
    "a-valid-request": (lambda t: accepted(t, request(), close(), **ASKED, fin_to_server=0.003), None),
    "a-valid-request-then-reset": (lambda t: accepted(t, request(), close("reset"), **ASKED, rst_to_server=0.003), None),
    "reset-before-the-answer": (lambda t: accepted(t, request(), close("reset"), synack=0.0001, data_to_server=0.001,
                                                   rst_to_server=0.0015, data_to_client=0.002), "before the server has answered"),
    "reset-without-a-byte": (lambda t: accepted(t, close("reset", unanswered=""), synack=0.0001, rst_to_server=0.002),
                             "it resets the connection without a byte"),
    "server-closes-then-reset": (lambda t: accepted(t, request(malformed="no TPKT"), close(), **ASKED, fin_to_client=0.003,
                                                    rst_to_server=0.004), "cannot read its first packet (no TPKT"),
    "half-a-request": (lambda t: accepted(t, close(unanswered="0300"), **ASKED, fin_to_server=0.003), "it leaves after 0300"),
    "bytes-then-gone": (lambda t: accepted(t, **ASKED, rst_to_server=0.003), "it leaves after some bytes"),
    "talks-on": (lambda t: accepted(t, request(rest=5), close(), **ASKED, fin_to_server=0.003), "5 bytes follow its request"),
    "left-open": (lambda t: accepted(t, synack=0.0001), "its connection is never closed"),
}  # fmt: skip


@pytest.mark.parametrize("make, fault", KINDS.values(), ids=KINDS)
def test_one_kind_of_check(make, fault):
    finding = checks_are_harmless(story(END, *[make(float(t)) for t in range(3)]), wanted=3)
    assert finding.verdict is (PASS if fault is None else SOFT)
    assert (fault or "") in finding.observed


def test_one_bad_check_among_good_ones_is_seen():
    good = [connection(float(t), **HALF_OPEN) for t in range(19)]
    finding = checks_are_harmless(story(END, *good, KINDS["half-a-request"][0](30.0)), wanted=20)
    assert finding.verdict is SOFT
    assert "20 health checks: 19 over before the handshake was, 1 cut short" in finding.observed


def test_a_check_under_way_at_the_end_is_no_fault():
    good = [connection(float(t), **HALF_OPEN) for t in range(3)]
    assert checks_are_harmless(story(END, *good, accepted(57.5, synack=0.0001)), wanted=3).verdict is PASS


@pytest.mark.parametrize("seen", [0, 2])
def test_too_few_checks_are_not_judged(seen):
    finding = checks_are_harmless(story(END, *[connection(float(t), **HALF_OPEN) for t in range(seen)]), wanted=3)
    assert (finding.verdict, finding.reason[:6]) == (BLOCKED, f"only {seen}")


PASSIVE = {**CHECK, "kind": "passive", "rise": 1}


@pytest.mark.parametrize(
    "checks, verdict, reason",
    [([], Verdict.UNSUPPORTED, "declares no health check of its own (kind: passive), and none was seen in 70.0 s"),
     ([connection(5.0, **HALF_OPEN)], BLOCKED, "only 1 of 3"),
     ([connection(float(t), **HALF_OPEN) for t in range(3)], PASS, ""),
     (accepted(5.0, close("reset", unanswered=""), synack=0.0001, rst_to_server=0.002), SOFT, "it resets")],
    ids=["none", "one", "harmless", "rude"],
)  # fmt: skip
def test_where_no_check_is_declared_none_is_confirmed_by_traffic(checks, verdict, reason):
    finding = checks_are_harmless(story(END, *checks, check=PASSIVE), wanted=3)
    assert finding.verdict is verdict
    assert reason in finding.reason


# -- RDP-FAIL-08: ts1 refuses at second 0; the windows end at 11; it returns at 20, 24, and 30 for good. rise is 2.

WINDOWS = [*marks(busy=7.0, quiet=9.0, end=11.0), *served("eve", "ts2", 7.5, label="after")]


def fault(t):
    return event(t, "lab", "fault", fault="refuse", server="ts1")


def back(t):
    return [event(t, "harness", "mark", name="flap"), event(t, "lab", "restore", fault="refuse", server="ts1")]


def user(name, t):
    """A new user on ts1, as captured and as both ends tell it."""
    flow = accepted(t, request(packet(name)), **ASKED, fin_to_server=0.003)
    visit = served(name, "ts1", t, label="flap", conn=flow[-1]["cport"])
    return [*flow, visit[-1]]


def good(t):
    return connection(t, **HALF_OPEN)


def bad(t):
    return connection(t, rst_to_client=0.0001)


ELSEWHERE = [served(f"u{n}", "ts2", start + n / 10, label="flap") for start in (21.1, 25.1) for n in range(5)]
STORY = {20.0: back(20.0), 21.0: good(21.0), 22.0: fault(22.0), 23.0: bad(23.0), 24.0: back(24.0), 25.0: good(25.0), 26.0: fault(26.0),
         27.0: bad(27.0), 30.0: back(30.0), 31.0: good(31.0), 33.0: good(33.0), 34.0: user("fay", 34.0)}  # fmt: skip


def flapped(change=None, elsewhere=ELSEWHERE, **setup):
    told = {**STORY, **(change or {})}
    return rise_is_respected(story(fault(0.0), WINDOWS, *[told[t] for t in sorted(told) if told[t]], *elsewhere, **setup))


FLAPS = {
    "waits": ({}, PASS, "ts1 returned 2 times for fewer than 2 good checks, with 10 users after the last of them"),
    "user-in-a-flap": ({21.5: user("joe", 21.5)}, FAIL, "user joe reached ts1, return 1, after 1 good checks of 2"),
    "user-in-the-second": ({25.5: user("joe", 25.5)}, FAIL, "user joe reached ts1, return 2, after 1 good checks of 2"),
    "user-before-any-check": ({30.5: user("joe", 30.5)}, FAIL, "user joe reached ts1, return 3, after 0 good checks of 2"),
    "user-after-one": ({32.0: user("joe", 32.0)}, FAIL, "return 3, after 1 good checks of 2"),
    "a-bad-check-between": ({32.0: bad(32.0)}, FAIL, "user fay reached ts1, return 3, after 1 good checks of 2"),
    "never-used": ({34.0: None}, FAIL, "no user reached ts1 after it had returned for good"),
    "used-late": ({34.0: None, 39.1: user("fay", 39.1)}, FAIL, "the first user reached ts1 only 9.10 s after"),
    "a-flap-of-two-checks": ({21.5: good(21.5), 21.8: user("joe", 21.8)}, BLOCKED, "ts1 returned 1 times"),
    "no-checks-in-flaps": ({21.0: None, 25.0: None}, BLOCKED, "ts1 returned 0 times"),
}


@pytest.mark.parametrize("change, verdict, observed", FLAPS.values(), ids=FLAPS)
def test_a_returned_server_waits(change, verdict, observed):
    finding = flapped(change)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_without_users_nothing_can_be_said():
    assert flapped(elsewhere=ELSEWHERE[:8]).verdict is BLOCKED


def test_where_checks_ask_only_answers_count():
    """A second connection after each check, without a byte, makes no good check more."""
    told = {t: [connection(t, **ASKED, fin_to_server=0.003), connection(t + 0.1, **HALF_OPEN)] for t in (21.0, 25.0, 31.0, 33.0)}
    flat = {t: [one for each in events for one in each] for t, events in told.items()}
    assert flapped(flat).verdict is PASS
    finding = flapped({**flat, 33.0: connection(33.0, **HALF_OPEN)})
    assert (finding.verdict, finding.reason) == (FAIL, "user fay reached ts1, return 3, after 1 good checks of 2")


def test_a_rise_of_one_needs_no_flaps():
    told = [back(30.0), good(31.0), user("fay", 31.5)]
    finding = rise_is_respected(story(fault(0.0), WINDOWS, *told, check={**CHECK, "rise": 1}))
    assert finding.verdict is PASS


def test_the_last_user_counts_whose_connection_opens_after_the_visit_began():
    """A product that tries a dead server with a user: nobody comes after the one who reached it."""
    *flow, visit = user("joe", 30.501)
    told = [back(30.0), *flow, {**visit, "started": at(30.5)}]
    finding = rise_is_respected(story(fault(0.0), WINDOWS, *told, check=PASSIVE))
    assert (finding.verdict, finding.reason) == (FAIL, "user joe reached ts1, return 1, after 0 good checks of 1")


@pytest.mark.parametrize(
    "more", [attempts("ts1:eth0", 7.1, 7.2, 7.3), [unserved("joe", "closed", 7.5, label="after")]], ids=["tried", "no-service"]
)
def test_a_server_that_never_left_cannot_return(more):
    finding = rise_is_respected(story(fault(0.0), WINDOWS, *more, *[events for events in STORY.values()], *ELSEWHERE))
    assert finding.verdict is BLOCKED
