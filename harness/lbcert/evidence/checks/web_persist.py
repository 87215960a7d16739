"""TP-TLS-03, -04 and -09: users keep their server and their address, over HTTPS, after restarts, in resumed sessions."""

from __future__ import annotations

from collections import defaultdict

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served
from .web_told import Told


def restarts_change_nothing(history: History) -> Finding:
    """TP-TLS-03: HTTP and HTTPS are served with the client's address, at first and after each restart (labels: what was restarted, in order)."""
    told = Told(history)
    calls = served.some(called.calls(history), "call")
    acts = [act for act in history.of("admin", action="restart")]
    tally = Tally(f"On one VIP, HTTP and HTTPS are served with the client's address, also after {len(acts)} restarts, within "
                  f"{deadlines.CONFIRM_WITHIN:g} s.")  # fmt: skip
    waits = served.Waits(history)
    good: dict[str, int] = defaultdict(int)
    for call in calls:
        where = f" after {call['label']}" if call["label"] else ""
        if fault := told.wrong(call):
            tally.faults.append(fault + where)
        elif (took := waits.answer(call)) > deadlines.CONFIRM_WITHIN:
            tally.faults.append(f"{called.name_of(call)}: answered only after {took:.2f} s{where}")
        else:
            good[call["label"] or "the start"] += 1
    return tally.finding("served with the client's address: " + ", ".join(f"{count} after {name}" for name, count in good.items()))


def users_stay(history: History, wanted: int) -> Finding:
    """TP-TLS-04: each user (`client`), whose first call set a cookie, reaches the server of that call in all `wanted` later ones."""
    tally = Tally(f"Each user's {wanted} requests over HTTPS with the cookie reach the server of the first, and the cookie is Secure.")
    answers = called.Answers(history)
    servers: set[str] = set()
    stayed = 0
    people = called.by_client(history)
    for user, calls in people.items():
        first, later = calls[0], calls[1:]
        home = answers.server(first)
        if home is None:
            tally.faults.append(f"{user}: {called.outcome_text(first)}")
            continue
        servers.add(home)
        if fault := _cookie_fault(first):
            tally.faults.append(f"{user}: {fault}")
        moved = [call for call in later if answers.server(call) != home]
        stayed += len(later) - len(moved)
        if moved:
            where = answers.server(moved[0]) or called.outcome_text(moved[0])
            tally.faults.append(f"{user}: {len(moved)} of {len(later)} requests left {home} ({where})")
        if len(later) < wanted:
            raise ValueError(f"user {user} came only {len(later)} times")
    if len(servers) < 2 and not tally.faults:
        # All in one place keeps everybody, and says nothing.
        tally.faults.append(f"all {len(people)} users were on one server, so that nothing is shown")
    total = sum(len(calls) - 1 for calls in people.values())
    return tally.finding(f"{stayed} of {total} requests of {len(people)} users reached the user's server; servers used: {len(servers)}")


def _cookie_fault(first: Event) -> str | None:
    set_by = [cookie for reply in first["replies"] for cookie in reply["set_cookie"]]
    if not first["cookies"]:
        return "no cookie was set"
    if any(not secure for _, _, secure in first["cookies"]):
        return f"the cookie is not Secure over HTTPS ({set_by[0] if set_by else ''})"
    return None


def resumption_moves_nobody(history: History) -> Finding:
    """TP-TLS-09: each user's calls, which resume the TLS session of the one before, reach the user's server, which is told each one's address."""
    tally = Tally("A user who resumes a TLS session reaches the same server, which is told the address of this very connection.")
    told = Told(history)
    people = called.by_client(history)
    resumed = total = 0
    for user, calls in people.items():
        home = told.answers.server(calls[0])
        for call in calls:
            total += 1
            resumed += call.get("tls", {}).get("resumed", False)
            if fault := told.wrong(call):
                tally.faults.append(f"{user} with {call['label']}: {fault}")
            elif (server := told.answers.server(call)) != home:
                tally.faults.append(f"{user} with {call['label']}: moved from {home} to {server}")
    return tally.finding(f"{total} requests of {len(people)} users, {resumed} of them in resumed sessions", Verdict.NON_STRICT)
