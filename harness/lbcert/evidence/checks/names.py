"""RDP-PERSIST-06 to -10: names that are cut, written in other ways, empty, long, or not there at all."""

from __future__ import annotations

from collections import defaultdict

from ...dut import declares
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from ..statistics import binomial_region
from . import served


def alike_clients_are_spread(history: History) -> Finding:
    """RDP-PERSIST-06, -08: clients who send the same packet (the label says which) are spread over the servers."""
    tally = Tally("")
    known = served.servers(history)
    groups = _placed(history, tally)
    figures, seen = _judge_spread(groups, known, tally)
    total = sum(map(len, groups.values()))
    low, high = binomial_region(total, len(known))
    tally.expected = (f"Clients who cannot be told apart are no single user: each server gets {low} to {high} of {total} "
                      "(exact binomial region at 1e-6).")  # fmt: skip
    return tally.finding("; ".join(seen) or "nobody was served", Verdict.NON_STRICT, figures=tuple(figures))


def fallback_is_followed(history: History) -> Finding:
    """RDP-PERSIST-10: clients without a name follow the declared fallback.

    Labels: `many addresses` (each client its own) and `one address`, whose clients are on one server if the fallback is
    the source address, and spread if it is not.
    """
    fallback = declares(served.setup(history)["declares"]).fallback
    known = served.servers(history)
    rule = "are spread as well" if fallback == "balance" else "are all on one server, as `fallback: source` says"
    tally = Tally(f"Clients without a name are spread over the servers (exact binomial region at 1e-6); those behind one "
                  f"address {rule}.")  # fmt: skip
    groups = _placed(history, tally)
    together = groups.pop("one address", []) if fallback == "source" else []
    figures, seen = _judge_spread(groups, known, tally)
    if fallback == "source":
        counts = served.counts(together, known)
        seen.append("one address: " + _numbers(counts))
        figures.append(served.distribution(f"{len(together)} clients, one address", counts))
        if len(set(together)) > 1:
            tally.faults.append(f"one address: {_numbers(counts)}, although `fallback: source` is declared")
    return tally.finding("; ".join(seen) or "nobody was served", figures=tuple(figures))


def _placed(history: History, tally: Tally) -> dict[str, list[str]]:
    """The servers that clients reached, by label; a client without service is a fault."""
    requests = served.Requests(history)
    groups: dict[str, list[str]] = defaultdict(list)
    for visit in served.some(served.visits(history), "visit"):
        server = requests.server(visit)
        if server is None:
            tally.faults.append(f"{visit['label']}, client {visit['source']}: {served.outcome_text(visit)}")
        else:
            groups[visit["label"]].append(server)
    return groups


def _judge_spread(groups: dict[str, list[str]], known: list[str], tally: Tally) -> tuple[list[dict], list[str]]:
    """Charts and numbers of groups that must be spread; a server outside the region is a fault."""
    figures, seen = [], []
    for label, placed in groups.items():
        region = binomial_region(len(placed), len(known))
        counts = served.counts(placed, known)
        figures.append(served.distribution(f"{len(placed)} clients, {label}", counts, region))
        seen.append(f"{label}: {_numbers(counts)}")
        if any(not region[0] <= count <= region[1] for count in counts.values()):
            tally.faults.append(f"{label}: {_numbers(counts)}, allowed {region[0]} to {region[1]} each")
    return figures, seen


def _numbers(counts: dict[str, int]) -> str:
    return ", ".join(f"{server} {count}" for server, count in counts.items())


def forms_of_a_name(history: History) -> Finding:
    """RDP-PERSIST-07: which ways of writing a name lead to the server of the plain name. Nothing is judged.

    The label of a visit is the form, `plain` for the first and `plain again` for the last visit of each user.
    """
    requests = served.Requests(history)
    tally = Tally("Which ways of writing a user's name lead to the server of the plain name is found out and told.")
    table: dict[str, dict[str, str | None]] = defaultdict(dict)
    for visit in served.some(served.visits(history), "visit"):
        table[visit["label"]][visit["user"]] = requests.server(visit)
    plain, again = table.pop("plain"), table.pop("plain again")
    if again != plain or None in plain.values() or len(set(plain.values())) < 2:
        reason = "users with their plain names have no server of their own, which RDP-PERSIST-01 and -03 are about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    said, measurements, evidence = [], [], []
    low, high = binomial_region(len(plain), len(served.servers(history)))
    for form, servers in table.items():
        same = sum(1 for user, server in servers.items() if server == plain[user])
        lost = sum(1 for server in servers.values() if server is None)
        meaning = ("always the same server" if same == len(plain) else
                   "the same server no more often than by chance" if low <= same <= high else
                   "the same server sometimes" if same else "never the same server")  # fmt: skip
        if lost:
            meaning = f"no service for {lost} of {len(servers)}"
        said.append(f"{form}: {meaning} ({same} of {len(plain)} users)")
        measurements.append({"id": f"same-server-{form.replace(' ', '-')}", "value": same, "unit": f"of {len(plain)}",
                             "error": 0.0, "requirement": "RDP-PERSIST-07"})  # fmt: skip
    for user, server in list(plain.items())[:3]:
        others = ", ".join(f"{form} {servers[user]}" for form, servers in table.items())
        evidence.append(f"{user}: plain {server}, {others}")
    observed = "; ".join(said)
    return Finding(Verdict.MEASURED, tally.expected, observed, observed, tuple(evidence), measurements=tuple(measurements))


def long_names_are_told_apart(history: History) -> Finding:
    """RDP-PERSIST-09: users whose names differ in the last character only are not always on one server."""
    requests = served.Requests(history)
    tally = Tally("Names of 40 characters that differ in the last one only are users of their own: not every pair of them "
                  "is on one server.")  # fmt: skip
    pairs: dict[str, dict[str, str]] = defaultdict(dict)
    for visit in served.some(served.visits(history, "pair"), "pair"):
        server = requests.server(visit)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}: {served.outcome_text(visit)}")
        else:
            pairs[visit["user"][:-1]][visit["user"]] = server
    whole = [set(servers.values()) for servers in pairs.values() if len(servers) == 2]
    together = sum(1 for servers in whole if len(servers) == 1)
    observed = f"{together} of {len(whole)} pairs are on one server"
    everywhere = set().union(*whole) if whole else set()
    if not tally.faults and len(everywhere) < 2:
        reason = "all users are on one server, so nothing is kept apart (RDP-PERSIST-03 is about that)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    if whole and together == len(whole):
        tally.faults.append(f"all {together} pairs are on one server, as if names were cut")
    return tally.finding(observed, Verdict.NON_STRICT)
