"""From a requirement that is not met to the line of the user's file: which one to change, or where which one is missing.

The traffic decided that the requirement is not met; this only says where its remedy (catalogue) goes in this
configuration. Where no line can be named there is none, and the remedy stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .guess import Candidate, key_of, server_lines, server_setting, stick_rules
from .reader import Line, Section, seconds, size

TABLE = "stick-table type string len 64 size 100k expire 8h"
STICK = "stick on req.rdp_cookie(mstshash)"
_EMPTY_REQUEST = "tcp-request content accept if { req.payload(0,11) -m bin 0300000b06e00000000000 }"
_SPEAKS = ("option tcp-check", "tcp-check connect linger", "tcp-check send-binary 030000130ee000000000000100080003000000",
           "tcp-check expect binary 0300")  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change of the user's configuration."""

    place: str
    """file and line"""
    old: str
    """the line as it is; empty: a line is missing here"""
    new: tuple[str, ...]
    """the line as it should be, or the lines to add; empty: the line should go"""
    why: str = ""

    @property
    def text(self) -> str:
        why = f" ({self.why})" if self.why else ""
        new = " / ".join(f"`{line}`" for line in self.new)
        if not self.old:
            return f"{self.place}: add {new}{why}"
        if not self.new:
            return f"{self.place}: remove `{self.old}`{why}"
        return f"{self.place}: `{self.old}` -> {new}{why}"


def replaced(line: Line, new: str, why: str = "") -> Change:
    return Change(line.place, line.text, (new,), why)


def removed(line: Line, why: str = "") -> Change:
    return Change(line.place, line.text, (), why)


def added(section: Section, *new: str, why: str = "") -> Change:
    """Lines that are missing in a section; behind its last line, since order counts for some."""
    last = section.lines[-1] if section.lines else section.header
    return Change(f"{last.file}, section `{section.title}` (behind line {last.number})", "", new, why)


def changes(requirement: str, one: Candidate) -> list[Change]:
    """What to change for a requirement, in order; empty where no line can be named."""
    find = _FINDERS.get(requirement)
    return list(find(one)) if find and one.sections else []


# -- the parts ------------------------------------------------------------------------------------


def _front(one: Candidate) -> Section:
    return one.front or one.pools[0]


def _pool(one: Candidate) -> Section:
    return one.pools[0] if one.pools else _front(one)


def _with(line: Line, word: str, value: str) -> str:
    """The line with `word value`, in place of another value or at its end."""
    new, count = re.subn(rf"(?<=\s){re.escape(word)}\s+\S+", f"{word} {value}", line.text)
    return new if count else f"{line.text} {word} {value}"


def _servers(one: Candidate, word: str, value: str, why: str = "") -> Iterator[Change]:
    """Give the servers a setting: where it stands already, else on `default-server`, else one line for all of them."""
    present, line = server_setting(one, word)
    if line is not None:
        yield replaced(line, _with(line, word, value), why)
        return
    for pool in one.pools:
        if lines := pool.all("default-server"):
            yield replaced(lines[-1], _with(lines[-1], word, value), why)
            return
    own = server_lines(one)
    if own:
        before = f"{own[0].file}, section `{_pool(one).title}` (before line {own[0].number})"
        yield Change(before, "", (f"default-server {word} {value}",), why)


def _timeout(one: Candidate, name: str, value: str, limit: float, why: str = "") -> Iterator[Change]:
    line = _pool(one).find("timeout", name)
    if line is None:
        yield added(_pool(one), f"timeout {name} {value}", why=why)
    elif len(line.words) > 2 and (seconds(line.words[2]) or 0) > limit:
        yield replaced(line, f"timeout {name} {value}", why)


def _option(one: Candidate, text: str, why: str = "") -> Iterator[Change]:
    if _pool(one).option(text.split()[0]) is None:
        yield added(_pool(one), f"option {text}", why=why)


def _table(one: Candidate) -> Line | None:
    for section in one.sections:
        if lines := section.all("stick-table"):
            return lines[-1]
    return None


