"""The balancer's own cookie: set once, hidden from the servers, kept out of caches and off the open wire, and obeyed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import History
from ..statistics import binomial_region
from .called import calls
from .outage import SECOND, bound_of
from .served import Waits, counts, servers, some
from .web_seen import Exchange, added, cookies, exchanges, header, names_added, unserved

READING = 60
"""s between two pages of one user, which a cookie has to outlive"""
AT_ONCE = 2.0
"""s within which a page comes where nothing is waited for (as in TP-ROUTE-01)"""
FAILED = 400
"""the first status of errors"""
SETS_NONE = "TP-COOKIE-01: the balancer sets no cookie"


def cookie_is_set_once(history: History, site: Sequence[str]) -> Finding:
    """Each client's first answer brings a cookie, and none of its later ones, as long as the client shows it.

    The site's own (`site`: its Set-Cookie lines in every answer) pass unchanged both ways.
    """
    tally = Tally("a client gets the balancer's cookie with its first answer, once; the site's own cookies pass unchanged both ways")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    own = names_added(history, site)
    first: dict[str, list[str]] = {}
    later = 0
    for one in seen:
        if one.trouble:
            tally.faults.append(one.trouble)
        elif one.reply is not None and one.name not in first:
            names = first[one.name] = [cookie.name for cookie in cookies(added(one.reply, site), one.target)]
            if not names or len(set(names)) < len(names):
                tally.faults.append(f"{one.name}: the first answer sets {names or 'no cookie'}")
        elif one.reply is not None:
            later += 1
            if again := added(one.reply, site):
                tally.faults.append(f"{one.name}: came back with {'; '.join(one.shown) or 'no cookie'} and is given {again[0]!r}")
        if not one.trouble and (changed := _changed(one, site, own)):
            tally.faults.append(changed)
    return tally.finding(f"{len(first)} clients, {sum(map(bool, first.values()))} were given a cookie, then {later} requests")


def cookie_is_hidden(history: History, site: Sequence[str]) -> Finding:
    """Servers see a client's cookies without the balancer's; clients see what the site sets, as it was set (`site`)."""
    tally = Tally("servers see every cookie of a client but the balancer's, clients every cookie of the site: each byte, in order")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    own = names_added(history, site)
    if not own:
        return _blocked(tally)
    with_it = without = 0
    for one in seen:
        if one.trouble or one.reply is None or one.request is None:
            tally.faults += [one.trouble] if one.trouble else []
            continue
        sent, came = _pairs(one.shown), header(one.request["headers"], "cookie")
        rest = [pair for pair in sent if _name(pair) not in own]
        with_it, without = with_it + (rest != sent), without + (rest == sent)
        if shown := [pair for pair in _pairs(came) if _name(pair) in own]:
            tally.faults.append(f"{one.name}: the server is shown {shown[0]!r}")
        elif changed := _changed(one, site, own):
            tally.faults.append(changed)
    told = f"{with_it} requests with the balancer's cookie ({', '.join(sorted(own))}) and {without} without it"
    return tally.finding(told, failing=Verdict.NON_STRICT)


def _changed(one: Exchange, site: Sequence[str], own: Collection[str]) -> str | None:
    """Which of the site's cookies did not pass as they were, of those that the client shows and those that it is given."""
    if one.reply is None or one.request is None:
        return None
    came = header(one.request["headers"], "cookie")
    sent, seen = ([pair for pair in _pairs(values) if _name(pair) not in own] for values in (one.shown, came))
    untouched = len(sent) == len(_pairs(one.shown))
    if seen != sent or (untouched and came != one.shown):
        return f"{one.name}: sent {'; '.join(sent)!r} of its own, the server has {'; '.join(came)!r}"
    if (kept := [line for line in one.reply["set_cookie"] if line in site]) != list(site):
        return f"{one.name}: of the site's {len(site)} Set-Cookie lines {len(kept)} came as they were, or in another order"
    return None


