"""RDP-PERSIST: persistence on the user's name."""

from __future__ import annotations

from collections import defaultdict

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from ..statistics import binomial_region
from . import served


def one_server_per_user(history: History, visits_each: int) -> Finding:
    """RDP-PERSIST-01, -02: each user is on one server in every visit (other users, label `other`, are company)."""
    requests = served.Requests(history)
    tally = Tally(f"Each user reaches one and the same server in all of {visits_each} visits.")
    where: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
    for visit in served.visits(history):
        if visit["label"] == "other":
            continue
        server = requests.server(visit)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)} from {visit['source']}: {served.outcome_text(visit)}")
        where[visit["user"]].append((server, visit["source"]))
    homes = []
    for user, places in served.some(where.items(), "visit"):
        seen = [server for server, _ in places if server is not None]
        if len(places) != visits_each:
            raise ValueError(f"{user} made {len(places)} visits, not {visits_each}")
        if len(set(seen)) > 1:
            split = ", ".join(f"{server} {seen.count(server)} times" for server in dict.fromkeys(seen))
            tally.faults.append(f"user {user} was on {split}")
        elif seen:
            homes.append(seen[0])
    placed = served.counts(homes, served.servers(history))
    if not tally.faults and sum(1 for count in placed.values() if count) < 2:
        reason = f"all {len(homes)} users are on one server, so nothing is kept apart (RDP-PERSIST-03 is about that)"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    figure = served.distribution("Users per server", placed)
    return tally.finding(f"{len(homes)} of {len(where)} users were always on one server", figures=(figure,))


def users_are_spread(history: History) -> Finding:
    """RDP-PERSIST-03: each family of names (the label) spreads over the servers within the exact region."""
    requests = served.Requests(history)
    known = served.servers(history)
    families: dict[str, list[str]] = defaultdict(list)
    tally = Tally("")
    total = 0
    for visit in served.some(served.visits(history), "visit"):
        server = requests.server(visit)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}: {served.outcome_text(visit)}")
        else:
            families[visit["label"]].append(server)
        total += 1
    figures, seen = [], []
    region = (0, 0)
    for family, placed in families.items():
        region = binomial_region(len(placed), len(known))
        counts = served.counts(placed, known)
        figures.append(served.distribution(f"{len(placed)} users, {family}", counts, region))
        numbers = ", ".join(f"{server} {count}" for server, count in counts.items())
        seen.append(f"{family}: {numbers}")
        if any(not region[0] <= count <= region[1] for count in counts.values()):
            tally.faults.append(f"{family}: {numbers}, allowed {region[0]} to {region[1]} each")
    tally.expected = (f"Users behind one address spread over the servers: with {len(known)} servers and 200 users of each "
                      f"family, every server has {region[0]} to {region[1]} (exact binomial region at 1e-6).")  # fmt: skip
    return tally.finding("; ".join(seen) or f"none of {total} users was served", figures=tuple(figures))
