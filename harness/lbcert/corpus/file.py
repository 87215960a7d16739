"""The corpus file: JSON with a schema number, one entry for each distinct packet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from ..report import model, rundir, schema
from ..report.errors import ReportError
from ..wire import ConnectionRequest, Decoded
from .packets import Entry, kind, nameless

MOST = 1000
"""packets: each is a client of its own in two tests"""
REMEDY = "Give a file that `lbcert import CAPTURE` wrote, or a folder of such files."


@dataclass(frozen=True)
class Packet:
    """A packet to send."""

    label: str
    """which one it is, in findings"""
    data: bytes
    nameless: bool
    """whether it has neither cookie nor token"""


@dataclass(frozen=True)
class Corpus:
    """The packets of a run."""

    path: Path | None = None
    packets: tuple[Packet, ...] = ()

    def rows(self) -> dict[str, int]:
        """How many packets tests of a requirement send."""
        rows = {"RDP-PARSE-01": len(self.packets), "RDP-PARSE-04": sum(packet.nameless for packet in self.packets)}
        return {name: count for name, count in rows.items() if count}

    def facts(self) -> dict[str, Any]:
        """What run.json says of it."""
        return {"file": str(self.path), "packets": len(self.packets), "rows": self.rows()}


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Write a corpus; ReportError if there is such a file already."""
    if path.exists():
        raise ReportError(path, "exists already.", "Name another file with --into, or remove this one.")
    packets = [{"hex": entry.data.hex(), "from": list(entry.sources), "seen": entry.seen, "kind": kind(entry.request)}
               for entry in entries]  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(path.parent, f"cannot be made: {error.strerror}.", "Name another file with --into.") from None
    model.write_atomically(path, json.dumps({"schema": 1, "packets": packets}, indent=1, ensure_ascii=False) + "\n")


def load(path: Path) -> Corpus:
    """The packets of a file, or of all *.json in a folder, each once; ReportError names what cannot be used."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ReportError(path, "holds no corpus (*.json).", REMEDY)
    packets: dict[bytes, Packet] = {}
    for file in files:
        for number, data in enumerate(_read(file), 1):
            request = _request(file, number, data)
            packets.setdefault(data, Packet(f"{file.stem} {number} ({kind(request)})", data, nameless(request)))
    if len(packets) > MOST:
        raise ReportError(path, f"holds {len(packets)} packets; a run sends {MOST} at most.", "Give fewer files.")
    return Corpus(path, tuple(packets.values()))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(Path(__file__).with_name("corpus.schema.json").read_text(encoding="utf-8")))


def _read(file: Path) -> list[bytes]:
    if file.exists() and not file.is_file():
        raise ReportError(file, "is not a regular file.", REMEDY)
    content = rundir.read_plain(file, REMEDY)
    if problem := schema.first_problem(content, _validator()):
        raise ReportError(file, problem.what, REMEDY, field=problem.field)
    return [bytes.fromhex(one["hex"]) for one in content["packets"]]


def _request(file: Path, number: int, data: bytes) -> ConnectionRequest:
    outcome = ConnectionRequest.decode(data)
    if isinstance(outcome, Decoded) and not outcome.rest:
        return outcome.value
    what = getattr(outcome, "reason", "it is not one whole packet")
    raise ReportError(file, f"is no Connection Request: {what}.", REMEDY, field=f"packets[{number - 1}].hex")
