"""Fixtures: `lab`, a small one for a whole file; `build`, labs of one test."""

import sys
from pathlib import Path

import pytest

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))

from topology_rig import small_plan  # noqa: E402


@pytest.fixture(scope="module")
def broker(zygote):
    """A lab that the tests of one file share; they leave it as they found it."""
    made = zygote.start(small_plan(), {"balancer.example": "192.0.2.10"})
    yield made
    made.close()


@pytest.fixture
def build(zygote):
    """`build(plan)` makes a lab for one test."""
    made = []

    def start(plan):
        made.append(zygote.start(plan))
        return made[-1]

    yield start
    for each in made:
        each.close()
