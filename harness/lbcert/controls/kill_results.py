"""What the kill matrix has shown so far, kept between runs: docs/kill-matrix.json, from which the page is made.

A row is kept with the digest of its mutant's file, and is forgotten when that file changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ..report.errors import ReportError
from ..report.model import write_atomically
from ..verdicts import Verdict

Verdicts = dict[str, str]
"""requirement -> verdict"""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(file: Path, mutants: Mapping[str, Path]) -> dict[str, Verdicts]:
    """Rows of those `mutants` (id -> file) that are as they were when the row was made; raises ReportError for a broken file."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(rows, dict):
            raise TypeError("no mapping of mutants")
        return {name: {row: Verdict(verdict).value for row, verdict in rows[name]["row"].items()}
                for name, path in mutants.items() if name in rows and rows[name]["mutant"] == _digest(path)}  # fmt: skip
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(file, f"holds no results of the kill matrix ({error}).",
                          "Remove it; `make kill-matrix` makes it anew.") from None  # fmt: skip


def save(file: Path, mutants: Mapping[str, Path], rows: Mapping[str, Mapping[str, str]]) -> None:
    """Write the rows as a whole, each with its mutant's digest."""
    kept = {name: {"mutant": _digest(mutants[name]), "row": dict(sorted(row.items()))} for name, row in sorted(rows.items())}
    write_atomically(file, json.dumps(kept, indent=1) + "\n")
