"""RDP-PERSIST-11 to -13: users at the same moment, more users than a table holds, and where new users go."""

from __future__ import annotations

from collections import defaultdict

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from ..statistics import binomial_region
from . import served

TOGETHER = 0.005
"""s by which two first packets of one user may lie apart (catalogue, RDP-PERSIST-11)"""
_ENOUGH = 0.5
"""of the pairs must have been released together, or the machine is too slow"""


def pairs_agree(history: History) -> Finding:
    """RDP-PERSIST-11: two first connections of one user, whose first packets come within 5 ms, reach one server.

    When they were sent is taken from the capture on the clients' link.
    """
    requests = served.Requests(history)
    sent = {(flow["client"], flow["cport"]): flow["data_to_server"]
            for flow in history.of("flow", link="client:eth0") if "data_to_server" in flow}  # fmt: skip
    users: dict[str, list[Event]] = defaultdict(list)
    for visit in served.some(served.visits(history, "pair"), "pair"):
        users[visit["user"]].append(visit)
    tally = Tally(f"Two first connections of one user within {TOGETHER * 1000:g} ms reach the same server.")
    agreed = counted = 0
    homes = []
    for user, (one, other) in users.items():
        stamps = [sent.get((visit["source"], visit["port"])) for visit in (one, other)]
        if None in stamps or abs(stamps[0] - stamps[1]) > TOGETHER * 1e9:
            continue
        counted += 1
        servers = [requests.server(visit) for visit in (one, other)]
        if None in servers:
            lost = one if servers[0] is None else other
            tally.faults.append(f"user {user}: {served.outcome_text(lost)}")
        elif servers[0] != servers[1]:
            tally.faults.append(f"user {user} was on {servers[0]} and {servers[1]}")
        else:
            agreed += 1
            homes.append(servers[0])
    observed = f"{agreed} of {counted} pairs agreed"
    if counted < _ENOUGH * len(users):
        reason = f"machine too slow: only {counted} of {len(users)} pairs were sent within {TOGETHER * 1000:g} ms"
        return Finding(Verdict.HARNESS_ERROR, tally.expected, f"{reason}. {observed}", reason)
    placed = served.counts(homes, served.servers(history))
    if not tally.faults and sum(1 for count in placed.values() if count) < 2:
        reason = f"all {counted} users are on one server, so nothing is kept apart (RDP-PERSIST-03 is about that)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    split = counted - agreed
    measured = {"id": "split-pairs", "value": split, "unit": f"of {counted}", "error": 0.0, "requirement": "RDP-PERSIST-11"}
    return tally.finding(observed, Verdict.NON_STRICT, measurements=(measured,), silence=True)


def full_table_serves(history: History, room: int | None) -> Finding:
    """RDP-PERSIST-12: with more users than `room`, everybody is served, and the newest are remembered.

    Visits: `early`, then `newest` (as many as there is room), `newest again`, `oldest again` (some of `early`). The oldest
    show that there is room for no more: they must be spread anew. `room` is None for a deployment that declares to have no
    table, and then the oldest are held to that.
    """
    requests = served.Requests(history)
    known = served.servers(history)
    tally = Tally(f"With room for {room} users, three times as many are all served, and the newest {room} are remembered."
                  if room else "Without a table that could be full, all users are served and remembered.")  # fmt: skip
    homes: dict[str, str] = {}
    kept = {"newest again": 0, "oldest again": 0}
    everyone = served.some(served.visits(history), "visit")
    good = 0
    for visit in everyone:
        server, label = requests.server(visit), visit["label"]
        if server is None:
            tally.faults.append(f"{served.name_of(visit)} ({label}): {served.outcome_text(visit)}")
            continue
        good += 1
        if label not in kept:
            homes[visit["user"]] = server
        elif server == homes.get(visit["user"]):
            kept[label] += 1
        elif visit["user"] in homes and (label == "newest again" or room is None):
            tally.faults.append(f"{served.name_of(visit)} was on {homes[visit['user']]}, then on {server} ({label})")
    newest, oldest = (len(served.visits(history, label)) for label in kept)
    served.some(range(newest), "visit of the newest"), served.some(range(oldest), "visit of the oldest")
    observed = (f"{good} of {len(everyone)} connections were served; {kept['newest again']} of the newest {newest} users and "
                f"{kept['oldest again']} of the oldest {oldest} were on their server when they came again")  # fmt: skip
    placed = served.counts(list(homes.values()), known)
    if not tally.faults and sum(1 for count in placed.values() if count) < 2:
        reason = f"all {len(homes)} users are on one server, so nothing is kept apart (RDP-PERSIST-03 is about that)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    allowed = binomial_region(oldest, len(known))[1]
    if not tally.faults and room and kept["oldest again"] > allowed:
        reason = (f"the variant's limit of {room} users is not in force: {kept['oldest again']} of the oldest {oldest} are "
                  f"still known (by chance at most {allowed}); without a table declare `size: none` and leave the "
                  "variant out")  # fmt: skip
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    return tally.finding(observed, Verdict.NON_STRICT, figures=(served.distribution("Users per server", placed),))


def new_users_go_where_there_is_room(history: History) -> Finding:
    """RDP-PERSIST-13: sessions per server differ by 1 at most; also after all on one server have ended and others came.

    Visits: sessions `held`, then `newcomer`. Between them is the mark `emptied`, and `session-end` events of those who left.
    """
    requests = served.Requests(history)
    known = served.servers(history)
    tally = Tally("New users go where there are fewest sessions: no two servers differ by more than 1, also after the "
                  "sessions on one of them have ended and new users came.")  # fmt: skip
    for visit in served.visits(history):
        if requests.server(visit) is None:
            tally.faults.append(f"{served.name_of(visit)} ({visit['label']}): {served.outcome_text(visit)}")
    ends = list(history.of("session-end"))
    left = {end["visit"] for end in ends}
    if cut := sum(1 for end in ends if end["how"] != "left"):
        tally.faults.append(f"{cut} held sessions were closed by the balancer")
    held = served.some(served.visits(history, "held"), "held session")
    newcomers = served.some(served.visits(history, "newcomer"), "newcomer")
    stages = {f"{len(held)} sessions": held,
              f"{len(left)} sessions ended, {len(newcomers)} new ones":
              [visit for visit in [*held, *newcomers] if visit["visit"] not in left]}  # fmt: skip
    figures, seen = [], []
    for stage, sessions in stages.items():
        counts = served.counts([server for visit in sessions if (server := requests.server(visit))], known)
        numbers = ", ".join(f"{server} {count}" for server, count in counts.items())
        seen.append(f"{stage}: {numbers}")
        figures.append(served.distribution(stage, counts))
        if max(counts.values()) - min(counts.values()) > 1:
            tally.faults.append(f"{stage}: {numbers}")
    return tally.finding("; ".join(seen), Verdict.NON_STRICT, figures=tuple(figures))
