"""RDP-PERSIST-04, -05: how long a user is remembered.

Where a lifetime is in force, users who stayed away longer show that: they must be spread anew. If they all are where they
were, returning users prove nothing about the lifetime.
"""

from __future__ import annotations

from ...dut import declares
from ...dut_model import LIFETIME_FLOOR
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from ..statistics import binomial_region
from . import served

_SECOND = 1_000_000_000
_TOO_LATE = 0.97
"""of the lifetime: who comes back later than that may have been forgotten rightly, through lateness of ours"""
_ENOUGH = 0.8
"""of the visits must have come in time, or the machine is too slow"""


def session_outlives_lifetime(history: History, lifetime: float | None, held: float) -> Finding:
    """RDP-PERSIST-04: after a session of `held` seconds each user is sent to the server that had it.

    Visits: `held` (sessions) and `held again`; `away` (gone at once) and `away again`. `lifetime` is that of an entry; None
    if the deployment declares to forget nobody, and then the users who stayed away are held to that.
    """
    tally = Tally(f"A user whose session lasted {held:g} s, with traffic, returns to its server"
                  + (f", although an entry lives {lifetime:g} s." if lifetime else
                     "; so does one who stayed away as long, since `timer: none` is declared."))  # fmt: skip
    requests = served.Requests(history)
    homes = _homes(history, requests, "held", tally)
    ends = {end["visit"]: end for end in history.of("session-end")}
    for visit in served.visits(history, "held"):
        end = ends.get(visit["visit"])
        if end is None or visit["user"] not in homes:
            continue
        lasted = (end["t"] - visit["answered"]) / _SECOND
        if end["how"] != "left":
            tally.faults.append(f"the session of user {visit['user']} was closed after {lasted:.1f} s")
        elif lasted < held:
            raise ValueError(f"the session of user {visit['user']} lasted {lasted:.1f} s, not {held:g}")
    back = _returned(history, requests, "held again", homes, tally)
    observed = f"{back} of {len(homes)} users were back on their server after a session of {held:g} s"
    return _with_absent(history, requests, tally, observed, homes, lifetime, f"{held:g} s")


def lifetime_is_kept(history: History, lifetime: float | None, share: float) -> Finding:
    """RDP-PERSIST-05: users who come back after `share` of the lifetime are on their servers, twice in a row.

    Visits: `first`, `second` and `third`; `away` and `away again` (about the time of `third`).
    """
    timer = declares(served.setup(history)["declares"]).timer
    tally = Tally(f"A user who comes back after {share:.0%} of the lifetime is on the same server, and again after as long; "
                  f"the declared lifetime is at least {LIFETIME_FLOOR / 3600:g} h, or there is none.")  # fmt: skip
    if timer != "none" and (timer is None or timer < LIFETIME_FLOOR):
        told = "no lifetime is declared" if timer is None else f"the declared lifetime is {timer / 3600:.3g} h"
        tally.faults.append(f"{told}, and a disconnected session may wait {LIFETIME_FLOOR / 3600:g} h or longer")
    requests = served.Requests(history)
    homes = _homes(history, requests, "first", tally)
    # From the first moment at which the product can have noted a visit to the one at which it was asked again: how long it
    # then took is its own matter.
    waits = served.Waits(history)
    before = {visit["user"]: visit["started"] for visit in served.visits(history, "first") if visit["user"] in homes}
    kept = counted = 0
    late: set[str] = set()
    for label in ("second", "third"):
        for visit in served.visits(history, label):
            user = visit["user"]
            if user in before and lifetime and (waits.asked(visit) - before[user]) / _SECOND > _TOO_LATE * lifetime:
                late.add(user)
        kept += _returned(history, requests, label, homes, tally, late)
        counted += len(homes) - len(late)
        before = {visit["user"]: visit["started"] for visit in served.visits(history, label)
                  if visit["user"] in before and visit["answered"]}  # fmt: skip
    if counted < _ENOUGH * 2 * len(homes):
        reason = f"machine too slow: only {counted} of {2 * len(homes)} visits came within the lifetime"
        return Finding(Verdict.HARNESS_ERROR, tally.expected, reason, reason)
    observed = f"{kept} of {counted} reconnections reached the user's server; declared lifetime: "
    observed += f"{timer:g} s" if isinstance(timer, (int, float)) else str(timer)
    return _with_absent(history, requests, tally, observed, homes, lifetime, "twice that time", Verdict.NON_STRICT)


def _homes(history: History, requests: served.Requests, label: str, tally: Tally) -> dict[str, str]:
    homes = {}
    for visit in served.some(served.visits(history, label), f"visit {label}"):
        server = requests.server(visit)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}: {served.outcome_text(visit)}")
        else:
            homes[visit["user"]] = server
    return homes


def _returned(history: History, requests: served.Requests, label: str, homes: dict[str, str], tally: Tally,
              leave_out: set[str] = frozenset()) -> int:  # fmt: skip
    """How many of these users are at home; the others are faults."""
    kept = 0
    for visit in served.some(served.visits(history, label), f"visit {label}"):
        server, home = requests.server(visit), homes.get(visit["user"])
        if home is None or visit["user"] in leave_out:
            continue
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}, {label}: {served.outcome_text(visit)}")
        elif server != home:
            tally.faults.append(f"{served.name_of(visit)} was on {home}, then on {server} ({label})")
        else:
            kept += 1
    return kept


def _with_absent(history: History, requests: served.Requests, tally: Tally, observed: str, homes: dict[str, str],
                 lifetime: float | None, absence: str, failing: Verdict = Verdict.FAIL) -> Finding:  # fmt: skip
    """Complete a finding with the users who stayed away for longer than the lifetime."""
    known = served.servers(history)
    theirs = _homes(history, requests, "away", tally)
    judged = tally if lifetime is None else Tally("")
    stayed = _returned(history, requests, "away again", theirs, judged)
    observed += f"; {stayed} of {len(theirs)} who stayed away for {absence} were"
    placed = served.counts(list(homes.values()), known)
    figure = served.distribution("Users per server", placed)
    if not tally.faults and sum(1 for count in placed.values() if count) < 2:
        reason = f"all {len(homes)} users are on one server, so nothing is kept apart (RDP-PERSIST-03 is about that)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    allowed = binomial_region(len(theirs), len(known))[1]
    if not tally.faults and lifetime and stayed > allowed:
        reason = (f"the variant's lifetime of {lifetime:g} s is not in force: {stayed} of {len(theirs)} users who stayed "
                  f"away longer are still known (by chance at most {allowed}); if nobody is ever forgotten, declare "
                  "`timer: none` and leave the variant out")  # fmt: skip
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    return tally.finding(observed, failing, figures=(figure,))
