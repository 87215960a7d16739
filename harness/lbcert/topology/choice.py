"""The values of `--topology`."""

from __future__ import annotations

from collections.abc import Callable

from .docker import Docker
from .interface import Provider
from .netns import Zygote

PROVIDERS: dict[str, Callable[[int | None], Provider]] = {"netns": Zygote, "docker": Docker}
"""name -> what makes a provider, given the descriptor of a log"""
