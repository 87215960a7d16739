"""The files that make one configuration, in HAProxy's order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..report.errors import ReportError
from .question import Question
from .reader import SECTIONS, variables, words

LARGEST = 4 << 20
"""bytes of a file that can be a configuration"""


@dataclass(frozen=True)
class Source:
    """The files of one configuration: (name as the user typed it, text)."""

    files: list[tuple[str, str]]

    @property
    def name(self) -> str:
        return Path(self.files[0][0]).name

    @property
    def merged(self) -> str:
        """One text of all files, in order. HAProxy reads several as if they were one, if each begins with a section."""
        if len(self.files) == 1:
            return self.files[0][1]
        return "".join(f"# from {name}\n{_ended(text)}" for name, text in self.files)

    def origin(self, number: int) -> tuple[str, int]:
        """File and line of a line of the merged text."""
        if len(self.files) == 1:
            return self.files[0][0], number
        for name, text in self.files:
            number -= 1
            count = _ended(text).count("\n")
            if number <= count:
                return name, max(1, number)
            number -= count
        return self.files[-1][0], number

    def merged_number(self, file: str, number: int) -> int:
        """The merged text's line for a file's line."""
        if len(self.files) == 1:
            return number
        before = 0
        for name, text in self.files:
            if name == file:
                return before + 1 + number
            before += 1 + _ended(text).count("\n")
        raise KeyError(file)


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"


def read(paths: list[Path]) -> Source:
    """Read files and folders; of a folder its *.cfg in alphabetical order, as `haproxy -f FOLDER` does."""
    files: list[tuple[str, str]] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.glob("*.cfg") if one.is_file() and not one.name.startswith("."))
            if not inside:
                raise ReportError(path, "holds no *.cfg file.", "Give the files themselves.")
            files += [(str(one), _text(one)) for one in inside]
        else:
            files.append((str(path), _text(path)))
    for name, text in files[1:]:
        first = next((found for raw in text.splitlines() if (found := words(raw))), None)
        if first and first[0] not in SECTIONS and not first[0].startswith("."):
            raise ReportError(name, f"begins with {first[0]!r} and not with a section.",
                              "HAProxy does not read it as the continuation of the file before: name its section.")  # fmt: skip
    return Source(files)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise ReportError(path, f"is larger than {LARGEST >> 20} MiB.", "Give a configuration file.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ReportError(path, f"cannot be read: {error.strerror}.", "Name a configuration file, or a folder of them.") from None
    except UnicodeDecodeError as error:
        raise ReportError(path, f"is not UTF-8 (byte {error.start}).", "Save it as UTF-8.") from None


def environment(source: Source, given: dict[str, str]) -> dict[str, str]:
    """The variables that the text uses and their values; raises one Question for all that have none."""
    missing: dict[str, str] = {}
    used: dict[str, str] = {}
    for line, name, has_default in variables(source.files):
        if name in given:
            used[name] = given[name]
        elif not has_default:
            missing.setdefault(name, f"{line.place}: {line.text}")
    if missing:
        shown = "\n".join(f"  {name:<16} {where}" for name, where in missing.items())
        options = " ".join(f"--env {name}=..." for name in missing)
        raise Question(f"the configuration uses environment variables whose values it does not hold:\n{shown}\n"
                       f"Give them with: {options}")  # fmt: skip
    return used
