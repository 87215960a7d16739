"""A tolerant reader of HAProxy's configuration language: sections, lines, words.

It decides nothing. What it finds becomes a guess that is printed with the line it came from, or the place in the
user's file to which an explanation points; what it does not understand it passes over. Sources: HAProxy configuration
manual 2.1 (format), 2.2 (quoting and escaping), 2.3 (environment variables), 4 (proxies).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SECTIONS = (
    "global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "userlist", "mailers", "program", "ring",
    "cache", "http-errors", "fcgi-app", "log-forward", "crt-store", "traces", "acme",
)  # fmt: skip
WILD = ("", "*", "0.0.0.0", "::")
"""how a `bind` line names every address"""
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_TIME = re.compile(r"([0-9]+)(us|ms|s|m|h|d)?")
_UNITS = {"us": 1e-6, "ms": 1e-3, None: 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


@dataclass(frozen=True)
class Line:
    """A line with something on it."""

    file: str
    number: int
    words: tuple[str, ...]
    text: str
    """as written, without the indent and the comment"""

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.number}"

    def value(self, word: str) -> str | None:
        """What follows `word` on this line."""
        later = [self.words[i + 1] for i in range(len(self.words) - 1) if self.words[i] == word]
        return later[-1] if later else None

    def starts(self, *words: str) -> bool:
        return self.words[: len(words)] == words


@dataclass
class Section:
    """A section, the lines in it, and the defaults that it inherits."""

    header: Line
    lines: list[Line] = field(default_factory=list)
    defaults: Section | None = None

    @property
    def kind(self) -> str:
        return self.header.words[0]

    @property
    def name(self) -> str:
        return self.header.words[1] if len(self.header.words) > 1 else ""

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}".strip()

    @property
    def is_http(self) -> bool:
        mode = self.find("mode")
        return mode is not None and "http" in mode.words[1:2]

    def all(self, *words: str) -> list[Line]:
        """Lines of this section itself that begin with `words`."""
        return [line for line in self.lines if line.starts(*words)]

    def find(self, *words: str) -> Line | None:
        """The line in force that begins with `words`: the section's own last one, else that of its defaults."""
        own = self.all(*words)
        if own:
            return own[-1]
        return self.defaults.find(*words) if self.defaults else None

    def option(self, name: str) -> Line | None:
        """The line that sets an option, unless `no option` takes it back."""
        for section in (self, self.defaults):
            if section is not None:
                if section.all("no", "option", name):
                    return None
                if lines := section.all("option", name):
                    return lines[-1]
        return None


@dataclass(frozen=True)
class Bind:
    """A `bind` line's address and range of ports; an empty host is every address."""

    section: Section
    line: Line
    host: str
    ports: range


class Text:
    """A whole configuration: one or several files, in order."""

    def __init__(self, files: list[tuple[str, str]], environment: Mapping[str, str] = {}):
        """Variables of `environment` are put in place where HAProxy would do it."""
        self.sections: list[Section] = []
        self.lines: list[Line] = []
        current: Section | None = None
        default: Section | None = None
        named: dict[str, Section] = {}
        for name, text in files:
            for number, raw in enumerate(text.splitlines(), start=1):
                found = words(_filled(raw, environment))
                if not found:
                    continue
                line = Line(name, number, tuple(found), _bare(raw))
                self.lines.append(line)
                if found[0] not in SECTIONS or (found[0] == "cache" and current and current.kind not in SECTIONS):
                    if current is not None:
                        current.lines.append(line)
                    continue
                current = Section(line, defaults=default if found[0] in ("frontend", "backend", "listen") else None)
                if "from" in found:
                    current.defaults = named.get(found[-1], current.defaults)
                if current.kind == "defaults":
                    default = current
                    named[current.name] = current
                self.sections.append(current)

    def of(self, *kinds: str) -> list[Section]:
        return [section for section in self.sections if section.kind in kinds]

    def backend(self, name: str) -> Section | None:
        """The section that a backend of this name stands in."""
        return next((one for one in self.of("backend", "listen") if one.name == name), None)

    def both(self, section: Section) -> list[Section]:
        """The section of a listener, and that of the backend that it usually sends to."""
        target = section.find("default_backend")
        behind = self.backend(target.words[1]) if target and len(target.words) > 1 else None
        return [section, *filter(None, [behind])]

    def binds(self) -> Iterator[Bind]:
        for section in self.of("frontend", "listen"):
            for line in section.all("bind"):
                for address in line.words[1].split(",") if len(line.words) > 1 else ():
                    if bind := _bind(section, line, address):
                        yield bind

    def bound(self, address: str, port: int) -> Bind | None:
        """The `bind` line behind a listening socket: by address and port, else by the port alone."""
        fitting = [bind for bind in self.binds() if port in bind.ports]
        for accept in (lambda host: host == address, lambda host: host in WILD, lambda host: True):
            if found := next((bind for bind in fitting if accept(bind.host)), None):
                return found
        return None


