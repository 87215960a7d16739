"""JSON Schema checks whose messages a user can act on."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Problem:
    """One departure from a schema: where, and what."""

    path: tuple[str | int, ...]
    what: str

    @property
    def field(self) -> str:
        return field_name(self.path)


@cache
def packaged(name: str, definition: str = "") -> Draft202012Validator:
    """The validator of a schema file of this package, or of one of its definitions."""
    pointer = f"#/$defs/{definition}" if definition else ""
    return Draft202012Validator({"$ref": name + pointer}, registry=_registry())


@cache
def _registry() -> Registry:
    files = sorted(HERE.glob("*.schema.json"))
    return Registry().with_resources(
        (file.name, Resource.from_contents(json.loads(file.read_text(encoding="utf-8")))) for file in files)


def first_problem(data: Any, validator: Draft202012Validator) -> Problem | None:
    """The most telling departure of the data from the schema, or None."""
    error = min(validator.iter_errors(data), key=_telling, default=None)
    return _explain(error) if error else None


def _telling(error: ValidationError) -> tuple[int, bool]:
    # Outer before inner; and a misspelt key before the missing key that it stands for.
    return len(error.absolute_path), error.validator != "additionalProperties"


def field_name(path: Sequence[str | int]) -> str:
    """`("a", 0, "b")` as `a[0].b`."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else str(step)
    return name


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint for a word that is not among the known ones."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{hint} Known: {', '.join(known)}."


def _explain(error: ValidationError) -> Problem:
    path = tuple(error.absolute_path)
    found = error.instance
    if error.validator in ("pattern", "oneOf", "anyOf") and "description" in error.schema:
        return Problem(path, f"{_short(found)} is not {error.schema['description']}.")
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema.get("properties", {}))
            unknown = sorted(key for key in found if key not in known)
            return Problem((*path, unknown[0]), f"unknown key.{did_you_mean(unknown[0], known)}")
        case "required":
            missing = next(key for key in error.validator_value if key not in found)
            return Problem(path, f"the key {missing!r} is missing.")
        case "enum":
            return Problem(path, f"{_short(found)} is not known.{did_you_mean(found, _words(error.validator_value))}")
        case "const":
            return Problem(path, f"{_short(found)} is not {error.validator_value!r}.")
        case "type":
            wanted = error.validator_value
            wanted = " or ".join(wanted) if isinstance(wanted, list) else wanted
            if not path and found is None:
                return Problem(path, "the file is empty.")
            quotes = " (put it in quotes)" if wanted == "string" and isinstance(found, (bool, int, float)) else ""
            return Problem(path, f"{_short(found)} is not of type {wanted}{quotes}.")
        case "pattern":
            return Problem(path, f"{_short(found)} does not have the form {error.validator_value}.")
        case "minLength" | "minItems" | "minProperties":
            return Problem(path, "must not be empty.")
    return Problem(path, _short(error.message, quote=False) + ".")


def _words(values: Sequence[Any]) -> list[str]:
    return [str(value) for value in values]


def _short(value: Any, quote: bool = True) -> str:
    text = repr(value) if quote else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
