"""TP-HTTP-01 to -03: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import event
from pages_rig import Page, seen
from web_rig import farm

from lbcert.evidence import checks
from lbcert.verdicts import Verdict

HOST = ("Host", "www.lbcert.test")
TARGET = "/page?token=t"
PASS, FAIL, LOOSE = Verdict.PASS, Verdict.FAIL, Verdict.NON_STRICT


def request(*headers, method="GET", target=TARGET, length=0, digest="", times=1):
    """Headers of a request, and what else of it is not as usual."""
    return {"method": method, "target": target, "headers": [HOST, *headers], "body_length": length, "body_sha256": digest}, times


def went(sent, came, label="form"):
    """One call whose request was `sent`, and `came` to its server."""
    events = seen("a", Page(), token="t", label=label)
    (facts, _), (arrived, times) = sent, came
    record = next(one for one in events if one["kind"] == "request")
    record |= arrived
    call = events[-1]["call"]
    return [*events, *[record] * (times - 1), event(0, "harness", "sent", call=call, requests=[facts])]


REQUESTS = {
    "as-it-was": (request(("Accept", "a")), request(("accept", "a")), PASS, "1 of 1 requests arrived so, of 1 forms"),
    "forwarded-for-added": (request(), request(("X-Forwarded-For", "172.20.0.1"), ("via", "1.1 lb")), PASS, "1 of 1"),
    "forwarded-replaced": (request(("X-Forwarded-Proto", "https")), request(("X-Forwarded-Proto", "http")), PASS, "1 of 1"),
    "framed-anew": (request(("Transfer-Encoding", "chunked"), length=3, digest="ab"), request(("Content-Length", "3"), length=3, digest="ab"), PASS, "1 of 1"),
    "connection's-own-removed": (request(("Connection", "close"), ("Keep-Alive", "5")), request(), PASS, "1 of 1"),
    "one-list": (request(("X-Twice", "b"), ("X-Twice", "a")), request(("x-twice", "b, a")), PASS, "1 of 1"),
    "another-order": (request(("X-Twice", "b"), ("X-Twice", "a")), request(("x-twice", "a"), ("x-twice", "b")), FAIL, "got x-twice 'a' and 'b', not 'b' and 'a'"),
    "one-of-two-lost": (request(("X-Twice", "b"), ("X-Twice", "b")), request(("x-twice", "b")), FAIL, "got x-twice 'b', not 'b' and 'b'"),
    "coding-not-offered": (request(("Accept-Encoding", "gzip")), request(), PASS, "1 of 1"),
    "dropped": (request(("Authorization", "Basic x")), request(), FAIL, "a on http, form: web1 got authorization not at all, not 'Basic x'"),
    "changed": (request(("Referer", "x")), request(("Referer", "y")), FAIL, "got referer 'y', not 'x'"),
    "added-with-a-meaning": (request(), request(("Range", "bytes=0-9")), FAIL, "got range 'bytes=0-9', which was not sent"),
    "added-without": (request(), request(("X-Request-Id", "7")), PASS, "1 of 1"),
    "site's-cookie-lost": (request(("Cookie", "sid=1")), request(), FAIL, "got cookie not at all, not 'sid=1'"),
    "another-method": (request(method="HEAD"), request(), FAIL, "was asked 'GET', not 'HEAD'"),
    "another-target": (request(target="/a//b?token=t"), request(target="/a/b?token=t"), FAIL, "was asked '/a/b?token=t', not '/a//b?token=t'"),
    "shorter-body": (request(length=9, digest="a"), request(length=8, digest="a"), FAIL, "got a body of 8 bytes, not 9"),
    "other-bytes": (request(length=9, digest="a"), request(length=9, digest="b"), FAIL, "got a body of other bytes"),
    "twice": (request(), request(times=2), FAIL, "servers saw 2 requests, 1 of them answered"),
}  # fmt: skip


@pytest.mark.parametrize("sent, came, verdict, observed", REQUESTS.values(), ids=REQUESTS)
def test_requests(sent, came, verdict, observed):
    judged(checks.requests_pass_unchanged(farm(*went(sent, came))), verdict, observed)


def test_another_host():
    came = {**request()[0], "headers": [("host", "farm")]}, 1
    judged(checks.requests_pass_unchanged(farm(*went(request(), came))), FAIL, "web1 got host 'farm', not 'www.lbcert.test'")


def test_two_hosts():
    came = {**request()[0], "headers": [HOST, ("host", "farm")]}, 1
    judged(checks.requests_pass_unchanged(farm(*went(request(), came))), FAIL, "got host 'www.lbcert.test' and 'farm'")


def test_a_request_that_is_refused():
    refused = seen("b", Page(None, status=405), token="r", label="PUT")
    history = farm(*went(request(), request()), *refused, event(0, "harness", "sent", call=refused[-1]["call"], requests=[request()[0]]))
    judged(checks.requests_pass_unchanged(history), FAIL, "b on http: /page was answered (405), and not by a server that saw this request (PUT)")


KEEP = ("Cache-Control", "public")


def answered(said, got, sets=(), wrong=None, status=200, **body):
    """One answer that the server `said` and the client `got`, both header lists; `body`: what the client has of `abc`."""
    [accept, asked, call] = seen("a", Page(headers=[list(one) for one in got], sets=list(sets), status=status), token="t", label="form", wrong=wrong)
    call["replies"][0] |= {"body_length": 3, "body_sha256": "abc"} | body
    token = ("X-Lbcert-Token", "t")
    return [accept, asked, call, event(0, "web1", "said", conn=asked["conn"], number=1, token="t", status=200, headers=[token, *said],
                                       body_length=3, body_sha256="abc")]  # fmt: skip


ANSWERS = {
    "as-it-was": (answered([("ETag", "1")], [("etag", "1")]), PASS, "1 of 1 answers arrived so, of 1 forms"),
    "the-balancer's-own": (answered([], [("Date", "now"), ("Server", "x"), ("Strict-Transport-Security", "max-age=9")]), PASS, "1 of 1"),
    "dropped": (answered([("ETag", "1")], []), FAIL, "a on http, form: the client got etag not at all, not '1'"),
    "rewritten": (answered([("Location", "/a")], [("Location", "/b")]), FAIL, "got location '/b', not '/a'"),
    "compressed": (answered([], [("Content-Encoding", "gzip")]), FAIL, "got content-encoding 'gzip', which was not sent"),
    "server's-cookie-lost": (answered([("Set-Cookie", "sid=1")], []), FAIL, "got Set-Cookie not at all of the server's, not 'sid=1'"),
    "server's-cookie-kept": (answered([("Set-Cookie", "sid=1"), KEEP], [KEEP], sets=["LB=1", "sid=1"]), PASS, "1 of 1"),
    "another-status": (answered([], [], status=500), FAIL, "the client got status 500, not 200"),
    "shorter": (answered([], [], body_length=2), FAIL, "got a body of 2 bytes, not 3"),
    "other-bytes": (answered([], [], body_sha256="abd"), FAIL, "a body of other bytes"),
    "more-than-an-answer": (answered([], [], wrong="9 bytes that no request asked for"), FAIL, "what came is no answer: 9 bytes"),
    "kept-from-caches-with-a-cookie": (answered([KEEP], [KEEP, ("Cache-Control", "private")], sets=["LB=1"]), PASS, "1 of 1"),
    "kept-from-caches-without": (answered([KEEP], [("Cache-Control", "private")]), FAIL, "got Cache-Control ['private'], not ['public']"),
}


@pytest.mark.parametrize("events, verdict, observed", ANSWERS.values(), ids=ANSWERS)
def test_answers(events, verdict, observed):
    judged(checks.answers_pass_unchanged(farm(*events)), verdict, observed)


def told(service, *headers, label=""):
    events = seen("a", Page(), service=service, label=label)
    next(one for one in events if one["kind"] == "request")["headers"] = list(headers)
    return events


HTTPS, HTTP, ON = ("X-Forwarded-Proto", "https"), ("x-forwarded-proto", "http"), ("X-Forwarded-Ssl", "on")
SCHEMES = {
    "told": ([told("https", HTTPS), told("http", HTTP)], PASS, "2 requests; x-forwarded-proto told the scheme"),
    "told-by-being-there": ([told("https", ON), told("http")], PASS, "x-forwarded-ssl told the scheme"),
    "another-field-is-the-client's": ([told("https", HTTPS), told("http", HTTP, ON, label="claiming HTTPS")], PASS, "x-forwarded-proto told"),
    "not-told": ([told("https"), told("http")], LOOSE, "no field says so"),
    "believed": ([told("https", HTTPS), told("http"), told("http", HTTPS, label="claiming HTTPS")], LOOSE,
                 "a on http, claiming HTTPS: x-forwarded-proto is 'https' at web1"),
    "added-to-what-was-written": ([told("https", HTTPS), told("http"), told("https", HTTP, HTTPS, label="claiming HTTP")], LOOSE, "'http' and 'https'"),
    "constant": ([told("https", HTTPS), told("http", HTTPS)], LOOSE, "a on http, claiming nothing: x-forwarded-proto is 'https'"),
    "not-always": ([told("https", HTTPS), told("https"), told("http")], LOOSE, "no field says so"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", SCHEMES.values(), ids=SCHEMES)
def test_scheme(events, verdict, observed):
    judged(checks.scheme_is_told(farm(*[one for each in events for one in each])), verdict, observed)


@pytest.mark.parametrize("check", [checks.requests_pass_unchanged, checks.answers_pass_unchanged, checks.scheme_is_told])
def test_a_service_that_serves_nobody(check):
    events = seen("a", Page(None, status=503), token="t", label="form")
    history = farm(*events, event(0, "harness", "sent", call=events[-1]["call"], requests=[request()[0]]))
    assert check(history).verdict is Verdict.BLOCKED


def judged(finding, verdict, observed):
    assert finding.verdict is verdict, finding.observed
    assert observed in finding.observed, finding.observed