def words(raw: str) -> list[str]:
    """The words of a line: quotes and backslashes taken away, a comment left out."""
    found: list[str] = []
    word: str | None = None
    quote = ""
    place = 0
    while place < len(raw):
        char = raw[place]
        if quote != "'" and char == "\\" and place + 1 < len(raw):
            word = (word or "") + raw[place + 1]
            place += 1
        elif quote:
            if char == quote:
                quote = ""
            else:
                word = (word or "") + char
        elif char in "\"'":
            quote, word = char, word or ""
        elif char == "#":
            break
        elif char.isspace():
            if word is not None:
                found.append(word)
            word = None
        else:
            word = (word or "") + char
        place += 1
    return found if word is None else [*found, word]


def _filled(raw: str, environment: Mapping[str, str]) -> str:
    """A line with the values of its variables; those without a value stay."""
    for part in _in_double_quotes(raw):
        value = _VARIABLE.sub(lambda match: environment.get(match[1] or match[3], _default(match)), part)
        raw = raw.replace(f'"{part}"', f'"{value}"')
    return raw


def _default(match: re.Match[str]) -> str:
    return match[2][1:] if match[2] and match[2].startswith("-") else match[0]


def _bare(raw: str) -> str:
    """A line without its comment."""
    quote = ""
    for place, char in enumerate(raw):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#" and (place == 0 or raw[place - 1] != "\\"):
            return raw[:place].strip()
    return raw.strip()


def _bind(section: Section, line: Line, address: str) -> Bind | None:
    if address.startswith(("unix@", "/", "abns@", "fd@", "sockpair@", "quic")):
        return None
    address = re.sub(r"^(ipv4|ipv6|tcp|tcp4|tcp6)@", "", address)
    host, _, ports = address.rpartition(":")
    low, _, high = ports.partition("-")
    if not low.isdigit() or (high and not high.isdigit()):
        return None
    return Bind(section, line, host.strip("[]"), range(int(low), int(high or low) + 1))


def variables(files: list[tuple[str, str]]) -> Iterator[tuple[Line, str, bool]]:
    """Environment variables that the text uses: the line, the name, whether a default stands with it.

    They are replaced in words in double quotes only; names that HAProxy itself sets, and those set in the text, are left out.
    """
    own = {line.words[1] for line in Text(files).lines if line.words[0] in ("setenv", "presetenv") and len(line.words) > 2}
    for name, text in files:
        for number, raw in enumerate(text.splitlines(), start=1):
            line = Line(name, number, tuple(words(raw)), _bare(raw))
            for quoted in _in_double_quotes(line.text):
                for match in _VARIABLE.finditer(quoted):
                    variable = match[1] or match[3]
                    if variable not in own and not variable.startswith("HAPROXY_"):
                        yield line, variable, bool(match[2] and match[2].startswith("-"))


def _in_double_quotes(text: str) -> list[str]:
    parts, current, quote, place = [], "", "", 0
    while place < len(text):
        char = text[place]
        if char == "\\" and quote != "'":
            place += 1
        elif quote == '"' and char == '"':
            parts.append(current)
            current = quote = ""
        elif quote == "'" and char == "'":
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        elif quote == '"':
            current += char
        place += 1
    return parts


def seconds(text: str | None) -> float | None:
    """A time as HAProxy writes it (milliseconds without a unit); None for what is none."""
    match = _TIME.fullmatch(text or "")
    return int(match[1]) * _UNITS[match[2]] if match else None


def size(text: str | None) -> int | None:
    """A number of entries: 100k; None for what is none."""
    match = re.fullmatch(r"([0-9]+)([kmg]?)", (text or "").lower())
    return int(match[1]) * _SIZES[match[2]] if match else None
