"""RDP-PARSE-06, -07 and -10: what makes each verdict, from literal histories."""

import pytest
from evidence_rig import at, event, served, story, unserved

from lbcert.evidence.checks import largest_request_is_persisted, malformed_does_no_harm, silent_clients_are_bounded
from lbcert.verdicts import Verdict

DUT = "192.168.0.10"


def on_client_link(port, **stamps):
    """A connection as captured beside the clients: seconds by name."""
    times = {name: at(t) for name, t in stamps.items()}
    return event(0, "capture", "flow", link="client:eth0", client="10.1.0.1", cport=port, **times)


def handed_on(label, port, after, at_server="ts1"):
    """A slow client that a server greeted `after` seconds, and half a second more, after its connection."""
    visit = served(None, at_server, label=label, port=port, took=after + 0.5, conn=port)[1]
    accept = event(after + 0.2, at_server, "accept", conn=port, peer=[DUT, port], local=["192.168.0.11", 3389])
    link = event(after, "capture", "flow", link="ts1:eth0", client=DUT, cport=port, server="192.168.0.11", sport=3389, syn=at(after))
    return [on_client_link(port, synack=0.0), accept, link, visit]


def closed(label, port, after, outcome="closed"):
    key = "rst_to_client" if outcome == "reset" else "fin_to_client"
    visit = unserved(None, outcome, label=label) | {"port": port}
    return [on_client_link(port, synack=0.0, **({} if outcome == "refused" else {key: after})), visit]


USUAL = served("usual000", "ts1", label="usual", took=0.9)
BOUNDED = {
    "handed-on": ([*handed_on("silent", 1, 5.0), *handed_on("partial", 2, 11.0), *USUAL], Verdict.PASS,
                  "of 2 slow clients 2 were handed on and 0 closed, after 11.00 s at most; 1 of 1 ordinary clients"),
    "closed": ([*closed("silent", 1, 5.0), *closed("partial", 2, 10.9, "reset"), *USUAL], Verdict.PASS, "0 were handed on and 2 closed, after 10.90 s"),
    "refused": ([*closed("silent", 1, 0.0, "refused"), *handed_on("partial", 2, 5.0), *USUAL], Verdict.PASS, "1 were handed on and 1 closed"),
    "handed-on-late": ([*handed_on("silent", 1, 5.0), *handed_on("partial", 2, 11.1), *USUAL], Verdict.FAIL, "partial client 10.1.0.1: held for 11.10 s"),
    "closed-late": ([*closed("silent", 1, 11.1), *handed_on("partial", 2, 5.0), *USUAL], Verdict.FAIL, "silent client 10.1.0.1: held for 11.10 s"),
    "never": ([unserved(None, "timeout", label="silent"), *handed_on("partial", 2, 5.0), *USUAL], Verdict.FAIL, "neither handed on nor closed in 15 s"),
    "usual-late": ([*handed_on("silent", 1, 5.0), *handed_on("partial", 2, 5.0), *served("ann", "ts1", label="usual", took=1.1)], Verdict.FAIL,
                   "user ann, ordinary: Confirm only after 1.10 s"),
    "usual-refused": ([*handed_on("silent", 1, 5.0), *handed_on("partial", 2, 5.0), *USUAL, unserved("ann", "reset", label="usual")], Verdict.FAIL,
                      "user ann, ordinary: reset without an answer"),
}


