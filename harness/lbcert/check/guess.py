"""From what the product told and what its text says to a deployment: each value with where it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..addresses import endpoint
from ..drivers.haproxy_survey import Farm, Survey
from ..dut_model import SMALL_TABLE
from ..lab import MAX_SERVERS
from . import variants
from .listeners import MOST_TESTED, Choice
from .reader import Bind, Line, Section, Text, seconds, size

DEFAULT_INTER = 2.0
"""s between two checks where the text does not say (configuration manual 5.2, `inter`)"""


@dataclass(frozen=True)
class Guess:
    """A value of dut.yaml, and its origin."""

    key: str
    value: Any
    origin: str


@dataclass
class Candidate:
    """A deployment to be tested: a VIP, its farm, and the guesses about it."""

    id: str
    vip: tuple[str, int]
    bind: Bind | None
    farm: Farm
    front: Section | None
    """the section of the listener; None where the text does not show it"""
    text: Text
    pools: list[Section]
    """the sections of the backends that a user reaches"""
    guesses: list[Guess] = field(default_factory=list)
    variants: dict[str, tuple[Line, str]] = field(default_factory=dict)
    """variant -> (the line that differs, its text in the variant)"""

    def get(self, key: str) -> Any:
        return next((guess.value for guess in self.guesses if guess.key == key), None)

    @property
    def sections(self) -> list[Section]:
        """Every section that a connection passes, the listener's first."""
        found = [self.front] if self.front else []
        return found + [pool for pool in self.pools if pool is not self.front]

    def find(self, *words: str) -> Line | None:
        """The line in force in any of the sections."""
        return next((line for section in self.sections if (line := section.find(*words))), None)


def candidates(text: Text, found: Survey, choice: Choice) -> list[Candidate]:
    """The deployments to test; what is not tested goes to `choice.left_out`."""
    made: list[Candidate] = []
    for vip, bind in choice.vips.items():
        if vip not in found.farms:
            choice.left_out.append((endpoint(*vip), found.unreached.get(vip, "no backend was seen")))
            continue
        farm = found.farms[vip]
        front = bind.section if bind else None
        outside = {server.address for server in farm.servers if not server.address.startswith("127.") and server.address != "::1"}
        pools = [section for name in farm.backends if (section := text.backend(name))]
        transparent = next((line for pool in pools for line in (*pool.all("server"), *filter(None, [pool.find("source")]))
                            if "usesrc" in line.words), None)  # fmt: skip
        same = next((one for one in made if one.farm.backends == farm.backends and one.front is front), None)
        if same:
            choice.left_out.append((endpoint(*vip), f"the same section and the same servers as {endpoint(*same.vip)}"))
        elif not outside:
            choice.left_out.append((endpoint(*vip), "no real server with an address of its own is behind it"))
        elif len(outside) > MAX_SERVERS:
            choice.left_out.append((endpoint(*vip), f"{len(outside)} real servers; a lab has room for {MAX_SERVERS}"))
        elif transparent:
            choice.left_out.append((endpoint(*vip), f"{transparent.place}: servers see the client's address (`usesrc`), which "
                                    "needs the routes of the machine as well; describe it in a dut.yaml with network.gateway "
                                    "and network.setup"))  # fmt: skip
        elif len(made) == MOST_TESTED:
            choice.left_out.append((endpoint(*vip), f"only {MOST_TESTED} are tested at a time; choose it with --vip"))
        else:
            made.append(Candidate("", vip, bind, farm, front, text, pools))
    for one in made:
        one.id = _name(one, made)
        _fill(one, found, choice)
    return made


def _name(one: Candidate, every: list[Candidate]) -> str:
    """A name for a deployment: `rdp` if it is alone, else that of its section, made unique."""
    if len(every) == 1:
        return "rdp"
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", one.front.name if one.front else "").strip("-._") or "rdp"
    taken = {other.id for other in every if other is not one}
    return next(name for name in (base, *(f"{base}-{number}" for number in range(2, 99))) if name not in taken)


def _fill(one: Candidate, found: Survey, choice: Choice) -> None:
    say = one.guesses.append
    origin = choice.reasons.get(one.vip) or (one.bind.line.place if one.bind else "the product listens there")
    say(Guess("services.rdp", endpoint(*one.vip), origin))
    active = [server for server in one.farm.servers if server.active]
    say(Guess("servers", ", ".join(f"{server.name} {server.address}" for server in active) or "none",
              f"the product, asked behind {', '.join(one.farm.backends)}"))  # fmt: skip
    _health_check(one)
    _persistence(one, found)


# -- health checks --------------------------------------------------------------------------------


def server_lines(one: Candidate) -> list[Line]:
    """The `server` lines of the pools."""
    return [line for pool in one.pools for line in pool.all("server")]


def server_setting(one: Candidate, word: str) -> tuple[str | None, Line | None]:
    """A setting of the servers and its line: of a `server` line, else of `default-server`."""
    for line in server_lines(one):
        if value := line.value(word):
            return value, line
    for pool in one.pools:
        for section in filter(None, (pool, pool.defaults)):
            for line in reversed(section.all("default-server")):
                if value := line.value(word):
                    return value, line
    return None, None


