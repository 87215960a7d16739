"""Changes of the user's configuration, and the parts that several explanations share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .guess import Candidate, key_of, server_lines, stick_rules
from .reader import Line, Section, seconds

TABLE = "stick-table type string len 64 size 100k expire 8h"
STICK = "stick on req.rdp_cookie(mstshash)"


@dataclass(frozen=True)
class Change:
    """One change of the user's configuration."""

    how: str
    """replace, remove, behind (add lines behind this one), before"""
    line: Line
    new: tuple[str, ...] = ()
    why: str = ""
    section: str = ""
    """where lines are to be added"""

    @property
    def text(self) -> str:
        why = f" ({self.why})" if self.why else ""
        new = ", ".join(f"`{line}`" for line in self.new)
        if self.how == "replace":
            return f"{self.line.place}: `{self.line.text}` -> {new}{why}"
        if self.how == "remove":
            return f"{self.line.place}: remove `{self.line.text}`{why}"
        return f"{self.line.file}, {self.how} line {self.line.number} (in `{self.section}`): add {new}{why}"


def replaced(line: Line, new: str, why: str = "") -> Change:
    return Change("replace", line, (new,), why)


def removed(line: Line, why: str = "") -> Change:
    return Change("remove", line, (), why)


def added(section: Section, *new: str, why: str = "") -> Change:
    """Lines that are missing in a section; behind its last line, since order counts for some."""
    return Change("behind", section.lines[-1] if section.lines else section.header, new, why, section.title)


# -- the parts ------------------------------------------------------------------------------------


def front_of(one: Candidate) -> Section:
    return one.front or one.pools[0]


def pool_of(one: Candidate) -> Section:
    return one.pools[0] if one.pools else front_of(one)


def for_servers(one: Candidate, settings: dict[str, str], why: str = "") -> Iterator[Change]:
    """Give the servers settings: each where it stands already, else on `default-server`, else on a new line of that kind."""
    left = dict(settings)
    for line in server_lines(one):
        own = {word: value for word, value in settings.items() if line.value(word) is not None}
        if own:
            yield replaced(line, with_settings(line, own), why)
        for word in own:
            left.pop(word, None)
    if not left:
        return
    for section in (each for pool in one.pools for each in (pool, pool.defaults) if each):
        if lines := section.all("default-server"):
            yield replaced(lines[-1], with_settings(lines[-1], left), why)
            return
    if own_lines := server_lines(one):
        words = " ".join(f"{word} {value}" for word, value in left.items())
        yield Change("before", own_lines[0], (f"default-server {words}",), why, pool_of(one).title)


def with_settings(line: Line, settings: dict[str, str]) -> str:
    """The text of a line with settings in it."""
    text = line.text
    for word, value in settings.items():
        new, count = re.subn(rf"(?<=\s){re.escape(word)}\s+\S+", f"{word} {value}", text)
        text = new if count else f"{text} {word} {value}"
    return text


def with_timeout(one: Candidate, name: str, value: str, limit: float, why: str = "") -> Iterator[Change]:
    line = pool_of(one).find("timeout", name)
    if line is None:
        yield added(pool_of(one), f"timeout {name} {value}", why=why)
    elif len(line.words) > 2 and (seconds(line.words[2]) or 0) > limit:
        yield replaced(line, f"timeout {name} {value}", why)


def with_option(one: Candidate, text: str, why: str = "") -> Iterator[Change]:
    if pool_of(one).option(text.split()[0]) is None:
        yield added(pool_of(one), f"option {text}", why=why)


def table_line(one: Candidate) -> Line | None:
    for section in one.sections:
        if lines := section.all("stick-table"):
            return lines[-1]
    return None


def table_setting(one: Candidate, word: str, value: str, too_small: Callable[[str | None], bool],
                  why: str = "") -> Iterator[Change]:  # fmt: skip
    line = table_line(one)
    if line is not None and too_small(line.value(word)):
        yield replaced(line, with_settings(line, {word: value}), why)


def balance_line(one: Candidate) -> Line | None:
    return pool_of(one).find("balance")


def hashes(one: Candidate) -> bool:
    line = balance_line(one)
    return bool(line and len(line.words) > 1 and line.words[1].startswith(("rdp-cookie", "source", "hash")))


def follows(one: Candidate) -> list[Line]:
    """The stick rules that follow users by their names; one that looks up and never stores does not."""
    rules = [rule for rule in stick_rules(one) if key_of(rule) == "rdp-cookie"]
    stored = any(rule.words[1] == "store-request" for rule in rules)
    return [rule for rule in rules if rule.words[1] == "on" or (rule.words[1] == "match" and stored)]
