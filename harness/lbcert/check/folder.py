"""Writing the guesses as a DUT's folder, which the user can correct and check again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from ..dut import REPOSITORY
from ..paths import written
from ..report.errors import ReportError
from . import variants
from .assumptions import Assumptions
from .guess import Candidate
from .sources import Source

_HEAD = """\
# Written by `lbcert check`. Every value is a guess; the comments say where it comes from. Correct what is wrong, and
# check again with: lbcert check {folder}
# The keys are explained in {keys}.
"""


def write(folder: Path, source: Source, environment: dict[str, str], assumed: Assumptions, binary: str | None,
          candidates: list[Candidate]) -> Path:  # fmt: skip
    """Write configuration, variants, made-up files and dut.yaml into a new or empty folder; returns dut.yaml."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ReportError(folder, "is not empty.", "Name a new folder for --write.")
        (folder / source.name).write_text(source.merged)
        for name, content in assumed.contents.items():
            (folder / name).write_bytes(content)
        parts = [_deployment(folder, source, environment, assumed, one) for one in candidates]
        top = {"schema": 1, "name": f"{source.name}, as checked", "driver": "haproxy", **({"binary": binary} if binary else {})}
        text = _HEAD.format(folder=written(folder), keys=REPOSITORY / "docs/dut.md") + yaml.safe_dump(top, sort_keys=False, allow_unicode=True, width=1000) + "deployments:\n"
        (folder / "dut.yaml").write_text(text + "".join(parts))
    except OSError as error:
        raise ReportError(error.filename or folder, f"cannot be written: {error.strerror}.",
                          "Name another folder for --write.") from None  # fmt: skip
    return folder / "dut.yaml"


def _deployment(folder: Path, source: Source, environment: dict[str, str], assumed: Assumptions, one: Candidate) -> str:
    lines = [f"  {one.id}:", "    profile: rdp", f"    config: {_flow(source.name)}"]
    origin = {guess.key: guess for guess in one.guesses}

    def put(key: str, value: Any, why: str, indent: int = 4) -> None:
        lines.append(f"{' ' * indent}# {_comment(why)}")
        lines.append(f"{' ' * indent}{key}: {_flow(value)}")

    if "claims" in origin:
        put("claims", origin["claims"].value, origin["claims"].origin)
    lines.append("    declares:")
    for key in ("health_check", "persistence"):
        guess = origin[f"declares.{key}"]
        if guess.value is None:
            lines.append(f"      # {key}: {_comment(guess.origin)}")
        else:
            put(key, guess.value, guess.origin, 6)
    put("services", {"rdp": origin["services.rdp"].value}, origin["services.rdp"].origin)
    if one.variants:
        put("variants", variants.write(folder, source, one.id, one.variants),
            "the same file but for one value; some requirements can be judged with these only")  # fmt: skip
    for key, value in (("environment", environment), ("hosts", assumed.hosts), ("files", assumed.targets)):
        if value:
            why = "; ".join(said for said, _ in assumed.said if key != "environment") or "given"
            put(key, dict(value), why if key != "environment" else "given with --env")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    return " ".join(text.split())
