"""Known results: what a product is expected to come to, and how a report differs from that.

`duts/<name>/expected.yaml` lists every requirement whose verdict is expected not to be `pass`.
It decides about exit statuses only; no verdict and no report is changed by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from lbcert import catalogue
from lbcert.report import schema, yamlfile
from lbcert.report.model import DESELECTED
from lbcert.verdicts import Verdict, not_offered

_TEXT = {"type": "string", "minLength": 1}

_RULES = Draft202012Validator({
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "deployments"],
    "properties": {
        "schema": {"const": 1},
        "deployments": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["requirement", "verdict", "reason", "source"],
                    "properties": {
                        "requirement": _TEXT,
                        "verdict": {"enum": [verdict.value for verdict in Verdict]},
                        "reason": _TEXT,
                        "source": _TEXT,
                        "versions": {"type": "array", "minItems": 1, "items": _TEXT},
                    },
                },
            },
        },
    },
})

_REMEDY = ("Each entry has the keys requirement, verdict, reason and source, and versions if it is not about all; a deployment without known differences "
           "is written as an empty list: [].")


@dataclass(frozen=True)
class Entry:
    """One known verdict other than `pass`."""

    requirement: str
    verdict: str
    reason: str
    source: str
    versions: tuple[str, ...] = ()
    """beginnings of the versions that it is about, as in 2.6; empty: all"""

    def holds_for(self, version: str | None) -> bool:
        """Whether it is about this version of the product."""
        return not self.versions or any(f"{version}.".startswith(f"{one}.") for one in self.versions)


@dataclass(frozen=True)
class Expected:
    """The known results of one product. Without a file: everything is expected to pass."""

    path: Path | None = None
    deployments: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """One requirement that did not come to what was expected of it."""

    deployment: str
    requirement: str
    expected: str
    found: str
    reason: str

    def __str__(self) -> str:
        line = f"{self.deployment}  {self.requirement}: expected {self.expected}, found {self.found}"
        return f"{line}\n    {self.reason}" if self.reason else line


def load(path: Path, requirements: Iterable[str] | None = None) -> Expected:
    """The known results of a file, checked. `requirements` are the ids of the catalogue unless given."""
    known = sorted(catalogue.requirements() if requirements is None else requirements)
    file = yamlfile.read(Path(path), _RULES, _REMEDY)
    deployments: dict[str, dict[str, Entry]] = {}
    for deployment, rows in file.data["deployments"].items():
        entries = deployments[deployment] = {}
        for number, row in enumerate(rows):
            place = ("deployments", deployment, number)
            entry = Entry(**{**row, "versions": tuple(row.get("versions", ()))})
            if entry.requirement not in known:
                raise file.error((*place, "requirement"), f"{entry.requirement!r} is not in the catalogue.",
                                 schema.did_you_mean(entry.requirement, known).strip())
            if entry.requirement in entries:
                raise file.error((*place, "requirement"), f"{entry.requirement} is there twice.",
                                 "Keep one of the two entries.")
            if entry.verdict == Verdict.PASS:
                raise file.error((*place, "verdict"), "pass is what every requirement is expected to do.",
                                 "Remove the entry.")
            entries[entry.requirement] = entry
    return Expected(file.path, deployments)


def compare(report: Mapping[str, Any], expected: Expected, only_selected: bool = False) -> list[Difference]:
    """Every requirement whose verdict is not the expected one, an unexpected pass included.

    `only_selected` leaves out what the run was not asked for, as after `-k` or for one deployment of several.
    """
    return list(_differences(report, expected, only_selected))


def describe(differences: list[Difference], expected: Expected) -> str:
    """The differences for a terminal; one sentence if there are none."""
    file = str(expected.path) if expected.path else "the expectation that everything passes"
    if not differences:
        return f"The run agrees with {file}."
    count = len(differences)
    head = f"{count} difference{'s' if count > 1 else ''} from {file}:"
    body = "\n".join("  " + str(difference).replace("\n", "\n  ") for difference in differences)
    return f"{head}\n{body}"


def _differences(report: Mapping[str, Any], expected: Expected, only_selected: bool) -> Iterator[Difference]:
    for deployment in report["deployments"]:
        known = expected.deployments.get(deployment["id"], {})
        entries = {name: entry for name, entry in known.items() if entry.holds_for(report["dut"]["version"])}
        rows = {row["id"]: row for row in deployment["requirements"]}
        for row in rows.values():
            if row.get("group") == catalogue.DOSSIER:
                continue
            entry = entries.get(row["id"])
            if entry is None and row["verdict"] == Verdict.MEASURED and row["level"] == "MAY":
                # All that a MAY row can come to: neither better nor worse than expected.
                continue
            if entry is None and not_offered(row):
                # What a deployment does not claim in its dut.yaml, nobody expects of it.
                continue
            wanted = entry.verdict if entry else Verdict.PASS.value
            if row["verdict"] != wanted and not (only_selected and _not_asked_for(row)):
                yield Difference(deployment["id"], row["id"], wanted, row["verdict"], _explain(row, entry))
        for entry in entries.values():
            if entry.requirement not in rows:
                yield Difference(deployment["id"], entry.requirement, entry.verdict, "nothing",
                                 f"The profile {deployment['profile']} has no such requirement: remove the entry.")
    if not only_selected:
        reported = {deployment["id"] for deployment in report["deployments"]}
        for name in expected.deployments:
            if name not in reported:
                yield Difference(name, "(all)", "a run", "nothing", "This deployment is not in the report.")


def _explain(row: Mapping[str, Any], entry: Entry | None) -> str:
    if row["verdict"] == Verdict.PASS and entry:
        return f"An unexpected pass. If it is here to stay, remove the entry. It said: {entry.reason}"
    return row["reason"] or next((test["observed"] for test in row["tests"] if test["verdict"] == row["verdict"]), "")


def _not_asked_for(row: Mapping[str, Any]) -> bool:
    """True if nothing but the selection of tests keeps this row from a verdict."""
    return row["verdict"] == Verdict.NOT_RUN and (not row["tests"] or row["reason"] == DESELECTED)