@pytest.mark.parametrize("events, verdict, observed", BOUNDED.values(), ids=BOUNDED.keys())
def test_silent_clients_are_bounded(events, verdict, observed):
    finding = silent_clients_are_bounded(story(events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding.observed
    assert finding.window and finding.margin == 1.0


@pytest.mark.parametrize("missing", ["silent", "partial", "usual"])
def test_without_each_kind_of_client_there_is_no_verdict(missing):
    kinds = {"silent": handed_on("silent", 1, 5.0), "partial": handed_on("partial", 2, 5.0), "usual": USUAL}
    with pytest.raises(ValueError, match=missing):
        silent_clients_are_bounded(story(*[events for kind, events in kinds.items() if kind != missing]))


def malformed(number, told=0.3, outcome="closed", reached=True, label="M-04"):
    """A malformed request whose server closed at second 1, and its client was told `told` seconds later (None: never)."""
    sent = f"malformed {number}".encode()
    visit = unserved("kn0001", outcome, label=label, sent=sent) | {"port": number}
    client = on_client_link(number, **({} if told is None else {"fin_to_client": 1 + told}))
    if not reached:
        return [visit, client]
    link = event(0.5, "capture", "flow", link="ts1:eth0", client=DUT, cport=number, server="192.168.0.11", sport=3389, fin_to_client=at(1))
    return [
        event(0.5, "ts1", "accept", conn=number, peer=[DUT, number], local=["192.168.0.11", 3389]), link,
        event(0.9, "ts1", "request", conn=number, bytes=sent.hex(), rest=0, malformed="class 2, not 0"), visit, client,
    ]  # fmt: skip


KNOWN = served("ann", "ts2", label="known")
NEXT = served("next", "ts1", label="next")
AGAIN = served("ann", "ts2", label="again")
ECHO = [event(3, "client", "echo", visit=1, phase="after", ok=True)]
WELL = [*KNOWN, *NEXT, *AGAIN, *ECHO]
HARM = {
    "none": ([*malformed(1), *malformed(2), *WELL], Verdict.PASS, "2 of 2 malformed requests reached a server, which dropped them; 2 of their clients were "
             "told in time; 1 of 1 ordinary clients were served within 1 s; 1 of 1 visits of known users"),
    "told-at-the-limit": ([*malformed(1, told=1.0), *WELL], Verdict.PASS, "1 of their clients were told in time"),
    "refused-by-the-product": ([*malformed(1, reached=False), *WELL], Verdict.PASS, "0 of 1 malformed requests reached a server"),
    "told-late": ([*malformed(1, told=1.1), *WELL], Verdict.FAIL, "M-04: its client was told 1.10 s after ts1 had closed"),
    "never-told": ([*malformed(1, told=None, outcome="timeout"), *WELL], Verdict.FAIL, "M-04: ts1 closed, its client was never told"),
    "left-waiting": ([*malformed(1, told=None, outcome="timeout", reached=False), *WELL], Verdict.FAIL, "M-04: neither handed on nor closed"),
    "others-wait": ([*malformed(1), *WELL, *served("late", "ts1", label="next", took=1.2)], Verdict.FAIL, "user late, ordinary: Confirm only after 1.20 s"),
    "others-are-refused": ([*malformed(1), *WELL, unserved("late", "refused", label="next")], Verdict.FAIL, "user late, ordinary: refused"),
    "a-user-moved": ([*malformed(1), *KNOWN, *NEXT, *served("ann", "ts1", label="again"), *ECHO], Verdict.FAIL, "user ann: ts1 instead of ts2"),
    "a-user-lost": ([*malformed(1), *KNOWN, *NEXT, unserved("ann", "refused", label="again"), *ECHO], Verdict.FAIL, "user ann: refused"),
    "a-session-lost": ([*malformed(1), *WELL, event(3, "client", "echo", visit=2, phase="after", ok=False)], Verdict.FAIL, "1 of 2 sessions held meanwhile were lost"),
    "crashed": ([*malformed(1), *WELL, event(2, "dut", "exit", process="haproxy", status=-11)], Verdict.FAIL,
                "a process of the product ended (haproxy, status -11)"),
    "a-parent-ended-in-order": ([*malformed(1), *WELL, event(-1, "dut", "exit", process="haproxy", status=0)], Verdict.PASS, "1 of 1"),
}


@pytest.mark.parametrize("events, verdict, observed", HARM.values(), ids=HARM.keys())
def test_malformed_does_no_harm(events, verdict, observed):
    finding = malformed_does_no_harm(story(events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding.observed
    assert finding.silence and finding.window


@pytest.mark.parametrize("kept", [[], malformed(1), [*malformed(1), *NEXT], [*malformed(1), *KNOWN, *NEXT, *AGAIN]],
                         ids=["nothing", "no-next", "no-known", "no-held"])  # fmt: skip
def test_without_all_that_may_be_harmed_there_is_no_verdict(kept):
    with pytest.raises(ValueError, match="the history holds no"):
        malformed_does_no_harm(story(kept))


LONG = "u" * 221
BEYOND = unserved("v", "closed", label="overflow")
LARGEST = {
    "kept": ([*served(LONG, "ts1", label="largest") * 3, BEYOND], Verdict.PASS, "3 of 3 visits of known users reached the user's server; "
             "requests that are too long: 1 closed"),
    "moved": ([*served(LONG, "ts1", label="largest"), *served(LONG, "ts2", label="largest"), BEYOND], Verdict.NON_STRICT,
              "user uuuuuuuu… (221 bytes): ts2 instead of ts1"),
    "refused": ([unserved(LONG, "closed", label="largest"), BEYOND], Verdict.NON_STRICT, "(221 bytes): closed without an answer"),
    "beyond-passes": ([*served(LONG, "ts1", label="largest"), *served("v", "ts1", label="overflow")], Verdict.PASS, "too long: 1 passed"),
    "beyond-waits": ([*served(LONG, "ts1", label="largest"), BEYOND | {"outcome": "timeout"}], Verdict.NON_STRICT,
                     "too long a request from 10.1.0.1: no answer in 15 s"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", LARGEST.values(), ids=LARGEST.keys())
def test_largest_request_is_persisted(events, verdict, observed):
    finding = largest_request_is_persisted(story(events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding.observed


@pytest.mark.parametrize("events", [[], [BEYOND], served(LONG, "ts1", label="largest")], ids=["nothing", "no-largest", "no-overflow"])
def test_nor_without_largest_and_too_long_requests(events):
    with pytest.raises(ValueError, match="the history holds no"):
        largest_request_is_persisted(story(events))
