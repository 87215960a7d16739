"""YAML read strictly: every wrong word is a `ConfigError` with file, line, field and remedy.

Works on the parser's nodes rather than on loaded objects, because only nodes know their line, and because a
loader would silently keep the last of two equal keys.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NoReturn

import yaml

from .errors import ConfigError

_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")


class Field:
    """One value of the document, and where it stands."""

    def __init__(self, node: yaml.Node, source: str, path: str) -> None:
        self._node = node
        self._source = source
        self.path = path

    def wrong(self, problem: str, remedy: str) -> NoReturn:
        line = self._node.start_mark.line + 1
        what = f"{self.path}: " if self.path else ""
        raise ConfigError(f"{self._source}:{line}: {what}{problem}; {remedy}")

    def mapping(self, known: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, Field]:
        """The fields below this one, by key; `known` limits the keys."""
        if not isinstance(self._node, yaml.MappingNode):
            self.wrong(f"{self._shown()} is not a mapping", "write it as lines of `key: value`")
        fields: dict[str, Field] = {}
        allowed = None if known is None else sorted(known)
        for key_node, value_node in self._node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            here = Field(key_node, self._source, self.path)
            if key is None:
                here.wrong("a key is not plain text", "write keys as single words")
            if allowed is not None and key not in allowed:
                here.wrong(f"unknown key {key!r}", suggestion(key, allowed))
            if key in fields:
                here.wrong(f"the key {key!r} stands twice", "keep one of them")
            fields[key] = Field(value_node, self._source, f"{self.path}.{key}" if self.path else key)
        for key in required:
            if key not in fields:
                self.wrong(f"the key {key!r} is missing", f"add a line `{key}: ...`")
        return fields

    def sequence(self) -> list[Field]:
        if not isinstance(self._node, yaml.SequenceNode):
            self.wrong(f"{self._shown()} is not a list", "write it as [first, second]")
        return [Field(node, self._source, f"{self.path}[{index}]") for index, node in enumerate(self._node.value)]

    def text(self) -> str:
        """The scalar as it is written: `null` and `none` are words here."""
        if not isinstance(self._node, yaml.ScalarNode) or not self._node.value:
            self.wrong(f"{self._shown()} is not a word", "write one value after the colon")
        return self._node.value

    def choice(self, *words: str) -> str:
        word = self.text()
        if word not in words:
            self.wrong(f"unknown value {word!r}", suggestion(word, words))
        return word

    def switch(self) -> bool:
        return self.choice("true", "false") == "true"

    def seconds(self, least: float = 0.001, most: float = 86_400.0) -> float:
        return self._number(float, _DECIMAL, "a number of seconds", least, most)

    def factor(self, least: float, most: float) -> float:
        return self._number(float, _DECIMAL, "a number", least, most)

    def whole(self, least: int, most: int) -> int:
        return self._number(int, _WHOLE, "a whole number", least, most)

    def _number(self, kind, shape, name, least, most):
        text = self.text()
        # The length limit keeps int() away from texts that it refuses or takes long over.
        if len(text) > 20 or not shape.fullmatch(text):
            self.wrong(f"{text[:40]!r} is not {name}", f"write {name} from {least} to {most}")
        value = kind(text)
        if not least <= value <= most:
            self.wrong(f"{text} is out of range", f"write {name} from {least} to {most}")
        return value

    def _shown(self) -> str:
        if isinstance(self._node, yaml.ScalarNode):
            return repr(self._node.value[:40]) if self._node.value else "an empty value"
        return "a list" if isinstance(self._node, yaml.SequenceNode) else "a mapping"


def read(text: str, source: str) -> Field:
    """The document's root, or `ConfigError`."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{source}{line}: not YAML: {error.problem}; correct the line or the one before it") from None
    except yaml.YAMLError:
        raise ConfigError(f"{source}: not YAML: a character that YAML does not allow; save it as plain UTF-8") from None
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply; use the keys of the documentation only") from None
    if root is None:
        raise ConfigError(f"{source}:1: the file is empty; write at least `mode`, `listen` and `servers`")
    return Field(root, source, "")


def suggestion(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
