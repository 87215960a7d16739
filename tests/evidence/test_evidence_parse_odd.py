"""RDP-PARSE-05, -08 and -09: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import at, event, served, story, unserved

from lbcert.evidence.checks import correlation_info_is_no_cookie, request_is_not_held, token_and_cookie_give_one_result
from lbcert.verdicts import Verdict
from lbcert.wire import ConnectionRequest, encode_token


def prompt(vector, took, port):
    """A visit, and the same as captured on the clients' link; the visit's own stamps say nothing here."""
    link = event(0, "capture", "flow", link="client:eth0", client="10.1.0.1", cport=port, data_to_server=at(0.1), data_to_client=at(0.1 + took))
    return [*served(None, "ts1", label=vector, port=port), link]


NOT_HELD = {
    "at-once": ([*prompt("CR-03", 0.01, 1), *prompt("CR-10", 1.0, 2)], Verdict.PASS, "2 of 2 requests were answered at once"),
    "held": ([*prompt("CR-03", 0.01, 1), *prompt("CR-10", 5.0, 2)], Verdict.NON_STRICT, "1 of 2 requests were answered at once. CR-10: held for 5.00 s"),
    "sometimes-held": ([*prompt("CR-03", 0.01, 1), *prompt("CR-03", 1.01, 2)], Verdict.NON_STRICT, "CR-03: held for 1.01 s"),
    "held-beyond-patience": ([*prompt("CR-03", 0.01, 1), unserved(None, "timeout", label="CR-10")], Verdict.NON_STRICT, "CR-10: no answer in 15 s"),
    "refused": ([*prompt("CR-03", 0.01, 1), unserved(None, "closed", label="CR-10")], Verdict.BLOCKED,
                "CR-10 got no service, which RDP-PARSE-01 and -04 are about"),
    "held-goes-before-refused": ([*prompt("CR-03", 2.0, 1), unserved(None, "closed", label="CR-10")], Verdict.NON_STRICT, "CR-03: held"),
}


@pytest.mark.parametrize("events, verdict, observed", NOT_HELD.values(), ids=NOT_HELD.keys())
def test_request_is_not_held(events, verdict, observed):
    finding = request_is_not_held(story(events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding.observed


ADDRESSES = {name: [[f"192.168.0.1{number}", 3389]] for number, name in enumerate(("ts1", "ts2", "ts3"), 1)}


def both(user, order, server, times=20, token_of="ts2"):
    token = encode_token(*ADDRESSES[token_of][0])
    sent = ConnectionRequest(cookie=user.encode(), routing_token=token, cookie_first=order == "cookie first").encode()
    return [one for _ in range(times) for one in served(user, server, label=order, sent=sent)]


HOMES = [*served("ann", "ts1", label="cookie alone"), *served("bob", "ts3", label="cookie alone")]
COOKIE = [*both("ann", "cookie first", "ts1"), *both("bob", "cookie first", "ts3")]
ONE_RESULT = {
    "the-cookie": ([*COOKIE, *both("ann", "token first", "ts1"), *both("bob", "token first", "ts3")], Verdict.PASS,
                   "token first: the cookie wins; cookie first: the cookie wins"),
    "the-first": ([*COOKIE, *both("ann", "token first", "ts2"), *both("bob", "token first", "ts2")], Verdict.PASS,
                  "token first: the token wins; cookie first: the cookie wins"),
    "a-third-server": ([*COOKIE, *both("ann", "token first", "ts3"), *both("bob", "token first", "ts1")], Verdict.PASS,
                       "token first: one server each, but neither of the two names it; cookie first: the cookie wins"),
    "one-of-twenty": ([*COOKIE, *both("ann", "token first", "ts1", 19), *both("ann", "token first", "ts2", 1),
                       *both("bob", "token first", "ts3")], Verdict.NON_STRICT, "token first: 1 of 2 users were not always on one server "
                      "(ann: ts1 19 times, ts2 1 times)"),
    "a-rule-for-each-user": ([*COOKIE, *both("ann", "token first", "ts1"), *both("bob", "token first", "ts2")], Verdict.PASS,
                             "token first: one server each, but neither of the two names it"),
    "refused": ([*COOKIE, *both("bob", "token first", "ts3"), unserved("ann", "reset", label="token first", sent=bytes.fromhex(
        both("ann", "token first", "ts1", 1)[1]["sent"]))], Verdict.NON_STRICT, "token first, user ann: reset without an answer"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", ONE_RESULT.values(), ids=ONE_RESULT.keys())
def test_token_and_cookie_give_one_result(events, verdict, observed):
    history = story(HOMES, events)
    history.events[0]["addresses"] = ADDRESSES
    finding = token_and_cookie_give_one_result(history, visits_each=20)
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding.observed


def correlation(users=(), control=("ts1", "ts2"), info=("ts1", "ts2")):
    """`users`: where each of ann's requests with correlation info went; the servers of clients without a name."""
    return [served("ann", "ts1", label="plain"), [one for server in users for one in served("ann", server, label="correlated")],
            [one for server in control for one in served(None, server, label="control")],
            [one for server in info for one in served(None, server, label="info")]]  # fmt: skip


NO_COOKIE = {
    "followed": (correlation(["ts1", "ts1"]), Verdict.PASS, "2 of 2 requests of 1 users reached the user's server; info: ts1 1, ts2 1, ts3 0"),
    "lost-once": (correlation(["ts1", "ts2"]), Verdict.FAIL, "user ann, with correlation info: ts2 instead of ts1"),
    "not-served": ([*correlation(["ts1"]), unserved("ann", "closed", label="correlated")], Verdict.FAIL,
                   "user ann, with correlation info: closed without an answer"),
    "nameless-on-one": (correlation(["ts1"], info=["ts2"] * 30), Verdict.FAIL, "info: all 30 clients without a name were sent to ts2"),
    "nameless-refused": ([*correlation(["ts1"]), unserved(None, "closed", label="info")], Verdict.FAIL, "1 of 3 clients without a name"),
    "nameless-are-never-balanced": (correlation(["ts1"], control=["ts2"] * 30, info=["ts2"] * 30), Verdict.BLOCKED, "RDP-PERSIST-10 is about"),
    "lost-goes-before-blocked": (correlation(["ts3"], control=["ts2"] * 30, info=["ts2"] * 30), Verdict.FAIL, "ts3 instead of ts1"),
}


@pytest.mark.parametrize("events, verdict, observed", NO_COOKIE.values(), ids=NO_COOKIE.keys())
def test_correlation_info_is_no_cookie(events, verdict, observed):
    finding = correlation_info_is_no_cookie(story(*events), control="control", nameless=["info"])
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding.observed


@pytest.mark.parametrize("check, parameters", [
    (request_is_not_held, {}), (token_and_cookie_give_one_result, {"visits_each": 20}),
    (correlation_info_is_no_cookie, {"control": "control", "nameless": ["info"]}),
], ids=["held", "both", "correlation"])  # fmt: skip
def test_without_observations_there_is_no_verdict(check, parameters):
    with pytest.raises(ValueError, match="the history holds no"):
        check(story(), **parameters)
