"""What the certificates that were seen tell of persistence. Reads the history alone.

A verdict needs servers that can be told apart. Where several may show one certificate, a user who moves between these is
not seen: so nothing passes unless it is known how many servers there are, and each shows a certificate of its own.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..evidence.finding import Finding
from ..evidence.history import Event, History
from ..evidence.statistics import ERROR_RATE, binomial_region, chance_to_repeat
from ..verdicts import Verdict
from .names import Names
from .scheme import FEWEST, REPEATS, enough, needed
from .visit import CONFIRMED, SERVED

JUDGED = ("RDP-PARSE-04", "RDP-PERSIST-01", "RDP-PERSIST-02", "RDP-PERSIST-03", "RDP-PERSIST-10")
ONE_CERTIFICATE = ("all {count} connections were shown one and the same certificate: all servers have it (a wildcard, copies "
                   "of one machine), or TLS ends at the balancer, or all users are on one server. Nothing can be told of "
                   "persistence")  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """The history, and the names of its servers."""

    history: History
    names: Names

    def visits(self, phase: str) -> list[Event]:
        return list(self.history.of("visit", phase=phase))

    @property
    def given(self) -> Event:
        return self.history.events[0]

    def unserved(self, visits: Iterable[Event]) -> str:
        """What clients without a certificate saw; empty if there are none."""
        visits = list(visits)
        outcomes = Counter(visit["outcome"] for visit in visits if visit["outcome"] != SERVED)
        told = ", ".join(f"{outcome} ({count})" for outcome, count in outcomes.most_common())
        return f"{sum(outcomes.values())} of {len(visits)} connections got as far as no certificate: {told}" if outcomes else ""

    def placed(self, visits: Iterable[Event]) -> Counter[str]:
        """Connections by server, every known server among them."""
        found = Counter(dict.fromkeys(self.names.known, 0))
        found.update(self.names.server(visit) for visit in visits if visit["certificate"])
        return found


def judge(history: History) -> dict[str, Finding]:
    """A finding for each of JUDGED."""
    seen = Seen(history, Names(history))
    stopped = next((event["why"] for event in history.of("stopped")), None)
    found: dict[str, Finding] = {}
    for requirement, check in _CHECKS.items():
        finding = check(seen)
        if stopped and finding.verdict is not Verdict.FAIL:
            finding = _open(finding.expected, finding.observed, stopped)
        found[requirement] = _after(finding, [(one, found[one]) for one in _NEEDS.get(requirement, ())])
    last = found["RDP-PERSIST-10"]
    if found["RDP-PERSIST-03"].verdict is Verdict.FAIL and last.verdict in (Verdict.PASS, Verdict.FAIL):
        # Clients without a name may even out what those with one have made uneven.
        found["RDP-PERSIST-10"] = replace(last, verdict=Verdict.BLOCKED, reason="RDP-PERSIST-03 failed")
    return found


def _after(finding: Finding, needs: list[tuple[str, Finding]]) -> Finding:
    """Its verdict, where those that it needs allow one."""
    for name, other in needs:
        if other.verdict is Verdict.FAIL and finding.verdict is not Verdict.NOT_RUN:
            return Finding(Verdict.BLOCKED, finding.expected, finding.observed, f"{name} failed")
        if other.verdict is not Verdict.PASS and finding.verdict is Verdict.PASS:
            return _open(finding.expected, finding.observed, f"it needs {name}, which was not judged")
    return finding


def _open(expected: str, observed: str, reason: str, figures: tuple[dict[str, Any], ...] = ()) -> Finding:
    return Finding(Verdict.NOT_RUN, expected, observed, reason, figures=figures)


# -- RDP-PERSIST-01, -02 --------------------------------------------------------------------------


def returns(seen: Seen) -> Finding:
    """RDP-PERSIST-01: each user is shown the same certificate in every visit, all from one address."""
    rounds = seen.given["rounds"]
    expected = f"Each user reaches one and the same server in all of {rounds} visits."
    return _one_each(seen, "round", rounds, expected, _returns_enough)


def _returns_enough(seen: Seen, homes: Counter[str], times: int) -> str:
    repeats = homes.total() * (times - 1)
    if repeats < REPEATS:
        return f"{homes.total()} users are too few: {FEWEST} are needed"
    return _by_chance(homes, times)


def follows(seen: Seen) -> Finding:
    """RDP-PERSIST-02: each user is shown the same certificate from every address."""
    places = seen.given["sources"]
    expected = "Each user reaches one and the same server from every address."
    if len(places) < 2:
        return _open(expected, "", "it needs several addresses to connect from: give --source twice or more, addresses of this "
                                   "machine that the VIP sees as they are")  # fmt: skip
    return _one_each(seen, "roaming", len(places), expected, _far_enough)


def _far_enough(seen: Seen, homes: Counter[str], times: int) -> str:
    places = [ipaddress.ip_address(one.partition("%")[0]) for one in seen.given["sources"]]
    length = 24 if places[0].version == 4 else 64
    if len({ipaddress.ip_network((place, length), strict=False) for place in places}) < 2:
        return (f"all --source addresses are in one /{length} network, so a balancer that goes by the network could not be told "
                "from one that goes by the name: give one of another network")  # fmt: skip
    return _by_chance(homes, times)


def _by_chance(homes: Counter[str], times: int) -> str:
    """Whether users who are dealt out anew in each turn, as many to each server as before, would have been seen."""
    if chance_to_repeat(homes.values()) ** (times - 1) <= ERROR_RATE:
        return ""
    shown = ", ".join(f"{server} {count}" for server, count in homes.items())
    return f"the users are too few, or too few of them on a second server ({shown}): it could be chance"


def _one_each(seen: Seen, phase: str, times: int, expected: str, lack: Callable[[Seen, Counter[str], int], str]) -> Finding:
    visits = seen.visits(phase)
    where: dict[str, list[str]] = defaultdict(list)
    for visit in visits:
        if visit["certificate"]:
            where[visit["user"]].append(seen.names.server(visit))
    split = {user: Counter(places) for user, places in where.items() if len(set(places)) > 1}
    homes = Counter(places[0] for user, places in where.items() if user not in split)
    observed = f"{homes.total()} of {len(where)} users were always on one server, in {len(visits)} connections"
    figure = _figure("Users per server", seen.names.known, homes)
    if split and not seen.names.too_many:
        said = [f"user {user} was on " + ", ".join(f"{server} {count} times" for server, count in places.items())
                for user, places in split.items()]  # fmt: skip
        more = f"; and {len(said) - 5} more" if len(said) > 5 else ""
        return Finding(Verdict.FAIL, expected, f"{observed}. {'; '.join(said[:5])}{more}", said[0], figures=figure)
    why = seen.unserved(visits) or _few_certificates(visits) or seen.names.doubt or lack(seen, homes, times)
    why = why or _incomplete(where, times)
    return _open(expected, observed, why, figure) if why else Finding(Verdict.PASS, expected, observed, figures=figure)


def _incomplete(where: dict[str, list[str]], times: int) -> str:
    short = [user for user, places in where.items() if len(places) != times]
    return f"user {short[0]} made fewer visits than planned" if short else ""


def _few_certificates(visits: list[Event]) -> str:
    if not visits:
        return "no connection was made for it"
    return ONE_CERTIFICATE.format(count=len(visits)) if len({visit["certificate"] for visit in visits}) == 1 else ""


# -- RDP-PERSIST-03, -10 --------------------------------------------------------------------------


def spread(seen: Seen) -> Finding:
    """RDP-PERSIST-03: the users of one address are spread within the exact region."""
    first = [visit for visit in seen.visits("round") if visit["turn"] == 0]
    return _spread(seen, first, "users", "Users behind one address spread over the servers")


def _spread(seen: Seen, visits: list[Event], who: str, what: str) -> Finding:
    known, expected = seen.names.known, f"{what} within the exact binomial region at 1e-6."
    placed = seen.placed(visits)
    observed = ", ".join(f"{server} {count}" for server, count in placed.items()) or "nobody was served"
    why = seen.unserved(visits) or ("" if visits else "no connection was made for it") or seen.names.doubt
    if not why and len(known) < 2:
        why = "there is one server, so nothing to spread over"
    if why:
        return _open(expected, observed, why, _figure(f"{len(visits)} {who}", known, placed))
    low, high = binomial_region(len(visits), len(known))
    figure = _figure(f"{len(visits)} {who}", known, placed, (low, high))
    if out := [f"{server} has {count}" for server, count in placed.items() if not low <= count <= high]:
        reason = f"{', '.join(out)} of {len(visits)}, allowed {low} to {high} each"
        if not seen.given["even"]:
            return _open(expected, observed, f"{reason}. A balancer that goes by the load of the servers, or by weights, may do "
                                             "so rightly: if yours goes by neither, say so with --even", figure)  # fmt: skip
        return Finding(Verdict.FAIL, expected, f"{observed}. {reason}", reason, figures=figure)
    if not enough(len(visits), len(known)):
        few = f"{len(visits)} {who} are too few for {len(known)} servers: {needed(len(known))} are needed"
        return _open(expected, observed, few, figure)
    return Finding(Verdict.PASS, expected, f"{observed}; allowed {low} to {high} each", figures=figure)


def fallback(seen: Seen) -> Finding:
    """RDP-PERSIST-10: clients without a name, all behind one address, are spread, or with `source` on one server."""
    visits, rule = seen.visits("nameless"), seen.given["fallback"]
    if rule == "balance":
        return _spread(seen, visits, "clients without a name", "Clients without a name spread over the servers")
    placed = Counter(seen.names.server(visit) for visit in visits if visit["certificate"])
    observed = ", ".join(f"{server} {count}" for server, count in placed.items()) or "nobody was served"
    figure = _figure(f"{len(visits)} clients without a name, one address", seen.names.known, placed)
    if rule is None:
        why = "it is not said what the VIP does with clients that send no name: give --fallback balance or source"
        return _open("Clients without a name follow the stated fallback.", observed, why, figure)
    expected = "Clients without a name are on one server, if they come from one address."
    if len(placed) > 1:
        reason = f"one address: {observed}, although the fallback is source"
        return Finding(Verdict.FAIL, expected, observed, reason, figures=figure)
    many = needed(max(2, len(seen.names.known)))
    return _open(expected, observed, f"that different addresses are spread would take {many} addresses to connect from", figure)


# -- RDP-PARSE-04 ---------------------------------------------------------------------------------


def nameless(seen: Seen) -> Finding:
    """RDP-PARSE-04: requests without a name are answered like those with one, with and without negotiation data."""
    expected = "Requests without cookie and token get a server's Connection Confirm."
    named, without = seen.visits("round") + seen.visits("control"), seen.visits("nameless")
    compared, bare = seen.visits("named-bare"), seen.visits("bare")
    kinds = {"without a name": without, "eleven bytes": bare, "eleven bytes and a name": compared}
    observed = "; ".join(f"{what}: {sum(visit['outcome'] in (SERVED, CONFIRMED) for visit in visits)} of {len(visits)} served"
                         for what, visits in kinds.items())  # fmt: skip
    if not (named and without and compared and bare):
        return _open(expected, observed, "no connection was made for it")
    if why := seen.unserved(named):
        return _open(expected, observed, f"clients with a name were not all served either: {why}")
    # Where those with a name are all served, those without are turned away for the lack of it.
    if all(visit["outcome"] != SERVED for visit in without):
        return Finding(Verdict.FAIL, expected, observed, seen.unserved(without))
    if all(visit["outcome"] == CONFIRMED for visit in compared) and all(visit["outcome"] != CONFIRMED for visit in bare):
        reason = f"a request of eleven bytes is not served ({bare[0]['outcome']}), one with a name is"
        return Finding(Verdict.FAIL, expected, observed, reason)
    if why := seen.unserved(without):
        return _open(expected, observed, why)
    if any(visit["outcome"] != CONFIRMED for visit in compared + bare):
        outcome = next(visit["outcome"] for visit in compared + bare if visit["outcome"] != CONFIRMED)
        return _open(expected, observed, "requests that offer no TLS are not always served, with a name or without, so it cannot "
                                         f"be told who refuses the request of eleven bytes ({outcome})")  # fmt: skip
    return Finding(Verdict.PASS, expected, observed)


def _figure(title: str, known: list[str], placed: Counter[str],
            allowed: tuple[int, int] | None = None) -> tuple[dict[str, Any], ...]:  # fmt: skip
    """The report's chart; none where nobody was served."""
    servers = {**dict.fromkeys(known, 0), **placed}
    figure: dict[str, Any] = {"kind": "distribution", "title": title, "unit": "users", "servers": servers}
    return ({**figure, "allowed": list(allowed)} if allowed else figure,) if servers else ()


_CHECKS = dict(zip(JUDGED, (nameless, returns, follows, spread, fallback), strict=True))
_NEEDS = {"RDP-PERSIST-02": ("RDP-PERSIST-01",), "RDP-PERSIST-10": ("RDP-PARSE-04",)}