def _table_setting(one: Candidate, word: str, value: str, too_small: Callable[[str | None], bool], why: str = "") -> Iterator[Change]:
    line = _table(one)
    if line is not None and too_small(line.value(word)):
        yield replaced(line, _with(line, word, value), why)


def _balance(one: Candidate) -> Line | None:
    return _pool(one).find("balance")


def _hashes(one: Candidate) -> bool:
    line = _balance(one)
    return bool(line and len(line.words) > 1 and line.words[1].startswith(("rdp-cookie", "source", "hash")))


def _follows(one: Candidate) -> list[Line]:
    """The stick rules that read the user's name."""
    return [rule for rule in stick_rules(one) if key_of(rule) == "rdp-cookie"]


# -- requirement by requirement -------------------------------------------------------------------


def _pass_through(one: Candidate) -> Iterator[Change]:
    for section in one.sections:
        if (line := section.find("mode")) and line.words[1:2] == ("http",):
            yield replaced(line, "mode tcp", "RDP is no HTTP")
        elif line is None and not section.lines:
            continue
        for line in [*section.all("tcp-response", "content"), *section.all("filter")]:
            yield removed(line, "it may change the stream")
    for line in server_lines(one):
        for word in ("send-proxy", "send-proxy-v2", "ssl"):
            if word in line.words:
                new = re.sub(rf"\s+{word}(?=\s|$)", "", line.text)
                yield replaced(line, new, "a terminal server does not expect it")


def _inspection(one: Candidate) -> Iterator[Change]:
    front = _front(one)
    rules = [line for section in one.sections for line in section.all("tcp-request")]
    if not any(line.starts("tcp-request", "inspect-delay") for line in rules):
        yield added(front, "tcp-request inspect-delay 5s", why="without it the name is looked for in what came first")
    if not any(line.starts("tcp-request", "content", "accept") and "RDP_COOKIE" in line.text for line in rules):
        yield added(front, "tcp-request content accept if RDP_COOKIE", why="it ends the wait once the name is there")


def _key(one: Candidate) -> Iterator[Change]:
    """The name as the key."""
    rules, balance, table = stick_rules(one), _balance(one), _table(one)
    if not _follows(one) and not (balance and balance.words[1].startswith("rdp-cookie")):
        why = "the key is to be the user's name"
        if rules:
            yield replaced(rules[0], re.sub(r"^(stick\s+\S+)\s+\S+", r"\1 req.rdp_cookie(mstshash)", rules[0].text), why)
            if table and table.value("type") != "string":
                yield replaced(table, re.sub(r"\btype\s+\S+(\s+len\s+\S+)?", "type string len 64", table.text), "the table is to hold names")
        else:
            if balance and balance.words[1].startswith("source"):
                yield replaced(balance, "balance leastconn", why)
            yield added(_pool(one), TABLE, STICK, why=why)
    yield from _inspection(one)


def _spread(one: Candidate) -> Iterator[Change]:
    balance = _balance(one)
    if balance and balance.words[1].startswith("rdp-cookie") and not _follows(one):
        line = _pool(one).find("hash-type")
        if line is None:
            yield Change(f"{balance.file}, behind line {balance.number} (`{balance.text}`)", "", ("hash-type map-based sdbm avalanche",),
                         "the default hash follows the parity of the letters")  # fmt: skip
        else:
            yield replaced(line, "hash-type map-based sdbm avalanche")
    else:
        yield from (change for change in _key(one) if "tcp-request" not in " ".join(change.new))
        yield from _room_for_names(one)


def _room_for_names(one: Candidate) -> Iterator[Change]:
    yield from _table_setting(one, "len", "64", lambda text: text is None or int(text) < 64, "names are cut at `len`, 32 without it")


def _lifetime(one: Candidate) -> Iterator[Change]:
    yield from _table_setting(one, "expire", "24h", lambda text: (seconds(text) or 0) < 86400,
                              "the time runs from the start of a session, so above the longest one")  # fmt: skip


def _outlasts(one: Candidate) -> Iterator[Change]:
    yield from _table_setting(one, "expire", "8h", lambda text: (seconds(text) or 0) < 28800)


