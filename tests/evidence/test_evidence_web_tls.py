"""TP-TLS-01, -02, -03, -05, -07, -08, -09."""

import pytest
from evidence_rig import event
from web_rig import asked, farm

from lbcert.evidence import checks
from lbcert.verdicts import Verdict

A, DUT, OURS, ROOT = "172.20.0.1", "192.168.2.1", "aa" * 32, "bb" * 32
FURNISHED = event(-9, "harness", "furnished", certificates={"/etc/ssl/vip.pem": [OURS, ROOT]})


def bodies(call, sent=(0, ""), answered=(0, "")):
    """What must have been said on the call's connection; by default what `asked` says."""
    number = next(one["call"] for one in call if one["kind"] == "call")
    return event(1, "harness", "bodies", call=number, length=sent[0], sha256=sent[1], answer_length=answered[0], answer_sha256=answered[1])


def tls(**facts):
    return {"version": "TLSv1.3", "server": OURS, "problem": "", "resumed": False, "chain": [OURS, ROOT]} | facts


def https(t=0.0, **more):
    return asked(A, t=t, service="https", **more)


ENDS = {
    "as-it-should": ({}, {}, Verdict.PASS, "1 of 1 requests arrived so"),
    "another-certificate": ({"tls": tls(server="cc" * 32)}, {}, Verdict.FAIL, "none of the deployment's files"),
    "another-address": ({"peer": DUT}, {}, Verdict.FAIL, f"at web1 is {DUT}"),
    "not-served": ({"server": None, "outcome": "status 503"}, {}, Verdict.FAIL, "status 503"),
    "body-changed-to-the-server": ({}, {"sent": (5, "x")}, Verdict.FAIL, "the server got a body of 0 bytes"),
    "body-changed-to-the-client": ({}, {"answered": (5, "x")}, Verdict.FAIL, "the client got a body of 0 bytes"),
}


@pytest.mark.parametrize("more, said, verdict, observed", ENDS.values(), ids=ENDS)
def test_tls_ends_here(more, said, verdict, observed):
    call = https(**more)
    finding = checks.tls_ends_here(farm(FURNISHED, call, bodies(call, **said)))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_tls_to_the_server_is_not_plain():
    call = https()
    finding = checks.tls_ends_here(farm(FURNISHED, call, bodies(call), event(0, "web1", "tls", conn=1, version="TLSv1.3")))
    assert (finding.verdict, finding.reason) == (Verdict.FAIL, "a server got TLS, not plain HTTP")


def test_every_request_of_a_chain_counts():
    assert checks.address_survives_the_chain(farm(https(requests=3))).verdict is Verdict.PASS
    assert checks.address_survives_the_chain(farm(https(requests=2, outcome="short"))).verdict is Verdict.PASS
    late = https(requests=2)
    next(one for one in late if one["kind"] == "request" and one["number"] == 2)["peer"] = ["10.0.0.142", 1]
    finding = checks.address_survives_the_chain(farm(late))
    assert finding.verdict is Verdict.FAIL and finding.reason.endswith("the far end of the connection at web1 is 10.0.0.142")
    lost = [one for one in https(requests=2, outcome="short") if one.get("number") != 2]
    assert checks.address_survives_the_chain(farm(lost)).verdict is Verdict.FAIL


RESTARTED = [event(1, "harness", "admin", action="restart", part="HAProxy"), event(2, "harness", "admin", action="restart", part="stunnel")]
RESTARTS = {
    "both-before-and-after": ([asked(A), https(), https(3, label="HAProxy and stunnel")], Verdict.PASS, "1 after HAProxy and stunnel"),
    "lost-after": ([asked(A), https(3, server=None, outcome="reset", label="HAProxy")], Verdict.FAIL, "reset without an answer after HAProxy"),
    "balancer-after": ([asked(A), https(3, peer=DUT, label="HAProxy")], Verdict.FAIL, f"is {DUT} after HAProxy"),
    "late": ([asked(A, took=5.1)], Verdict.FAIL, "answered only after 5.10 s"),
}


@pytest.mark.parametrize("calls, verdict, observed", RESTARTS.values(), ids=RESTARTS)
def test_restarts(calls, verdict, observed):
    finding = checks.restarts_change_nothing(farm(*calls, RESTARTED))
    assert finding.verdict is verdict
    assert observed in finding.observed


def process(title, uid, *clients, capabilities=0):
    return {"pid": 5, "title": title, "uid": [uid] * 4, "capabilities": capabilities,
            "connections": [[["10.0.0.142", 443], [client, 1]] for client in clients]}  # fmt: skip


RIGHTS = {
    "another-user": ([process("haproxy", 998, A, capabilities=0x2000)], Verdict.PASS, "haproxy: user 998, capabilities 0x2000"),
    "root": ([process("haproxy", 0, A)], Verdict.NON_STRICT, "haproxy serves clients as root"),
    "a-master-that-serves-nobody": ([process("nginx: master", 0), process("nginx: worker", 33, A)], Verdict.PASS,
                                    "root, but without a client: nginx: master"),
    "one-of-two": ([process("haproxy", 998, A), process("stunnel", 0, A)], Verdict.NON_STRICT, "stunnel serves clients as root"),
}  # fmt: skip


