"""Fixtures: `examined(answer)`, what is found out about one of the ten configurations, each started once."""

import sys
from functools import cache
from pathlib import Path

import pytest

from lbcert.check.command import Checked, examine

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def examined(zygote):
    @cache
    def start(path: Path, env: tuple[tuple[str, str], ...]) -> Checked:
        return examine([path], env=dict(env), zygote=zygote)

    return lambda answer: start(answer.path, tuple(answer.env.items()))
