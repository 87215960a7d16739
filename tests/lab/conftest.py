"""Fixtures: `shared`, a lab for a whole file whose tests leave it as they found it; `made`, one for a single test."""

import sys
from pathlib import Path

import pytest

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))

from lab_rig import make_lab  # noqa: E402


@pytest.fixture(scope="module")
def shared(zygote, tmp_path_factory):
    lab = make_lab(zygote, tmp_path_factory.mktemp("shared"))
    yield lab
    lab.close()


@pytest.fixture
def made(zygote, tmp_path):
    lab = make_lab(zygote, tmp_path)
    yield lab
    lab.close()