def insertion_is_not_cached(history: History, public: str) -> Finding:
    """An answer that sets the cookie is not for shared caches; without the cookie the site's `public` stays as it is.

    Calls labelled `known` are those of clients that show the cookie.
    """
    tally = Tally("an answer that sets the balancer's cookie may not be kept by shared caches; others stay as the site sent them")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    setting = other = 0
    for one in seen:
        # That a balancer replaces what servers say with an error's status is TP-HTTP-02's subject.
        replaced = one.request is None and one.reply is not None and one.reply["status"] >= FAILED
        if one.reply is None or (one.trouble and not replaced):
            tally.faults += [one.trouble] if one.trouble else []
            continue
        told = header(one.reply["headers"], "cache-control")
        said = f"{one.method} {one.reply['status']}, Cache-Control {', '.join(told) or 'missing'}"
        if lines := added(one.reply):
            setting += 1
            if not _kept_out(told):
                tally.faults.append(f"{one.name}: {said}, with {lines[0]!r}")
        elif one.call["label"] == "known" and not replaced:
            other += 1
            if told != [public]:
                tally.faults.append(f"{one.name}: {said}, without a cookie; the site said {public!r}")
    if not setting:
        return _blocked(tally)
    return tally.finding(f"{setting} answers that set the cookie, {other} to clients that had it")


def cookie_is_secure(history: History) -> Finding:
    """Over HTTPS the cookie is marked Secure, over HTTP it is not; HttpOnly is counted."""
    tally = Tally("a cookie set over HTTPS is marked Secure, and one set over HTTP is not: clients would not show it there")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    found: dict[str, list] = defaultdict(list)
    for one in seen:
        if one.trouble:
            tally.faults.append(one.trouble)
        elif one.reply is not None:
            made = cookies(added(one.reply), one.target)
            found[one.call["service"]] += made
            secure = one.call["service"] == "https"
            tally.faults += [f"{one.name}: {cookie.name} {'without' if secure else 'with'} Secure" for cookie in made
                             if cookie.secure != secure]  # fmt: skip
    if not found["https"]:
        return _blocked(tally)
    everyone = [cookie for made in found.values() for cookie in made]
    hidden = sum(cookie.http_only for cookie in everyone)
    told = ", ".join(f"{service}: {sum(cookie.secure for cookie in made)} of {len(made)} Secure" for service, made in sorted(found.items()))
    figure = {"id": "TP-COOKIE-04 HttpOnly", "value": round(100 * hidden / len(everyone), 1), "unit": "%", "requirement": "TP-COOKIE-04"}
    return tally.finding(f"{told}; {hidden} of {len(everyone)} HttpOnly", measurements=(figure,))


