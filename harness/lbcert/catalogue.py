"""The catalogue: one YAML file per profile, each a list of requirements.

Reading is strict, since a typing error in a requirement would otherwise go unnoticed until
somebody relies on a certificate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from lbcert.report import yamlfile
from lbcert.report.errors import ReportError

#: The catalogue of this checkout; the package lives in harness/lbcert beside it.
FOLDER = Path(__file__).resolve().parents[2] / "catalogue"

ID_PATTERN = r"^[A-Z]+(-[A-Z0-9]+)*-[0-9]{2}[a-z]?$"


#: The group of rows about documents alone: people read those, and no verdict counts them.
DOSSIER = "dossier"
#: How the group of a requirement ends that is only about products which claim its feature.
IF_OFFERED = "(if offered)"


class CatalogueError(ReportError):
    """A file of the catalogue is wrong, or lacks what was asked for."""


@dataclass(frozen=True)
class Source:
    """Where a requirement comes from."""

    text: str
    url: str | None = None


@dataclass(frozen=True)
class Requirement:
    """One clause. `passes` is the key `pass` of the file, which is a word of Python."""

    id: str
    title: str
    level: str
    feature: str
    group: str
    needs: tuple[str, ...]
    source: tuple[Source, ...]
    passes: str
    why: str
    remedy: str
    not_proved: str

    @property
    def is_core(self) -> bool:
        """MUST rows are the core of their profile whatever a product claims, but for optional ones and those for readers."""
        return self.level == "MUST" and not self.is_dossier and not self.group.endswith(IF_OFFERED)

    @property
    def is_dossier(self) -> bool:
        """Whether it is about documents alone: no traffic decides it, and it counts for nothing."""
        return self.group == DOSSIER

    @property
    def token(self) -> str:
        """The id as it stands in the names of tests, and as `pytest -k` finds it."""
        return self.id.replace("-", "_")


@dataclass(frozen=True)
class Profile:
    """What one certificate is about."""

    name: str
    title: str
    not_proved: tuple[str, ...]
    requirements: Mapping[str, Requirement] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self.requirements.values())

    def __len__(self) -> int:
        return len(self.requirements)


_TEXT = {"type": "string", "minLength": 1}

_RULES = Draft202012Validator({
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "profile", "title", "not_proved", "requirements"],
    "properties": {
        "schema": {"const": 1},
        "profile": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
        "title": _TEXT,
        "not_proved": {"type": "array", "minItems": 1, "items": _TEXT},
        "requirements": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "title", "level", "feature", "group", "needs", "source", "pass", "why",
                             "remedy", "not_proved"],
                "properties": {
                    "id": {"type": "string", "pattern": ID_PATTERN},
                    "title": _TEXT,
                    "level": {"enum": ["MUST", "SHOULD", "MAY"]},
                    "feature": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
                    "group": _TEXT,
                    "needs": {"type": "array", "items": {"type": "string", "pattern": ID_PATTERN}},
                    "source": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["text"],
                            "properties": {"text": _TEXT, "url": {"type": "string", "pattern": "^https?://[^ ]+$"}},
                        },
                    },
                    "pass": _TEXT,
                    "why": _TEXT,
                    "remedy": _TEXT,
                    "not_proved": _TEXT,
                },
            },
        },
    },
})

_REMEDY = "Correct the file; catalogue/rdp.yaml is an example that is known to be right."


def load(path: Path) -> Profile:
    """The profile of one file."""
    try:
        state = path.stat()
    except OSError:
        return _load(path, 0, 0)
    return _load(path, state.st_mtime_ns, state.st_size)


@cache
def _load(path: Path, _changed: int, _size: int) -> Profile:
    """Read once for each state of the file: the ids of the catalogue are looked up all over."""
    file = yamlfile.read(path, _RULES, _REMEDY, CatalogueError)
    data = file.data
    if data["profile"] != path.stem:
        raise file.error(("profile",), f"{data['profile']!r} is not the name of the file.",
                         f"Write {path.stem!r}, or rename the file.", CatalogueError)
    requirements: dict[str, Requirement] = {}
    for number, row in enumerate(data["requirements"]):
        if row["id"] in requirements:
            raise file.error(("requirements", number, "id"), f"{row['id']} is there twice.",
                             "An id is given once and never reused.", CatalogueError)
        requirements[row["id"]] = _requirement(row)
    _check_needs(file, requirements)
    return Profile(data["profile"], data["title"], tuple(data["not_proved"]), requirements)


def load_all(folder: Path = FOLDER) -> dict[str, Profile]:
    """Every profile of the catalogue by its name. An id belongs to one file only."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise CatalogueError(folder, "there is no catalogue here.", "Run from a complete checkout of lbcert.")
    profiles: dict[str, Profile] = {}
    owner: dict[str, Path] = {}
    for path in paths:
        profile = load(path)
        profiles[profile.name] = profile
        for requirement in profile:
            if first := owner.setdefault(requirement.id, path):
                if first != path:
                    raise CatalogueError(path, f"{requirement.id} is also in {first.name}.",
                                         "An id is given once and never reused.")
    return profiles


def requirements(profiles: Mapping[str, Profile] | None = None) -> dict[str, Requirement]:
    """Every requirement of every profile by its id."""
    profiles = load_all() if profiles is None else profiles
    return {requirement.id: requirement for profile in profiles.values() for requirement in profile}


def _requirement(row: dict[str, Any]) -> Requirement:
    return Requirement(
        id=row["id"],
        title=row["title"].strip(),
        level=row["level"],
        feature=row["feature"],
        group=row["group"],
        needs=tuple(row["needs"]),
        source=tuple(Source(source["text"], source.get("url")) for source in row["source"]),
        passes=row["pass"].strip(),
        why=row["why"].strip(),
        remedy=row["remedy"].strip(),
        not_proved=row["not_proved"].strip(),
    )


def _check_needs(file: yamlfile.YamlFile, requirements: Mapping[str, Requirement]) -> None:
    for number, requirement in enumerate(requirements.values()):
        for place, needed in enumerate(requirement.needs):
            if needed not in requirements:
                raise file.error(("requirements", number, "needs", place), f"{needed} is not in this profile.",
                                 f"Known: {', '.join(requirements)}.", CatalogueError)
        if requirement.id in _all_needs(requirement.id, requirements):
            raise file.error(("requirements", number, "needs"), f"{requirement.id} needs itself in the end.",
                             "Take one of the needs out of the circle.", CatalogueError)


def _all_needs(start: str, requirements: Mapping[str, Requirement]) -> set[str]:
    seen: set[str] = set()
    todo = list(requirements[start].needs)
    while todo:
        needed = todo.pop()
        if needed in requirements and needed not in seen:
            seen.add(needed)
            todo.extend(requirements[needed].needs)
    return seen
