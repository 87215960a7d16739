"""From a requirement that is not met to the line of the user's file: which one to change, or where which one is missing.

The traffic decided that the requirement is not met; this only says where its remedy (catalogue) goes in this
configuration. Where no line can be named there is none, and the remedy stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from . import remedies_servers as servers
from . import remedies_users as users
from .change import Change, added, follows, pool_of, table_setting
from .guess import Candidate


def changes(requirement: str, one: Candidate) -> list[Change]:
    """What to change for a requirement, in order; empty where no line can be named."""
    find = _FINDERS.get(requirement)
    found: list[Change] = []
    for change in find(one) if find and one.sections else ():
        last = found[-1] if found else None
        if last and change.how == last.how == "behind" and change.line == last.line:
            why = "; ".join(dict.fromkeys(filter(None, (last.why, change.why))))
            found[-1] = replace(last, new=(*last.new, *change.new), why=why)
        elif change not in found and change.new != (change.line.text,):
            found.append(change)
    return found


_FINDERS: dict[str, Callable[[Candidate], Iterator[Change]]] = {
    "RDP-PARSE-01": users.pass_through,
    "RDP-PARSE-02": users.pass_through,
    "RDP-PARSE-03": users.inspection,
    "RDP-PARSE-04": users.nameless,
    "RDP-PARSE-05": users.at_once,
    "RDP-PARSE-06": users.short_wait(5.0),
    "RDP-PARSE-08": lambda one: (added(pool_of(one), "stick on req.rdp_cookie(msts)") for _ in follows(one)[:1]),
    "RDP-PARSE-09": users.name_as_key,
    "RDP-PARSE-10": lambda one: table_setting(one, "len", "255", lambda text: int(text or 32) < 255),
    "RDP-PARSE-12": users.pass_through,
    "RDP-PERSIST-01": users.name_as_key,
    "RDP-PERSIST-02": users.name_as_key,
    "RDP-PERSIST-03": users.spread,
    "RDP-PERSIST-04": users.lifetime,
    "RDP-PERSIST-05": users.outlasts,
    "RDP-PERSIST-06": users.if_name("unless { req.rdp_cookie(mstshash) -m end \\\\ }"),
    "RDP-PERSIST-08": users.if_name("if { req.rdp_cookie(mstshash),length gt 0 }"),
    "RDP-PERSIST-09": users.room_for_names,
    "RDP-PERSIST-12": users.capacity,
    "RDP-PERSIST-13": users.least_connections,
    "RDP-SESS-02": users.pass_through,
    "RDP-SESS-06": servers.reload,
    "RDP-SESS-07": servers.keepalive,
    "RDP-FAIL-01": servers.refused,
    "RDP-FAIL-02": servers.dark,
    "RDP-FAIL-03": servers.hung,
    "RDP-FAIL-04": servers.polite,
    "RDP-FAIL-05": servers.cut,
    "RDP-FAIL-07": servers.none_left,
    "RDP-FAIL-08": servers.returning,
    "RDP-FAIL-09": users.moved,
}
EXPLAINED = frozenset(_FINDERS)
"""requirements whose remedy has a place in a configuration of HAProxy"""