def odd_cookie_is_balanced(history: History, nobodys: Sequence[str]) -> Finding:
    """Whatever the cookie says, its client is served, and by one server from then on.

    Labels tell the kinds of value; those of `nobodys` name no server, so these clients are spread as chance has it.
    """
    tally = Tally("a client whose cookie names no server, or more than one, is balanced like a new one, and then followed")
    seen = some(list(exchanges(history)), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    known = servers(history)
    places: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    if not names_added(history):
        return _blocked(tally)
    for one in seen:
        kind, status = (one.call["service"], one.call["label"]), one.reply["status"] if one.reply else 0
        if status >= 400:
            tally.faults.append(f"{one.name} is answered {status}")
        elif one.trouble:
            tally.faults.append(one.trouble)
        elif one.server is not None:
            places[kind][one.client].append(one.server)
    for (service, kind), clients in places.items():
        for name, hosts in clients.items():
            if len(set(hosts)) > 1:
                tally.faults.append(f"{name} was on {', then '.join(hosts)}")
        starts = counts([hosts[0] for hosts in clients.values()], known)
        low, high = binomial_region(len(clients), len(known))
        if kind in nobodys and not all(low <= count <= high for count in starts.values()):
            told = ", ".join(f"{server} {count}" for server, count in starts.items())
            tally.faults.append(f"{service}, {kind}: {told} of {len(clients)} clients, allowed {low} to {high} each")
    return tally.finding(f"{len(places)} kinds of value, {sum(map(len, places.values()))} clients")


def cookie_keeps_server(history: History, pages: int) -> Finding:
    """Each client's `pages` requests behind the one that brought the cookie reach the server of that one; over HTTPS it is Secure."""
    tally = Tally(f"all {pages} further requests of a client reach the server that its cookie names, which over HTTPS is marked Secure")
    seen = some(list(exchanges(history, "first", "again")), "call")
    if blocked := unserved(seen, tally.expected):
        return blocked
    home: dict[str, str] = {}
    at_home: Counter[str] = Counter()
    for one in seen:
        if one.trouble or one.server is None:
            tally.faults += [one.trouble] if one.trouble else []
        elif one.call["label"] == "first":
            home[one.name] = one.server
            made = cookies(added(one.reply), one.target) if one.reply is not None else []
            tally.faults += [f"{one.name}: {cookie.name} without Secure" for cookie in made
                             if not cookie.secure and one.call["service"] == "https"]  # fmt: skip
            tally.faults += [f"{one.name}: {cookie.name} is kept for {cookie.max_age} s only, no longer than it takes to read a page"
                             for cookie in made if cookie.max_age is not None and cookie.max_age < READING]  # fmt: skip
        elif one.server != home.get(one.name):
            tally.faults.append(f"{one.name}: from {home.get(one.name)} to {one.server} with {'; '.join(one.shown) or 'no cookie'}")
        else:
            at_home[one.name] += 1
    tally.faults += [f"{name}: {at_home[name]} of {pages} requests on {server}" for name, server in home.items()
                     if at_home[name] < pages and not tally.faults]  # fmt: skip
    if not tally.faults and len(set(home.values())) < 2:
        tally.faults.append(f"all {len(home)} clients are on {' and '.join(set(home.values())) or 'no server'}, where chance had two at least")
    return tally.finding(f"{len(home)} clients, {sum(at_home.values())} of {pages * len(home)} requests on their own server")


def dead_servers_users_are_moved(history: History) -> Finding:
    """TP-COOKIE-06: a server crashes; from the detection bound on (label `after`, a page each, then `later`) its users are served in
    time by one other server, and the users of the others stay where they were (label `first`)."""
    crash = next(history.of("fault"))
    dead, late = crash["server"], list[str]()
    tally = Tally(f"once {dead} must be known as dead its users are served by another server within {AT_ONCE:g} s, and stay there; the "
                  "others' users stay where they are")  # fmt: skip
    bound, beyond = bound_of(history, "refused")
    tally.faults += [beyond] if beyond else []
    seen = some(list(exchanges(history, "first", "after", "later")), "call")
    if blocked := unserved([one for one in seen if one.call["label"] == "first"], tally.expected):
        return blocked
    homes: dict[str, str] = {}
    waits = Waits(history)
    found: Counter[str] = Counter()
    for one in seen:
        label = one.call["label"]
        if one.trouble or one.server is None:
            tally.faults += [one.trouble] if one.trouble else []
        elif label == "first" or (label == "after" and homes.get(one.name) == dead):
            found["moved"] += label == "after"
            homes[one.name] = one.server
        elif one.server != homes.get(one.name):
            tally.faults.append(f"{one.name}: from {homes.get(one.name)} to {one.server} with {'; '.join(one.shown) or 'no cookie'}")
        if label == "after" and not one.trouble and (took := waits.answer(one.call)) > AT_ONCE:
            late.append(f"{one.name}: answered only after {took:.2f} s")
        found[label] += 1
    some(range(found["moved"] or len(tally.faults)), f"user of {dead}")
    after = calls(history, "after")
    first, last = min(call["started"] for call in after), max(call["t"] for call in after)
    window = None
    if not tally.faults:
        # Lateness of ours makes waits longer, and gives the product more time to notice.
        window = (first, last) if late else (crash["t"] + int(bound * SECOND), first)
    tally.faults += late
    return tally.finding(f"{len(homes)} users, {found['moved']} of them of {dead}; {found['later']} requests afterwards", window=window,
                         margin=AT_ONCE)  # fmt: skip


def _name(pair: str) -> str:
    return pair.partition("=")[0]


def _pairs(headers: Sequence[str]) -> list[str]:
    return [pair for value in headers for part in value.split(";") if (pair := part.strip(" \t"))]


def _kept_out(values: Sequence[str]) -> bool:
    """Whether shared caches may not store the answer, or not its cookies (RFC 9111, 5.2.2.4, 5.2.2.5 and 5.2.2.7)."""
    text = ",".join(values).lower().replace(" ", "")
    named = text.split(",")
    return bool({"private", "no-store"} & set(named)) or 'private="set-cookie"' in text or 'no-cache="set-cookie"' in text


def _blocked(tally: Tally) -> Finding:
    return Finding(Verdict.BLOCKED, tally.expected, "no answer sets a cookie that is not the site's", reason=SETS_NONE)
