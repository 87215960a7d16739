"""RDP-PARSE-11: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import event, served, story, unserved

from lbcert.clients.rdp import connection_request
from lbcert.evidence.checks import security_is_end_to_end
from lbcert.verdicts import Verdict
from lbcert.wire import Protocols

OWN = {"ts1": "11" * 32, "ts2": "22" * 32, "ts3": "33" * 32}
"""server -> SHA-256 of its certificate"""
THEIRS = "ee" * 32
SECURE = [event(-1, who, "secure", certificate=own) for who, own in OWN.items()]
BOTH = Protocols.SSL | Protocols.HYBRID


def session(number, server="ts1", nla=True, seen=None, tls=(), login=(), recorded_by=None, **client):
    """One session as client and server tell it. `client`, `tls`, `login`: what differs from a good one; False: no such event."""
    user = f"user{number}"
    sent = connection_request(user, BOTH if nla else Protocols.SSL)
    visit = served(user, server, label="NLA" if nla else "TLS", sent=sent, recorded_by=recorded_by)
    conn = visit[0]["conn"]
    protocol = "credssp" if nla else "tls"
    facts = {"outcome": "complete", "protocol": protocol, "certificate": seen or OWN[server], "bound": True if nla else None,
             "login": True if nla else None, "echoed": 2048}  # fmt: skip
    told = []
    if tls is not False:
        told.append(event(1, server, "tls", conn=conn, **{"protocol": protocol, "certificate": OWN[server]} | dict(tls)))
    if nla and login is not False:
        told.append(event(2, server, "login", conn=conn, **{"user": user, "ok": True, "bound": True} | dict(login)))
    return [*visit, *told, event(3, "client", "secured", visit=visit[-1]["visit"], **facts | client)]


def judged(*sessions):
    return security_is_end_to_end(story(SECURE, *sessions))


GOOD = [session(1), session(2, "ts2", nla=False)]
REFUSED = {"ok": False, "bound": False, "reason": "CredSSP: the peer's TLS is about another key"}
FAULTS = {
    "another-certificate": (session(3, seen=THEIRS), "the client saw a certificate that is not ts1's own (SHA-256 eeee"),
    "another-server's": (session(3, "ts2", nla=False, seen=OWN["ts1"]), "a certificate that is not ts2's own"),
    "server-uses-another": (session(3, tls={"certificate": THEIRS}), "ts1 used another certificate than the client saw"),
    "never-at-the-server": (session(3, nla=False, tls=False), "the client did tls, ts1 nothing"),
    "downgraded": (session(3, tls={"protocol": "tls"}, protocol="tls", bound=None),
                   "credssp was asked for; the client did tls, ts1 tls"),
    "no-tls": (session(3, tls=False, login=False, certificate=None, outcome="closed"), "TLS did not come to stand: closed"),
    "stalled": (session(3, nla=False, outcome="timeout", echoed=100), "100 bytes came back inside TLS: timeout"),
    "login-failed": (session(3, login=REFUSED, outcome="CredSSP: refused"),
                     "CredSSP: refused; ts1 says: CredSSP: the peer's TLS is about another key"),
    "somebody-else-logged-in": (session(3, login={"user": "mallory"}), "ts1 has not seen user3 log in"),
    "nobody-logged-in": (session(3, login=False), "ts1 has not seen user3 log in"),
    "server-not-bound": (session(3, login={"bound": None}), "the login is not bound to ts1's key on both sides"),
    "client-not-bound": (session(3, bound=None), "the login is not bound to ts1's key on both sides"),
    "answered-by-nobody": (session(3, recorded_by="ts2"), "answered, but not with the server's own Confirm"),
    "not-answered": ([{**unserved("user3", "closed", sent=connection_request("user3", BOTH)), "label": "NLA"}],
                     "user3, NLA: closed without an answer"),
}  # fmt: skip


def test_sessions_that_are_all_right():
    finding = judged(*GOOD)
    assert (finding.verdict, finding.observed) == (Verdict.PASS, "1 sessions with TLS and 1 with CredSSP, of 2, ran end to end")


@pytest.mark.parametrize("bad, reason", FAULTS.values(), ids=FAULTS)
def test_one_bad_session_fails(bad, reason):
    finding = judged(*GOOD, bad)
    assert finding.verdict == Verdict.FAIL and reason in finding.reason, finding.reason
    assert "of 3, ran end to end" in finding.observed


@pytest.mark.parametrize("outcome, judged_by_time", [("timeout", True), ("closed", False)])
def test_who_is_given_up_counts_only_on_a_machine_that_keeps_up(outcome, judged_by_time):
    finding = judged(*GOOD, session(3, outcome=outcome))
    assert (finding.window is not None, finding.margin) == (judged_by_time, 15.0 if judged_by_time else 0.0)


def test_without_observations_there_is_no_verdict():
    with pytest.raises(ValueError, match="the history holds no visit"):
        judged()


def test_a_session_that_the_client_does_not_tell_of_is_no_pass():
    with pytest.raises(KeyError):
        judged([one for one in session(3) if one["kind"] != "secured"])