def _if_name(condition: str) -> Callable[[Candidate], Iterator[Change]]:
    def find(one: Candidate) -> Iterator[Change]:
        for rule in _follows(one)[:1]:
            yield replaced(rule, f"{rule.text} {condition}")

    return find


def _capacity(one: Candidate) -> Iterator[Change]:
    yield from _table_setting(one, "size", "100k", lambda text: (size(text) or 0) < 102400)
    table = _table(one)
    if table and "nopurge" in table.words:
        yield replaced(table, re.sub(r"\s+nopurge\b", "", table.text))


def _least_connections(one: Candidate) -> Iterator[Change]:
    balance = _balance(one)
    if balance is None:
        yield added(_pool(one), "balance leastconn")
    elif balance.words[1] != "leastconn":
        yield replaced(balance, "balance leastconn")
        if _hashes(one) and not _follows(one):
            yield added(_pool(one), TABLE, STICK, why="the table takes the hash's place")


def _nameless(one: Candidate) -> Iterator[Change]:
    for line in (line for section in one.sections for line in section.all("tcp-request", "content", "reject")):
        yield removed(line, "it turns away clients without a name")


def _short_wait(limit: float) -> Callable[[Candidate], Iterator[Change]]:
    def find(one: Candidate) -> Iterator[Change]:
        for section in one.sections:
            for line in section.all("tcp-request", "inspect-delay"):
                if len(line.words) > 2 and (seconds(line.words[2]) or 0) > limit:
                    yield replaced(line, f"tcp-request inspect-delay {limit:g}s")

    return find


def _at_once(one: Candidate) -> Iterator[Change]:
    rules = [line for section in one.sections for line in section.all("tcp-request", "content") if "RDP_COOKIE" in line.text]
    if rules:
        yield Change(f"{rules[0].file}, before line {rules[0].number} (`{rules[0].text}`)", "", (_EMPTY_REQUEST,),
                     "a request of eleven bytes is whole")  # fmt: skip


def _checked(one: Candidate) -> Iterator[Change]:
    """Health checks at all."""
    for line in server_lines(one):
        if line.words[1] in one.farm.unchecked:
            yield replaced(line, f"{line.text} check", "the product does not check this server")


def _refused(one: Candidate) -> Iterator[Change]:
    yield from _checked(one)
    if _hashes(one) and not _follows(one):
        balance = _balance(one)
        yield replaced(balance, "balance leastconn", "a retry hashes to the dead server again")
        if balance.words[1].startswith("rdp-cookie"):
            yield added(_pool(one), TABLE, STICK, why="the table takes the hash's place")
    line = _pool(one).option("redispatch")
    if line is None:
        yield added(_pool(one), "option redispatch 1", why="without it every retry goes to the same server")
    yield from _detection(one)


def _detection(one: Candidate) -> Iterator[Change]:
    check = one.get("declares.health_check")
    if check and check["fall"] * (check["inter"] + check["timeout"]) > 15:
        yield from _servers(one, "inter", "2s", "a dead server is to be known within 15 s")
        if check["fall"] > 3:
            yield from _servers(one, "fall", "3")


def _dark(one: Candidate) -> Iterator[Change]:
    yield from _checked(one)
    yield from _timeout(one, "connect", "3s", 3.0, "one attempt at a dark server takes this long")
    yield from _option(one, "redispatch 1", "the next attempt is to go elsewhere")
    retries = _pool(one).find("retries")
    if retries and retries.words[1:] == ("0",):
        yield replaced(retries, "retries 3")
    check = one.get("declares.health_check")
    if check and _pool(one).find("timeout", "check") is None and check["inter"] > 2:
        yield added(_pool(one), "timeout check 2s", why="a silent server is to fail its check")
    yield from _detection(one)


def _hung(one: Candidate) -> Iterator[Change]:
    yield from _checked(one)
    if check := one.get("declares.health_check"):
        if check["kind"] == "tcp":
            yield added(_pool(one), *_SPEAKS, why="a check that only connects is answered by a hung server's kernel")
        yield from _detection(one)


