"""Strict YAML: plain data, each value's line known, duplicate keys and unknown keys refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from lbcert.report import schema
from lbcert.report.errors import ReportError

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """The data of a file, and the line on which each value starts."""

    path: Path
    data: Any
    lines: dict[FieldPath, int]

    def line(self, path: FieldPath) -> int | None:
        """The line of a value; of its nearest parent if it is not there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def error(self, path: FieldPath, what: str, remedy: str, kind: type[ReportError] = ReportError) -> ReportError:
        """An error about one value, for the caller to raise."""
        return kind(self.path, what, remedy, line=self.line(path), field=schema.field_name(path))


def read(path: Path, rules: Draft202012Validator, remedy: str, kind: type[ReportError] = ReportError) -> YamlFile:
    """The file's data, checked against the rules. Every error names the line and says what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise kind(path, f"cannot be read: {error.strerror}.", remedy) from None
    except UnicodeDecodeError as error:
        raise kind(path, f"is not UTF-8 (byte {error.start}).", "Save it as UTF-8.") from None
    lines: dict[FieldPath, int] = {}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else _plain(loader, node, (), lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise kind(path, f"is not valid YAML: {error.problem}.", remedy,
                   line=mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise kind(path, f"is not valid YAML: {str(error).splitlines()[0]}.", remedy) from None
    found = YamlFile(path, data, lines)
    if problem := schema.first_problem(data, rules):
        raise found.error(problem.path, problem.what, remedy, kind)
    return found


class _Loader(yaml.SafeLoader):
    """Without aliases: a value then has exactly one line, and no file can expand without end."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.constructor.ConstructorError(None, None, "aliases are not supported", event.start_mark)
        return super().compose_node(parent, index)


def _plain(loader: yaml.SafeLoader, node: yaml.Node, path: FieldPath, lines: dict[FieldPath, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, number), lines) for number, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
            # As text: a deployment may be called 2024 or on.
            key = key_node.value
            if key in mapping:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice",
                                                        key_node.start_mark)
            mapping[key] = _plain(loader, value_node, (*path, key), lines)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return mapping
    return loader.construct_object(node, deep=True)
