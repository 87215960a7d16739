"""Where the remedies of RDP-PARSE and RDP-PERSIST go in a configuration of HAProxy (the remedies: catalogue)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .change import (
    STICK, TABLE, Change, added, balance_line, follows, front_of, hashes, pool_of, removed, replaced, table_line, table_setting,
)  # fmt: skip
from .guess import Candidate, server_lines, stick_rules
from .reader import seconds, size

_EMPTY_REQUEST = "tcp-request content accept if { req.payload(0,11) -m bin 0300000b06e00000000000 }"


def pass_through(one: Candidate) -> Iterator[Change]:
    for section in one.sections:
        if (line := section.find("mode")) and line.words[1:2] == ("http",):
            yield replaced(line, "mode tcp", "RDP is no HTTP")
        for line in [*section.all("tcp-response", "content"), *section.all("filter")]:
            yield removed(line, "it may change the stream")
    for line in server_lines(one):
        for word in ("send-proxy", "send-proxy-v2", "ssl"):
            if word in line.words:
                new = re.sub(rf"\s+{word}(?=\s|$)", "", line.text)
                yield replaced(line, new, "a terminal server does not expect it")


def inspection(one: Candidate) -> Iterator[Change]:
    front = front_of(one)
    rules = [line for section in one.sections for line in section.all("tcp-request")]
    if not any(line.starts("tcp-request", "inspect-delay") for line in rules):
        yield added(front, "tcp-request inspect-delay 5s", why="without it the name is looked for in what came first")
    if not any(line.starts("tcp-request", "content", "accept") and "rdp_cookie" in line.text.lower() for line in rules):
        yield added(front, "tcp-request content accept if RDP_COOKIE", why="it ends the wait once the name is there")


def name_as_key(one: Candidate) -> Iterator[Change]:
    """The name as the key."""
    rules, balance, table = stick_rules(one), balance_line(one), table_line(one)
    if not follows(one) and not (balance and balance.words[1].startswith("rdp-cookie")):
        why = "the key is to be the user's name"
        if rules:
            yield replaced(rules[0], re.sub(r"^stick\s+\S+\s+\S+", STICK, rules[0].text), why)
            if table and table.value("type") != "string":
                yield replaced(table, re.sub(r"\btype\s+\S+(\s+len\s+\S+)?", "type string len 64", table.text),
                               "the table is to hold names")  # fmt: skip
        else:
            if balance and balance.words[1].startswith("source"):
                yield replaced(balance, "balance leastconn", why)
            yield added(pool_of(one), TABLE, STICK, why=why)
    yield from inspection(one)


def spread(one: Candidate) -> Iterator[Change]:
    balance = balance_line(one)
    if balance and balance.words[1].startswith("rdp-cookie") and not follows(one):
        line = pool_of(one).find("hash-type")
        if line is None:
            yield Change("behind", balance, ("hash-type map-based sdbm avalanche",),
                         "the default hash follows the parity of the letters", pool_of(one).title)  # fmt: skip
        else:
            yield replaced(line, "hash-type map-based sdbm avalanche")
    else:
        yield from (change for change in name_as_key(one) if "tcp-request" not in " ".join(change.new))
        yield from room_for_names(one)


def room_for_names(one: Candidate) -> Iterator[Change]:
    yield from table_setting(one, "len", "64", lambda text: text is None or int(text) < 64, "names are cut at `len`, 32 without it")


def lifetime(one: Candidate) -> Iterator[Change]:
    yield from table_setting(one, "expire", "24h", lambda text: (seconds(text) or 0) < 86400,
                              "the time runs from the start of a session, so above the longest one")  # fmt: skip


def outlasts(one: Candidate) -> Iterator[Change]:
    yield from table_setting(one, "expire", "8h", lambda text: (seconds(text) or 0) < 28800)


def if_name(condition: str) -> Callable[[Candidate], Iterator[Change]]:
    def find(one: Candidate) -> Iterator[Change]:
        for rule in follows(one)[:1]:
            yield replaced(rule, f"{rule.text} {condition}")

    return find


def capacity(one: Candidate) -> Iterator[Change]:
    yield from table_setting(one, "size", "100k", lambda text: (size(text) or 0) < 102400)
    table = table_line(one)
    if table and "nopurge" in table.words:
        yield replaced(table, re.sub(r"\s+nopurge\b", "", table.text))


def least_connections(one: Candidate) -> Iterator[Change]:
    balance = balance_line(one)
    if balance is None:
        yield added(pool_of(one), "balance leastconn")
    elif balance.words[1] != "leastconn":
        yield replaced(balance, "balance leastconn")
        if hashes(one) and not follows(one):
            yield added(pool_of(one), TABLE, STICK, why="the table takes the hash's place")


def nameless(one: Candidate) -> Iterator[Change]:
    for line in (line for section in one.sections for line in section.all("tcp-request", "content", "reject")):
        yield removed(line, "it turns away clients without a name")


def short_wait(limit: float) -> Callable[[Candidate], Iterator[Change]]:
    def find(one: Candidate) -> Iterator[Change]:
        for section in one.sections:
            for line in section.all("tcp-request", "inspect-delay"):
                if len(line.words) > 2 and (seconds(line.words[2]) or 0) > limit:
                    yield replaced(line, f"tcp-request inspect-delay {limit:g}s")

    return find


def at_once(one: Candidate) -> Iterator[Change]:
    for section in one.sections:
        for rule in [line for line in section.all("tcp-request", "content", "accept") if "rdp_cookie" in line.text.lower()][:1]:
            yield Change("before", rule, (_EMPTY_REQUEST,), "a request of eleven bytes is whole", section.title)


def moved(one: Candidate) -> Iterator[Change]:
    if not follows(one):
        for rule in [rule for rule in stick_rules(one) if rule.words[1] == "match"]:
            yield replaced(rule, rule.text.replace("match", "on", 1), "`match` alone writes no entry")
