"""Reads what a run left in its directory: run.json, results.jsonl, finished.json.

A run may have been killed at any moment, so a last line that was not written to its end is
expected. Anything else that is broken is an error: a result that cannot be read must not
silently become a better one.
"""

from __future__ import annotations

import errno
import json
import math
import stat
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

from lbcert.report import schema
from lbcert.report.errors import ReportError

RUN, RESULTS, FINISHED = "run.json", "results.jsonl", "finished.json"

_REWRITE = "Only a run writes this file, with the lbcert of its time; run the suite again, or give the directory of another run."
_DROP_LINE = "Delete this line and build the report again; its test is then reported as not run."


@dataclass(frozen=True)
class RunDir:
    """The contents of a run directory."""

    path: Path
    run: dict[str, Any]
    results: list[dict[str, Any]]
    truncated: bool
    finished: dict[str, Any] | None

    @property
    def seconds(self) -> float:
        """How long the run took; of a run without an end, how long until its last result."""
        start = self._time(RUN, "started", self.run["started"])
        if self.finished:
            return max(0.0, (self._time(FINISHED, "finished", self.finished["finished"]) - start).total_seconds())
        ends = [(self._time(RESULTS, "started", result["started"]) - start).total_seconds()
                + (result.get("duration_s") or 0.0)
                for result in self.results if result.get("started")]
        return max(0.0, *ends) if ends else 0.0

    def _time(self, file: str, field: str, text: str) -> datetime:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise ReportError(self.path / file, f"{text!r} is not an ISO 8601 time.", _REWRITE, field=field) from None
        return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def read(run_dir: Path) -> RunDir:
    """The contents of a run directory, checked."""
    run = read_json(run_dir / RUN, "run", _REWRITE)
    results, truncated = _read_results(run_dir / RESULTS)
    finished = read_json(run_dir / FINISHED, "finished", _REWRITE) if (run_dir / FINISHED).exists() else None
    return RunDir(run_dir, run, results, truncated, finished)


def read_json(path: Path, definition: str, remedy: str) -> dict[str, Any]:
    """A JSON file that follows a definition of input.schema.json; `report` for report.json itself."""
    data = read_plain(path, remedy)
    check(path, data, definition, remedy)
    return data


def read_plain(path: Path, remedy: str) -> Any:
    """What a file of strict JSON holds; ReportError with `remedy` where it cannot be read or is none."""
    try:
        return parse(_bytes(path).decode("utf-8"))
    except OSError as error:
        raise ReportError(path, f"cannot be read: {error.strerror}.", remedy) from None
    except UnicodeDecodeError as error:
        raise ReportError(path, f"is not UTF-8 (byte {error.start}).", remedy) from None
    except json.JSONDecodeError as error:
        raise ReportError(path, f"is not JSON: {error.msg}.", remedy, line=error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise ReportError(path, f"is not JSON: {error}.", remedy) from None


def _bytes(path: Path) -> bytes:
    """A file's bytes. Of a pipe or a device nobody knows when it ends, so those are refused."""
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise OSError(errno.EINVAL, "It is not a regular file")
    return path.read_bytes()


def parse(text: str) -> Any:
    """Strict JSON: no NaN, no Infinity, and no number so large that it would become one."""
    return json.loads(text, parse_constant=_refuse, parse_float=_float)


def _float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def check(path: Path, data: Any, definition: str, remedy: str, line: int | None = None) -> None:
    """Raises if the data does not follow its schema."""
    rules = (schema.packaged("report.schema.json") if definition == "report"
             else schema.packaged("input.schema.json", definition))
    if problem := schema.first_problem(data, rules):
        raise ReportError(path, problem.what, remedy, line=line, field=problem.field)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number of JSON")


def _read_results(path: Path) -> tuple[list[dict[str, Any]], bool]:
    """The results, and whether the last line breaks off. Without the file: none."""
    try:
        raw = _bytes(path)
    except FileNotFoundError:
        return [], False
    except OSError as error:
        raise ReportError(path, f"cannot be read: {error.strerror}.", _REWRITE) from None
    lines = raw.split(b"\n")
    whole, rest = lines[:-1], lines[-1]
    results = [_read_line(path, number, line) for number, line in enumerate(whole, 1) if line.strip()]
    if not rest.strip():
        return results, False
    try:
        # Complete but for its line feed: the result counts.
        parse(rest.decode("utf-8"))
    except (ValueError, RecursionError):
        return results, True
    return [*results, _read_line(path, len(lines), rest)], False


def _read_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        result = parse(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise ReportError(path, f"is not JSON: {what}.", _DROP_LINE, line=number) from None
    check(path, result, "result", _DROP_LINE, line=number)
    return result
