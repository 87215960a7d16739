"""Paths in commands that users are told to type."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from .dut import REPOSITORY


def typed(path: Path, more: str = "") -> str:
    """A path, with `more` behind it, as a shell takes it: below the current directory from there, else absolute.

    It begins with `./` or `/`, so that `--dut` takes it for no name.
    """
    path, here = Path(os.path.abspath(path)), Path.cwd()
    text = f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)
    return shlex.quote(text + more)


def ours(path: str) -> str:
    """The same for a file or folder of this suite, by its path in the repository."""
    return typed(REPOSITORY / path)


def written(path: Path) -> str:
    """A path for a command in a file, which is read wherever: absolute."""
    return shlex.quote(os.path.abspath(path))
