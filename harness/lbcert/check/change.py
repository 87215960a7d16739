"""Changes of the user's configuration, and the parts that several explanations share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .guess import Candidate, key_of, server_lines, server_setting, stick_rules
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


def with_setting(line: Line, word: str, value: str) -> str:
    """The line with `word value`, in place of another value or at its end."""
    new, count = re.subn(rf"(?<=\s){re.escape(word)}\s+\S+", f"{word} {value}", line.text)
    return new if count else f"{line.text} {word} {value}"


def for_servers(one: Candidate, word: str, value: str, why: str = "") -> Iterator[Change]:
    """Give the servers a setting: where it stands already, else on `default-server`, else one line for all of them."""
    present, line = server_setting(one, word)
    if line is not None:
        yield replaced(line, with_setting(line, word, value), why)
        return
    for pool in one.pools:
        if lines := pool.all("default-server"):
            yield replaced(lines[-1], with_setting(lines[-1], word, value), why)
            return
    own = server_lines(one)
    if own:
        yield Change("before", own[0], (f"default-server {word} {value}",), why, pool_of(one).title)


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


def table_setting(one: Candidate, word: str, value: str, too_small: Callable[[str | None], bool], why: str = "") -> Iterator[Change]:
    line = table_line(one)
    if line is not None and too_small(line.value(word)):
        yield replaced(line, with_setting(line, word, value), why)


def balance_line(one: Candidate) -> Line | None:
    return pool_of(one).find("balance")


def hashes(one: Candidate) -> bool:
    line = balance_line(one)
    return bool(line and len(line.words) > 1 and line.words[1].startswith(("rdp-cookie", "source", "hash")))


def follows(one: Candidate) -> list[Line]:
    """The stick rules that read the user's name."""
    return [rule for rule in stick_rules(one) if key_of(rule) == "rdp-cookie"]
