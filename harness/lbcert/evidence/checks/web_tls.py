"""TP-TLS-01, -02, -07 and -08: where TLS ends, and how."""

from __future__ import annotations

from collections import Counter

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served
from .web_path import path_of
from .web_told import Told

OLD = ("SSL 3.0", "TLS 1.0", "TLS 1.1")
"""versions that must be refused (RFC 7568, RFC 8996)"""
GOOD = ("TLS 1.2", "TLS 1.3")


def tls_ends_here(history: History) -> Finding:
    """TP-TLS-01: each client is shown the certificate of the deployment's own file, and the server has the request as it was, in plain.

    Calls carry a body; their event `sent` says which (`length`, `sha256`), and servers answer with a body of the same kind.
    """
    told = Told(history)
    calls = served.some(called.calls(history), "call")
    ours = {chain[0]: path for event in history.of("furnished") for path, chain in event["certificates"].items()}
    sent = {event["call"]: event for event in history.of("bodies")}
    tally = Tally(f"TLS ends at the balancer, with the certificate of its file: each of {len(calls)} requests reaches a server in plain, "
                  "whole, with the client's address.")  # fmt: skip
    good = 0
    for call in calls:
        who = called.name_of(call)
        shown = call["tls"]["server"]
        faults = [fault for fault in (told.wrong(call),) if fault]
        if shown and shown not in ours:
            faults.append(f"{who}: was shown the certificate {shown[:16]}..., which is none of the deployment's files")
        faults += _bodies(call, told.requests(call), sent.get(call["call"]), who)
        tally.faults += faults
        good += not faults
    shown = Counter(call["tls"]["server"] for call in calls)
    plain = "" if not list(history.of("tls")) else "; a server spoke TLS"
    if plain:
        tally.faults.append("a server got TLS, not plain HTTP")
    return tally.finding(f"{good} of {len(calls)} requests arrived so; certificates shown: "
                         + ", ".join(f"{name[:16] or 'none'} ({count} times)" for name, count in shown.items()) + plain)  # fmt: skip


def _bodies(call: Event, requests: list[Event], sent: Event | None, who: str) -> list[str]:
    if sent is None or not requests:
        return []
    faults = []
    got = requests[0]["body_length"], requests[0]["body_sha256"]
    if got != (sent["length"], sent["sha256"]):
        faults.append(f"{who}: the server got a body of {got[0]} bytes that is not the client's ({sent['length']} bytes)")
    heard = call["replies"][0]["body_length"], call["replies"][0]["body_sha256"]
    if heard != (sent["answer_length"], sent["answer_sha256"]):
        faults.append(f"{who}: the client got a body of {heard[0]} bytes that is not the server's ({sent['answer_length']} bytes)")
    return faults


def address_survives_the_chain(history: History) -> Finding:
    """TP-TLS-02: over HTTPS, for every request of every call the server was told the client's address, through as many stages as there are."""
    told = Told(history)
    calls = served.some([call for call in called.calls(history) if call["label"] != "path"], "call")
    figures = [figure for call in called.calls(history, "path") if (figure := path_of(history, call))]
    stages = max((len(figure["links"]) - 1 for figure in figures), default=1)
    tally = Tally(f"For each request of {len(calls)} connections over HTTPS the {told.means} at the server is the client's address.")
    tally.faults += [fault for call in calls if (fault := told.wrong(call))]
    count = sum(len(told.requests(call)) for call in calls)
    inside = "one stage ends TLS and speaks to the servers" if stages == 1 else f"{stages} stages, seen in the kernel's tables"
    return tally.finding(f"{count} requests on {len(calls)} connections; {inside}", figures=tuple(figures))


def old_versions_are_refused(history: History) -> Finding:
    """TP-TLS-07: hellos that offer an old version, or weak suites only, are refused; handshakes with 1.2 or 1.3 succeed.

    Hellos are calls labelled with what they offer; whole handshakes are labelled `handshake`.
    """
    tally = Tally("TLS 1.2 or 1.3 is spoken; " + ", ".join(OLD) + " and weak cipher suites are refused.")
    said: dict[str, set[str]] = {}
    for call in served.some([call for call in called.calls(history) if "offered" in call], "hello"):
        answer = call["said"] or {"version": None, "alert": None, "suite": None}
        accepted = call["outcome"] == "accepted"
        words = f"accepted with suite {answer['suite']:#06x}" if accepted else answer["alert"] or called.outcome_text(call)
        said.setdefault(call["label"], set()).add(words)
        if accepted and call["label"] not in GOOD:
            tally.faults.append(f"a hello that offers {call['label']} only is {words} ({answer['version']})")
        elif not accepted and call["outcome"] not in ("refused", "closed", "reset"):
            tally.faults.append(f"a hello that offers {call['label']}: {called.outcome_text(call)}")
    good = [call for call in called.calls(history, "handshake") if call["outcome"] == "answered"]
    versions = sorted({call["tls"]["version"] for call in good})
    if not good:
        reason = "no handshake with TLS 1.2 or 1.3 succeeded, which TP-TLS-01 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    told = "; ".join(f"{name}: {' or '.join(sorted(words))}" for name, words in said.items())
    return tally.finding(f"handshakes with {', '.join(versions)} succeeded; {told}", Verdict.NON_STRICT)


def chain_is_sent(history: History, trusted: bool = True) -> Finding:
    """TP-TLS-08: clients that trust the root alone find the way from it to the certificate that they are shown, and it is the site's.

    The chain that was sent (`chain`, fingerprints in order) is that of the deployment's file; a root behind it may be sent as well.
    `trusted`: whether clients have the root; that of a deployment's own authority they have not, and take any certificate.
    """
    calls = served.some(called.calls(history), "call")
    files = {chain[0]: chain for event in history.of("furnished") for chain in event["certificates"].values()}
    longest = max(map(len, files.values()), default=0)
    if longest < 2:
        reason = "no file of the deployment holds a chain (dut.yaml: files: authority)"
        return Finding(Verdict.NOT_RUN, "The chain is sent.", reason, reason)
    accepts = " that trust only the root accepts the certificate, and" if trusted else ""
    tally = Tally(f"Each of {len(calls)} clients{accepts} is sent the {longest} certificates of the file in order.")
    if not trusted and not any(call["tls"]["chain"] for call in calls if call["outcome"] == "answered"):
        reason = "what was sent is not known: clients have no root of the file's, and this Python does not tell"
        return Finding(Verdict.NOT_RUN, tally.expected, reason, reason)
    good = 0
    for call in calls:
        who, sent = f"{called.name_of(call)} with {call['label']}", call["tls"]["chain"]
        if call["outcome"] != "answered":
            tally.faults.append(f"{who}: {called.outcome_text(call)}")
        elif sent and (not (chain := files.get(sent[0])) or sent[: len(chain)] != chain):
            tally.faults.append(f"{who}: was sent {len(sent)} certificates that are not those of the file in its order")
        else:
            good += 1
    return tally.finding(f"{good} of {len(calls)} clients found the way; certificates sent: "
                         + ", ".join(sorted({str(len(call['tls']['chain'])) for call in calls})), Verdict.NON_STRICT)  # fmt: skip