@pytest.mark.parametrize("processes, verdict, observed", RIGHTS.values(), ids=RIGHTS)
def test_rights(processes, verdict, observed):
    finding = checks.nobody_serves_as_root(farm(https(), event(1, "dut", "processes", processes=processes, listening=[])))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_rights_without_anybody_to_look_at():
    with pytest.raises(ValueError, match="no process that holds a client's connection"):
        checks.nobody_serves_as_root(farm(https(), event(1, "dut", "processes", processes=[process("haproxy", 998)], listening=[])))
    assert checks.nobody_serves_as_root(farm(https())).verdict is Verdict.BLOCKED


def hello(offer, outcome, version=None, suite=None, alert=None):
    said = None if outcome in ("closed", "reset", "timeout") else {"version": version, "suite": suite, "alert": alert}
    return asked(A, None, outcome=outcome, label=offer, offered=offer, said=said, service="http")


GOOD = [https(label="handshake"), hello("TLS 1.3", "accepted", "TLS 1.3", 0x1301), hello("TLS 1.0", "refused", alert="protocol_version")]
HELLOS = {
    "refused-by-alert": ([], Verdict.PASS, "TLS 1.0: protocol_version"),
    "refused-by-a-close": ([hello("RC4", "closed"), hello("export", "reset")], Verdict.PASS, "RC4: closed without an answer"),
    "an-old-version": ([hello("TLS 1.1", "accepted", "TLS 1.1", 0xC013)], Verdict.NON_STRICT, "a hello that offers TLS 1.1 only is accepted with suite 0xc013"),
    "weak-suites": ([hello("static RSA", "accepted", "TLS 1.2", 0x2F)], Verdict.NON_STRICT, "offers static RSA only is accepted"),
    "silence": ([hello("SSL 3.0", "timeout")], Verdict.NON_STRICT, "a hello that offers SSL 3.0: no answer in 15 s"),
    "no-tls": ([hello("SSL 3.0", "malformed")], Verdict.NON_STRICT, "malformed"),
}


@pytest.mark.parametrize("hellos, verdict, observed", HELLOS.values(), ids=HELLOS)
def test_hellos(hellos, verdict, observed):
    finding = checks.old_versions_are_refused(farm(*GOOD, *hellos))
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_who_refuses_everybody_is_not_judged():
    finding = checks.old_versions_are_refused(farm(GOOD[2], https(label="handshake", server=None, outcome="security-failed")))
    assert finding.verdict is Verdict.BLOCKED


CHAINS = {
    "whole": (FURNISHED, {"tls": tls()}, Verdict.PASS),
    "not-told-by-this-python": (FURNISHED, {"tls": tls(chain=[])}, Verdict.PASS),
    "a-root-behind-it": (FURNISHED, {"tls": tls(chain=[OURS, ROOT, "cc" * 32])}, Verdict.PASS),
    "another-order": (FURNISHED, {"tls": tls(chain=[OURS, "cc" * 32, ROOT])}, Verdict.NON_STRICT),
    "another-certificate": (FURNISHED, {"tls": tls(chain=["cc" * 32, ROOT])}, Verdict.NON_STRICT),
    "client-does-not-trust-it": (FURNISHED, {"outcome": "security-failed", "server": None, "tls": tls(chain=[OURS])}, Verdict.NON_STRICT),
    "nothing-to-send": (event(-9, "harness", "furnished", certificates={"/x": [OURS]}), {"tls": tls(chain=[OURS])}, Verdict.NOT_RUN),
}  # fmt: skip


@pytest.mark.parametrize("furnished, more, verdict", CHAINS.values(), ids=CHAINS)
def test_chain(furnished, more, verdict):
    assert checks.chain_is_sent(farm(furnished, https(label="TLS 1.3", **more))).verdict is verdict


@pytest.mark.parametrize("sent, verdict", [
    ([OURS, ROOT], Verdict.PASS), ([ROOT, OURS], Verdict.NON_STRICT), ([OURS], Verdict.NON_STRICT), ([], Verdict.NOT_RUN),
], ids=["whole", "swapped", "short", "not-told"])  # fmt: skip
def test_a_chain_of_an_authority_of_its_own(sent, verdict):
    call = https(label="TLS 1.3", tls=tls(chain=sent))
    assert checks.chain_is_sent(farm(FURNISHED, call), trusted=False).verdict is verdict


RESUMED = {
    "same-server": ([https(), https(1, tls=tls(resumed=True))], Verdict.PASS, "1 of them in resumed sessions"),
    "moved": ([https(), https(1, server="web2", tls=tls(resumed=True))], Verdict.NON_STRICT, "moved from web1 to web2"),
    "the-first-connection's-address": ([https(), https(1, peer="10.0.0.9")], Verdict.NON_STRICT, "at web1 is 10.0.0.9"),
    "refused": ([https(), https(1, server=None, outcome="closed")], Verdict.NON_STRICT, "closed without an answer"),
}


@pytest.mark.parametrize("calls, verdict, observed", RESUMED.values(), ids=RESUMED)
def test_resumption(calls, verdict, observed):
    finding = checks.resumption_moves_nobody(farm(*calls))
    assert finding.verdict is verdict
    assert observed in finding.observed