def _health_check(one: Candidate) -> None:
    if not one.farm.check_counts:
        one.guesses.append(Guess("declares.health_check", None, "the product says that it checks no server"))
        return
    counts = set(one.farm.check_counts.values())
    fall, rise = max(counts)
    text, line = server_setting(one, "inter")
    inter = seconds(text)
    timeout_line = next((found for pool in one.pools if (found := pool.find("timeout", "check"))), None)
    timeout = seconds(timeout_line.words[2]) if timeout_line and len(timeout_line.words) > 2 else None
    kind, kind_line = _kind(one)
    value = {"inter": inter or DEFAULT_INTER, "fall": fall, "rise": rise,
             "timeout": timeout or inter or DEFAULT_INTER, "kind": kind}  # fmt: skip
    origins = ["fall and rise: the product", f"inter: {line.place if line and inter else 'the default of HAProxy'}",
               f"timeout: {timeout_line.place if timeout else 'as inter, since no `timeout check` is set'}",
               f"kind: {kind_line.place if kind_line else 'no line that makes it speak'}"]  # fmt: skip
    if len(counts) > 1:
        origins.append("servers differ; the slowest is taken")
    one.guesses.append(Guess("declares.health_check", value, "; ".join(origins)))


def _kind(one: Candidate) -> tuple[str, Line | None]:
    for pool in one.pools:
        if line := pool.option("httpchk"):
            return "http", line
        if line := pool.option("ssl-hello-chk"):
            return "tls", line
        if pool.option("tcp-check"):
            steps = [line for line in pool.lines if line.starts("tcp-check")]
            if talk := next((line for line in steps if line.words[1] in ("send", "send-binary", "expect")), None):
                return "rdp", talk
    _, line = server_setting(one, "check-ssl")
    return ("tls", line) if any("check-ssl" in line.words for line in server_lines(one)) else ("tcp", None)


# -- persistence ----------------------------------------------------------------------------------


def stick_rules(one: Candidate) -> list[Line]:
    """The rules that bind users to servers, in order."""
    kinds = ("on", "match", "store-request", "store-response")
    return [line for pool in one.pools for line in pool.all("stick") if len(line.words) > 2 and line.words[1] in kinds]


def stick_table(one: Candidate, found: Survey) -> tuple[str, Line | None]:
    """Name and line of the table that the rules use; empty where there is none."""
    for rule in stick_rules(one):
        named = rule.value("table")
        for name in (named,) if named else one.farm.backends:
            if name in found.tables:
                section = one.text.backend(name) or next((each for each in one.text.of("frontend") if each.name == name), None)
                return name, section.find("stick-table") if section else None
    return "", None


def key_of(rule: Line) -> str:
    """What a stick rule takes as its key."""
    what = rule.words[2].lower()
    if "rdp_cookie" in what:
        return "rdp-token" if "msts)" in what else "rdp-cookie"
    return "source" if re.match(r"src\b", what) else "none"


def _persistence(one: Candidate, found: Survey) -> None:
    rules = stick_rules(one)
    keys = [key_of(rule) for rule in rules]
    balance = next((line for pool in one.pools if (line := pool.find("balance"))), None)
    method = re.sub(r"\(.*", "", balance.words[1]) if balance and len(balance.words) > 1 else "roundrobin"
    persist = next((line for pool in one.pools if (line := pool.find("persist", "rdp-cookie"))), None)
    value: dict[str, Any]
    name, line = stick_table(one, found)
    if name:
        rule = rules[keys.index("rdp-cookie")] if "rdp-cookie" in keys else rules[0]
        expire = seconds(line.value("expire")) if line else None
        value = {"key": key_of(rule), "timer": expire or "none", "size": found.tables[name][1],
                 "returns_after_recovery": False}  # fmt: skip
        if value["key"] != "source" and "source" in keys:
            value["fallback"] = "source"
        origin = (f"key: {rule.place}; timer: {line.place if line and expire else 'the table has no `expire`'}; "
                  f"size: the product, table {name}; a table keeps users where they are")  # fmt: skip
        if line:
            _variants(one, line)
    elif method in ("rdp-cookie", "source"):
        value = {"key": method, "timer": "none", "size": "none", "returns_after_recovery": True}
        origin = f"{balance.place}; a hash needs no memory and sends users back"
    elif persist:
        value = {"key": "rdp-token", "timer": "none", "size": "none"}
        origin = f"{persist.place}; new users go by `balance {method}`"
    else:
        value = {"key": "none", "size": "none"}
        origin = "no `stick` rule, and no method of `balance` that follows users"
    one.guesses.append(Guess("declares.persistence", value, origin))
    claims = [kind for kind in ("rdp-cookie", "rdp-token") if kind in {*keys, value["key"]} or (kind == "rdp-token" and persist)]
    if claims:
        one.guesses.append(Guess("claims", claims, "what the key is read from"))


def _variants(one: Candidate, line: Line) -> None:
    """The same file with a short timer, and with a small table: some requirements can be judged with these only."""
    if seconds(line.value("expire")) is not None:
        one.variants["short-lifetime"] = variants.short_lived(line)
    if size(line.value("size")) is not None:
        one.variants["small-table"] = line, re.sub(r"(\bsize\s+)\S+", rf"\g<1>{SMALL_TABLE}", line.text)
