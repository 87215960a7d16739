"""Fixtures: `examined(answer)`, what is found out about one of the ten configurations, each started once."""

import sys
from functools import cache
from pathlib import Path

import pytest

from lbcert.check.command import Checked, examine
from lbcert.topology.netns import Zygote

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def check_zygote():
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture(scope="session")
def examined(check_zygote):
    @cache
    def start(path: Path, env: tuple[tuple[str, str], ...]) -> Checked:
        return examine([path], env=dict(env), zygote=check_zygote)

    return lambda answer: start(answer.path, tuple(answer.env.items()))
