"""Fixtures: `shared`, a lab for a whole file whose tests leave it as they found it; `made`, one for a single test."""

import sys
from pathlib import Path

import pytest

from lbcert.topology.netns import Zygote
from lbcert.topology.probe import raise_file_limit

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))

from lab_rig import make_lab  # noqa: E402


@pytest.fixture(scope="session")
def lab_zygote():
    raise_file_limit()
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture(scope="module")
def shared(lab_zygote, tmp_path_factory):
    lab = make_lab(lab_zygote, tmp_path_factory.mktemp("shared"))
    yield lab
    lab.close()


@pytest.fixture
def made(lab_zygote, tmp_path):
    lab = make_lab(lab_zygote, tmp_path)
    yield lab
    lab.close()