def _polite(one: Candidate) -> Iterator[Change]:
    for line in (line for name in ("httpchk", "ssl-hello-chk") if (line := _pool(one).option(name))):
        yield replaced(line, "option tcp-check", "the terminal server speaks RDP")
    for line in (line for line in _pool(one).all("tcp-check", "connect") if "linger" not in line.words):
        yield replaced(line, f"{line.text} linger")


def _cut(one: Candidate) -> Iterator[Change]:
    yield from _checked(one)
    if server_setting(one, "on-marked-down")[0] != "shutdown-sessions":
        yield from _servers(one, "on-marked-down", "shutdown-sessions")
    yield from _detection(one)


def _returning(one: Candidate) -> Iterator[Change]:
    yield from _checked(one)
    _, line = server_setting(one, "rise")
    rises = [rise for _, rise in one.farm.check_counts.values()]
    if line is not None or (rises and min(rises) < 2):
        yield from _servers(one, "rise", "2")


def _moved(one: Candidate) -> Iterator[Change]:
    for rule in stick_rules(one):
        if rule.words[1] == "match":
            yield replaced(rule, rule.text.replace("match", "on", 1), "`match` alone writes no entry")


def _none_left(one: Candidate) -> Iterator[Change]:
    yield from _checked(one)
    line = _pool(one).find("timeout", "queue")
    if line is not None and len(line.words) > 2 and (seconds(line.words[2]) or 0) > 1:
        yield replaced(line, "timeout queue 1s")
    yield from _short_wait(2.0)(one)


def _reload(one: Candidate) -> Iterator[Change]:
    table = _table(one)
    if table and table.value("peers") is None:
        yield replaced(table, f"{table.text} peers local", "with a section `peers local` that holds this machine alone")


def _keepalive(one: Candidate) -> Iterator[Change]:
    section = _pool(one)
    missing = [f"{word} {value}" for word, value in (("clitcpka-idle", "5m"), ("clitcpka-intvl", "30s"), ("srvtcpka-idle", "5m"),
                                                     ("srvtcpka-intvl", "30s")) if one.find(word) is None]  # fmt: skip
    if section.option("tcpka") is None:
        missing.insert(0, "option tcpka")
    if missing:
        target = section if section.kind == "listen" or section.defaults is None else section.defaults
        yield added(target, *missing)


_FINDERS: dict[str, Callable[[Candidate], Iterator[Change]]] = {
    "RDP-PARSE-01": _pass_through, "RDP-PARSE-02": _pass_through, "RDP-PARSE-03": _inspection, "RDP-PARSE-04": _nameless,
    "RDP-PARSE-05": _at_once, "RDP-PARSE-06": _short_wait(5.0), "RDP-PARSE-09": _key,
    "RDP-PARSE-08": lambda one: (added(_pool(one), "stick on req.rdp_cookie(msts)") for _ in _follows(one)[:1]),
    "RDP-PARSE-10": lambda one: _table_setting(one, "len", "255", lambda text: int(text or 32) < 255),
    "RDP-PARSE-12": _pass_through,
    "RDP-PERSIST-01": _key, "RDP-PERSIST-02": _key, "RDP-PERSIST-03": _spread, "RDP-PERSIST-04": _lifetime,
    "RDP-PERSIST-05": _outlasts, "RDP-PERSIST-06": _if_name("unless { req.rdp_cookie(mstshash) -m end \\\\ }"),
    "RDP-PERSIST-08": _if_name("if { req.rdp_cookie(mstshash),length gt 0 }"), "RDP-PERSIST-09": _room_for_names,
    "RDP-PERSIST-12": _capacity, "RDP-PERSIST-13": _least_connections,
    "RDP-SESS-02": _pass_through, "RDP-SESS-06": _reload, "RDP-SESS-07": _keepalive,
    "RDP-FAIL-01": _refused, "RDP-FAIL-02": _dark, "RDP-FAIL-03": _hung, "RDP-FAIL-04": _polite, "RDP-FAIL-05": _cut,
    "RDP-FAIL-07": _none_left, "RDP-FAIL-08": _returning, "RDP-FAIL-09": _moved,
}  # fmt: skip
EXPLAINED = frozenset(_FINDERS)
"""requirements whose remedy has a place in a configuration of HAProxy"""
