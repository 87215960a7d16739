"""TP-SEC-01: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import event
from pages_rig import Page, seen
from web_rig import farm

from lbcert.evidence.checks import requests_end_where_they_do
from lbcert.verdicts import Verdict
from lbcert.wire.smuggling import SMUGGLING

HOST = "www.lbcert.test"
NEXT = seen("next", Page(), label="next")
FARM = [{**one, "headers": [["host", "farm"]]} if one["kind"] == "request" else one for one in NEXT]
ODD = "both lengths, chunked ends first"


def odd(label=ODD, outcome="answered"):
    """A doubtful request as its client tells it."""
    return event(0, "client", "call", call=1, client="x", label=label, service="http", token="odd", outcome=outcome, replies=[])


def reached(target="/own", body=0, lengths=(("transfer-encoding", "chunked"),), server="web1", more=()):
    return event(0, server, "request", conn=1, token="odd", target=f"{target}?token=odd", body_length=body,
                 headers=[["host", HOST], *map(list, lengths), *map(list, more)], peer=["172.20.0.1", 1], proxy=None)  # fmt: skip


ABSOLUTE = "absolute form of another host"
STORIES = {
    "refused": ([odd(), NEXT], Verdict.PASS, "1 doubtful requests: 1 refused, 0 reached a server; 1 ordinary"),
    "passed-on": ([odd(), reached(), NEXT], Verdict.PASS, "0 refused, 1 reached a server"),
    "passed-on-with-another-length": ([odd(), reached(body=60, lengths=[("content-length", "60")]), NEXT], Verdict.FAIL,
                                      "web1 saw 60 bytes of body, not 0"),
    "hidden-request": ([odd(), reached(), reached("/hidden", lengths=(), server="web2"), NEXT], Verdict.FAIL, "web2 saw a request for /hidden"),
    "both-lengths-passed-on": ([odd(), reached(lengths=[("Content-Length", "9"), ("Transfer-Encoding", "chunked")]), NEXT], Verdict.FAIL,
                               "was told its length as"),
    "odd-coding-passed-on": ([odd(), reached(lengths=[("transfer-encoding", "xchunked")]), NEXT], Verdict.FAIL, "was told its length as"),
    "space-before-the-colon-passed-on": ([odd(), reached(lengths=[("transfer-encoding ", "chunked")]), NEXT], Verdict.FAIL,
                                         "was told its length as"),
    "twice": ([odd(), reached(), reached(), NEXT], Verdict.FAIL, "servers saw it 2 times"),
    "must-be-refused": ([odd("two lengths, short first"), reached(body=5, lengths=[("content-length", "5")]), NEXT], Verdict.FAIL,
                        "was not refused: web1 saw it with 5 bytes"),
    "kept-waiting": ([odd(outcome="timeout"), NEXT], Verdict.FAIL, "neither refused nor passed on in 15 s"),
    "unreadable-for-the-server": ([odd(), event(0, "web2", "malformed", reason="bad header", conn=1), NEXT], Verdict.FAIL,
                                  "web2 was passed on what it cannot read (bad header)"),
    "host-of-the-target": ([odd(ABSOLUTE), {**reached(lengths=()), "headers": [["host", "other.lbcert.test"]]}, NEXT], Verdict.PASS, "1 reached"),
    "host-of-the-header": ([odd(ABSOLUTE), reached(lengths=()), NEXT], Verdict.FAIL, "was told the host www.lbcert.test"),
    "every-server-is-told-another": ([odd(ABSOLUTE), {**reached(lengths=()), "headers": [["host", "farm"]]}, FARM], Verdict.PASS, "1 reached"),
    "next-gets-another's-answer": ([odd(), seen("n", Page(), label="next", replies=[
        {"status": 200, "version": "1.1", "server": "fe=1; conn=9", "set_cookie": [], "headers": [["X-Lbcert-Token", "odd"]]}])],
        Verdict.BLOCKED, "TP-TLS-03"),
    "next-is-not-answered": ([odd(), NEXT, seen("n", Page(status=None), outcome="closed", label="next")], Verdict.FAIL, "closed, no answer"),
    "next-becomes-another-request": ([odd(), NEXT, seen("n", Page(target="/usual"), label="next", asked=[["GET", "/other"]])], Verdict.FAIL,
                                     "servers saw it as"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", STORIES.values(), ids=STORIES)
def test_smuggling(events, verdict, observed):
    finding = requests_end_where_they_do(farm(*events), host=HOST)
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


def test_another_answer_is_told_by_its_token():
    events = seen("n", Page(), label="next")
    call = events[-1]
    call["replies"][0]["headers"] = [["X-Lbcert-Token", "odd"]]
    finding = requests_end_where_they_do(farm(odd(), NEXT, events), host=HOST)
    assert finding.verdict is Verdict.FAIL and "was given the answer of another request" in finding.observed


def test_without_a_doubtful_request_there_is_no_verdict():
    with pytest.raises(ValueError, match="holds no vector"):
        requests_end_where_they_do(farm(NEXT), host=HOST)


@pytest.mark.parametrize("name", SMUGGLING)
def test_every_vector_says_what_its_name_says(name):
    """Its bytes are one request for /own with the client's token; the hidden one stands behind the head, if at all."""
    vector = SMUGGLING[name]
    data = vector.bytes("t1", HOST)
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"/own?token=t1 HTTP/1." in head.split(b"\r\n")[0] and b"{" not in data
    assert (b"/hidden" in head) == (name == "a bare CR in a value") and body.count(b"/hidden?token=t1") <= 1
    assert all(0 <= length <= len(body) for length in vector.allowed("t1", HOST))
