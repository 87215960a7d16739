"""Fixtures: a private place for running labs, and terminals with `lbcert` in them."""

import sys
from pathlib import Path

import pytest

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))

from console_rig import Terminal  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The runtime folder of these tests: no lab of the user's is meant by them."""
    folder = tmp_path_factory.mktemp("runtime") / "r"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LBCERT_RUNTIME_DIR", str(folder))
        yield folder


@pytest.fixture
def terminal(place):
    """`terminal(words...)` types a command into a terminal of its own."""
    opened = []

    def run(*words):
        opened.append(Terminal(*words))
        return opened[-1]

    yield run
    for each in opened:
        each.end()
