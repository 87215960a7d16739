"""TP-COOKIE-01 to -05, TP-TLS-04: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import at, event
from pages_rig import Page, seen
from web_rig import farm

from lbcert.evidence import checks
from lbcert.verdicts import Verdict

LB, SECURE, SID = "LB=web1; path=/", "LB=web1; path=/; Secure", "sid=1; Path=/"
NEW, AGAIN = Page(sets=[LB, SID]), Page(sets=[SID], shown=["LB=web1; sid=1"], came=["sid=1"])
CLOSE = [["Connection", "close"]]

ONCE = {
    "once": ([seen("a", NEW, AGAIN)], Verdict.PASS, "1 clients, 1 were given a cookie, then 1 requests"),
    "twice": ([seen("a", NEW, Page(sets=[LB, SID], shown=["LB=web1"], came=[]))], Verdict.FAIL, "came back with LB=web1 and is given"),
    "never-shown": ([seen("a", NEW, Page(sets=[LB, SID]))], Verdict.FAIL, "came back with no cookie and is given"),
    "doubled": ([seen("a", Page(sets=[LB, LB, SID]))], Verdict.FAIL, "the first answer sets ['LB', 'LB']"),
    "none": ([seen("a", Page(sets=[SID]))], Verdict.FAIL, "the first answer sets no cookie"),
    "one-without": ([seen("a", NEW), seen("b", Page(sets=[SID]))], Verdict.FAIL, "b on http: the first answer sets no cookie"),
    "site's-cookie-lost": ([seen("a", Page(sets=[LB]))], Verdict.FAIL, "of the site's 1 Set-Cookie lines 0 came"),
    "site's-cookie-changed": ([seen("a", NEW, Page(sets=[SID], shown=["LB=web1; sid=1"], came=["sid=2"]))], Verdict.FAIL,
                              "the server has 'sid=2'"),
    "shown-is-another-row": ([seen("a", NEW, Page(sets=[SID], shown=["LB=web1; sid=1"]))], Verdict.PASS, "1 clients"),
    "unanswered": ([seen("a", NEW), seen("b", Page(status=None), outcome="closed")], Verdict.FAIL, "b on http: closed, no answer to /page"),
    "answered-by-nobody": ([seen("a", NEW), seen("b", Page(None, sets=[LB, SID]))], Verdict.FAIL, "not by a server that saw this request"),
    "closed-in-order": ([seen("a", Page(sets=[LB, SID], headers=CLOSE), Page(status=None, server=None), outcome="short")], Verdict.PASS, "1 clients"),
    "https-dead": ([seen("a", NEW), seen("b", Page(None, status=503), service="https")], Verdict.BLOCKED, "TP-TLS-03: no client of https"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", ONCE.values(), ids=ONCE)
def test_set_once(events, verdict, observed):
    judged(checks.cookie_is_set_once(farm(*events), site=[SID]), verdict, observed)


def shown(sent, came, sets=(SID,)):
    return [seen("a", NEW), seen("a", Page(sets=list(sets), shown=[sent], came=[came] if came else []))]


HIDDEN = {
    "hidden": (shown("x=1; LB=web1; y=2", "x=1; y=2"), Verdict.PASS, "1 requests with the balancer's cookie (LB) and 1 without"),
    "alone": (shown("LB=web1", None), Verdict.PASS, "1 requests"),
    "shown": (shown("x=1; LB=web1", "x=1; LB=web1"), Verdict.NON_STRICT, "the server is shown 'LB=web1'"),
    "reordered": (shown("x=1; LB=web1; y=2", "y=2; x=1"), Verdict.NON_STRICT, "the server has 'y=2; x=1'"),
    "a-like-name-lost": (shown("LB2=x; LB=web1", None), Verdict.NON_STRICT, "sent 'LB2=x' of its own"),
    "another-case-is-the-site's": (shown("lb=mine; LB=web1", None), Verdict.NON_STRICT, "sent 'lb=mine' of its own"),
    "spaces-changed-without-it": (shown("x=1;  y=2", "x=1; y=2"), Verdict.NON_STRICT, "the server has"),
    "site's-order-changed": (shown("LB=web1", None, sets=()), Verdict.NON_STRICT, "of the site's 1 Set-Cookie lines 0"),
    "none-set": ([seen("a", Page(sets=[SID]))], Verdict.BLOCKED, "no answer sets a cookie"),
}


@pytest.mark.parametrize("events, verdict, observed", HIDDEN.values(), ids=HIDDEN)
def test_hidden(events, verdict, observed):
    judged(checks.cookie_is_hidden(farm(*events), site=[SID]), verdict, observed)


PUBLIC = "public, max-age=3600"


def cached(*values, sets=(LB,), label="new"):
    return seen("a", Page(sets=list(sets), headers=[["Cache-Control", one] for one in values]), label=label)


CACHED = {
    "private": ([cached(PUBLIC, "private"), cached(PUBLIC, sets=(), label="known")], Verdict.PASS, "1 answers that set the cookie, 1 to clients"),
    "no-store": ([cached("No-Store")], Verdict.PASS, "1 answers"),
    "private-field": ([cached('private="Set-Cookie"')], Verdict.PASS, "1 answers"),
    "another-field": ([cached('private="X-Other"')], Verdict.FAIL, "Cache-Control private"),
    "public": ([cached(PUBLIC)], Verdict.FAIL, "GET 200, Cache-Control public, max-age=3600, with 'LB=web1; path=/'"),
    "missing": ([cached()], Verdict.FAIL, "Cache-Control missing"),
    "max-age=0": ([cached("max-age=0")], Verdict.FAIL, "max-age=0"),
    "known-changed": ([cached("private"), cached(PUBLIC, "private", sets=(), label="known")], Verdict.FAIL, "the site said"),
    "none-set": ([cached(PUBLIC, sets=())], Verdict.BLOCKED, "no answer sets a cookie"),
    "an-error-page-of-the-balancer's": ([cached("private"), seen("a", Page(None, status=404), label="known")], Verdict.PASS, "1 answers that set"),
    "the-same-with-the-cookie": ([cached("private"), seen("a", Page(None, status=404, sets=[LB]), label="new")], Verdict.FAIL, "GET 404"),
    "a-page-of-the-balancer's": ([cached("private"), seen("a", Page(None), label="known")], Verdict.FAIL, "not by a server"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", CACHED.values(), ids=CACHED)
def test_not_cached(events, verdict, observed):
    judged(checks.insertion_is_not_cached(farm(*events), public=PUBLIC), verdict, observed)


SECURED = {
    "secure": ([seen("a", Page(sets=[LB])), seen("b", Page(sets=[SECURE + "; HttpOnly"]), service="https")], Verdict.PASS,
               "http: 0 of 1 Secure, https: 1 of 1 Secure; 1 of 2 HttpOnly"),
    "not-secure": ([seen("b", Page(sets=[LB]), service="https")], Verdict.FAIL, "b on https: LB without Secure"),
    "secure-over-http": ([seen("a", Page(sets=[SECURE])), seen("b", Page(sets=[SECURE]), service="https")], Verdict.FAIL, "LB with Secure"),
    "none-over-https": ([seen("a", Page(sets=[LB])), seen("b", Page(), service="https")], Verdict.BLOCKED, "no answer sets"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", SECURED.values(), ids=SECURED)
def test_secure(events, verdict, observed):
    judged(checks.cookie_is_secure(farm(*events)), verdict, observed)


def odd(count, place, again=None, kind="another word", **page):
    """So many clients, each on a server and then on the same or another."""
    return [seen(f"u{n}", Page(place(n), sets=[LB]), Page((again or place)(n), shown=["LB=web1"]), label=kind) for n in range(count)]


ODD = {
    "spread": (odd(21, lambda n: f"web{n % 2 + 1}"), Verdict.PASS, "1 kinds of value, 21 clients"),
    "all-to-one": (odd(21, lambda n: "web1"), Verdict.FAIL, "web1 21, web2 0 of 21 clients, allowed 1 to 20 each"),
    "one-that-names-a-server": (odd(21, lambda n: "web1", kind="two servers"), Verdict.PASS, "21 clients"),
    "not-followed": (odd(21, lambda n: f"web{n % 2 + 1}", lambda n: "web1"), Verdict.FAIL, "u1 was on web2, then web1"),
    "refused": ([*odd(20, lambda n: f"web{n % 2 + 1}"), seen("x", Page(None, status=403), label="another word")], Verdict.FAIL, "x on http is answered 403"),
    "closed": ([*odd(20, lambda n: f"web{n % 2 + 1}"), seen("x", Page(status=None), outcome="reset", label="another word")], Verdict.FAIL, "x on http: reset"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", ODD.values(), ids=ODD)
def test_odd_values(events, verdict, observed):
    judged(checks.odd_cookie_is_balanced(farm(*events), nobodys=["another word"]), verdict, observed)


def kept(*servers, label="again"):
    return seen("a", *[Page(one, shown=["LB=web1"]) for one in servers], label=label)


def neighbour():
    """Another client, on another server."""
    return [seen("b", Page("web2", shown=["LB=web2"]), label="first"), seen("b", *[Page("web2", shown=["LB=web2"])] * 2, label="again")]


KEPT = {
    "kept": ([kept("web1", label="first"), kept("web1", "web1"), *neighbour()], Verdict.PASS, "2 clients, 4 of 4 requests on their own server"),
    "all-on-one": ([kept("web1", label="first"), kept("web1", "web1")], Verdict.FAIL, "all 1 clients are on web1"),
    "moved": ([kept("web1", label="first"), kept("web1", "web2")], Verdict.FAIL, "a on http: from web1 to web2 with LB=web1"),
    "too-few": ([kept("web1", label="first"), kept("web1")], Verdict.FAIL, "1 of 2 requests on web1"),
    "company-does-not-count": ([kept("web1", label="first"), kept("web1", "web1"), kept("web2", label="other"), *neighbour()], Verdict.PASS, "4 of 4"),
    "over-tls": ([seen("a", Page("web1", sets=[SECURE]), label="first", service="https"), seen("a", *[Page("web1")] * 2, label="again", service="https"),
                  *neighbour()], Verdict.PASS, "4 of 4"),
    "short": ([seen("a", Page("web1", sets=[LB + "; Max-Age=59"]), label="first"), *neighbour()], Verdict.FAIL, "a on http: LB is kept for 59 s only"),
    "long-enough": ([seen("a", Page("web1", sets=[LB + "; Max-Age=60"]), label="first"), kept("web1", "web1"), *neighbour()], Verdict.PASS, "4 of 4"),
    "not-secure": ([seen("a", Page("web1", sets=[LB]), label="first", service="https"), *neighbour()], Verdict.FAIL, "a on https: LB without Secure"),
}


@pytest.mark.parametrize("events, verdict, observed", KEPT.values(), ids=KEPT)
def test_kept(events, verdict, observed):
    judged(checks.cookie_keeps_server(farm(*events), pages=2), verdict, observed)


CRASH = event(1, "lab", "fault", fault="crash", server="web1")


def coming(*servers, label="after", name="a", took=0.01, shown="LB=web1", **more):
    return seen(name, *[Page(one, shown=[shown]) for one in servers], label=label, answered=at(took), **more)


BEGUN = [CRASH, coming("web1", label="first"), coming("web2", label="first", name="b")]
STAYS = [coming("web2", name="b"), coming("web2", "web2", label="later", name="b")]
MOVED = {
    "moved": ([*BEGUN, coming("web2"), coming("web2", "web2", label="later", shown="LB=web2"), *STAYS], Verdict.PASS, "2 users, 1 of them of web1; 4 requests"),
    "refused": ([*BEGUN, coming(None, status=None, outcome="status 503"), *STAYS], Verdict.FAIL, "a on http: "),
    "late": ([*BEGUN, coming("web2", took=2.2), *STAYS], Verdict.FAIL, "a on http: answered only after 2.20 s"),
    "not-followed": ([*BEGUN, coming("web2"), coming("web2", "web1", label="later", shown="LB=web1"), *STAYS], Verdict.FAIL,
                     "a on http: from web2 to web1 with LB=web1"),
    "others-are-moved": ([*BEGUN, coming("web2"), coming("web1", name="b")], Verdict.FAIL, "b on http: from web2 to web1"),
    "finders-do-not-count": ([*BEGUN, coming("web1", label="finder"), coming("web2"), *STAYS], Verdict.PASS, "1 of them of web1"),
    "by-the-fallback": ([*BEGUN, coming(None), *STAYS], Verdict.FAIL, "and not by a server that saw this request"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", MOVED.values(), ids=MOVED)
def test_users_of_a_dead_server(events, verdict, observed):
    judged(checks.dead_servers_users_are_moved(farm(*events)), verdict, observed)


def test_a_dead_server_nobody_was_on():
    with pytest.raises(ValueError, match="holds no user of web1"):
        checks.dead_servers_users_are_moved(farm(CRASH, coming("web2", label="first"), coming("web2")))


def test_a_detection_beyond_the_ceiling():
    slow = {"inter": 6.0, "fall": 3, "rise": 2, "timeout": 2.0, "kind": "http"}
    events = MOVED["moved"][0]
    judged(checks.dead_servers_users_are_moved(farm(*events, check=slow)), Verdict.FAIL, "18 s is beyond the ceiling of 15 s")


def judged(finding, verdict, observed):
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


@pytest.mark.parametrize("check, more", [
    (checks.cookie_is_set_once, {"site": []}), (checks.cookie_is_hidden, {"site": []}), (checks.insertion_is_not_cached, {"public": PUBLIC}),
    (checks.cookie_is_secure, {}), (checks.odd_cookie_is_balanced, {"nobodys": []}), (checks.cookie_keeps_server, {"pages": 2}),
])  # fmt: skip
def test_nothing_seen_is_no_verdict(check, more):
    with pytest.raises(ValueError, match="holds no call"):
        check(farm(), **more)
