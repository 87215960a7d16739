"""RDP-PARSE: requests that are complete without a name, hold two keys, or carry more than a name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from ... import deadlines
from ...verdicts import Verdict
from ...wire import ConnectionRequest, Decoded, decode_token
from ..finding import Finding, Tally
from ..history import Event, History
from . import served

_SECOND = 1_000_000_000


def request_is_not_held(history: History) -> Finding:
    """RDP-PARSE-05: from a request's bytes to the first of the answer it takes no more than 1 s, on the client's link."""
    tally = Tally(f"Every kind of Connection Request is answered within {deadlines.PROMPT:g} s once it is complete.")
    flows = {(flow["client"], flow["cport"]): flow for flow in history.of("flow", link="client:eth0")}
    took: dict[str, list[float]] = defaultdict(list)
    refused: list[str] = []
    everyone = served.some(served.visits(history), "visit")
    for visit in everyone:
        if visit["outcome"] == "timeout":
            tally.faults.append(f"{visit['label']}: {served.outcome_text(visit)}")
        if visit["outcome"] != "answered":
            refused += [visit["label"]] if visit["outcome"] != "timeout" else []
            continue
        flow = flows[visit["source"], visit["port"]]
        took[visit["label"]].append((flow["data_to_client"] - flow["data_to_server"]) / _SECOND)
    for vector, seconds in took.items():
        if max(seconds) > deadlines.PROMPT:
            tally.faults.append(f"{vector}: held for {max(seconds):.2f} s")
    prompt = sum(1 for seconds in took.values() for one in seconds if one <= deadlines.PROMPT)
    if refused and not tally.faults:
        reason = f"{', '.join(dict.fromkeys(refused))} got no service, which RDP-PARSE-01 and -04 are about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    start, end = min(visit["started"] for visit in everyone), max(visit["t"] for visit in everyone)
    return tally.finding(f"{prompt} of {len(everyone)} requests were answered at once", Verdict.NON_STRICT,
                         window=(start, end), margin=deadlines.PROMPT)  # fmt: skip


def token_and_cookie_give_one_result(history: History, visits_each: int) -> Finding:
    """RDP-PARSE-08: with both in one request, each order of the two gives every user one server; says what decides.

    Visits: `cookie alone` (tells each user's own server), `token first`, `cookie first` (the token is another server's).
    """
    requests = served.Requests(history)
    tally = Tally(f"A request with token and cookie reaches the same server {visits_each} times of {visits_each}.")
    homes = {visit["user"]: requests.server(visit) for visit in served.visits(history, "cookie alone")}
    said = []
    for order in ("token first", "cookie first"):
        placed: dict[str, list[str | None]] = defaultdict(list)
        targets: dict[str, str | None] = {}
        for visit in served.some(served.visits(history, order), f"visit with {order}"):
            server = requests.server(visit)
            if server is None:
                tally.faults.append(f"{order}, {served.name_of(visit)}: {served.outcome_text(visit)}")
            placed[visit["user"]].append(server)
            targets[visit["user"]] = _target(history, visit)
        winners = {user: _winner(servers, homes[user], targets[user]) for user, servers in placed.items()}
        split = [user for user, winner in winners.items() if winner is None]
        if split:
            shares = Counter(placed[split[0]])
            tally.faults.append(f"{order}: {len(split)} of {len(winners)} users were not always on one server "
                                f"({split[0]}: {', '.join(f'{server} {n} times' for server, n in shares.items())})")  # fmt: skip
            said.append(f"{order}: no rule")
        else:
            # A token that is a key like any other leads anywhere, by chance also to the user's own server.
            one = winners.popitem()[1] if len(set(winners.values())) == 1 else "neither"
            said.append(f"{order}: {one} wins" if one != "neither" else f"{order}: one server each, but neither of the two names it")
    return tally.finding("; ".join(said), Verdict.NON_STRICT)


def _target(history: History, visit: Event) -> str | None:
    """The server that the token in a visit's request names."""
    request = ConnectionRequest.decode(bytes.fromhex(visit["sent"]))
    assert isinstance(request, Decoded)
    address = decode_token(request.value.routing_token or b"")
    known = {tuple(pair): name for name, pairs in served.setup(history)["addresses"].items() for pair in pairs}
    return known.get(tuple(address)) if address else None


def _winner(servers: Sequence[str | None], home: str | None, target: str | None) -> str | None:
    """cookie, token, or neither; None where a user was on more than one server, or on none."""
    if len(set(servers)) != 1 or servers[0] is None:
        return None
    return {home: "the cookie", target: "the token"}.get(servers[0], "neither")


def correlation_info_is_no_cookie(history: History, control: str, nameless: Sequence[str]) -> Finding:
    """RDP-PARSE-09: correlation info changes nothing for a user with a name, and is no name where there is none.

    Visits: `plain` (each user's first), `correlated` (the same users), and clients without a name: `nameless` labels with
    correlation info, `control` without.
    """
    requests = served.Requests(history)
    tally = Tally("A user whose request carries correlation info reaches the user's own server; clients that send correlation "
                  "info and no name are served and not all sent to one server.")  # fmt: skip
    homes = {visit["user"]: requests.server(visit) for visit in served.visits(history, "plain")}
    correlated = served.some(served.visits(history, "correlated"), "visit with correlation info")
    right = 0
    for visit in correlated:
        server = requests.server(visit)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}, with correlation info: {served.outcome_text(visit)}")
        elif server != homes[visit["user"]]:
            tally.faults.append(f"{served.name_of(visit)}, with correlation info: {server} instead of {homes[visit['user']]}")
        else:
            right += 1
    balanced = len({requests.server(visit) for visit in served.visits(history, control)} - {None}) > 1
    shares = []
    for label in nameless:
        everyone = served.some(served.visits(history, label), label)
        placed = [server for visit in everyone if (server := requests.server(visit))]
        if len(placed) < len(everyone):
            tally.faults.append(f"{label}: {len(everyone) - len(placed)} of {len(everyone)} clients without a name were not served")
        elif balanced and len(set(placed)) == 1:
            tally.faults.append(f"{label}: all {len(placed)} clients without a name were sent to {placed[0]}")
        shares.append(f"{label}: " + ", ".join(f"{server} {n}" for server, n in served.counts(placed, served.servers(history)).items()))
    if not balanced and not tally.faults:
        reason = "clients without a name are not balanced even without correlation info, which RDP-PERSIST-10 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    return tally.finding(f"{right} of {len(correlated)} requests of {len(homes)} users reached the user's server; " + "; ".join(shares))
