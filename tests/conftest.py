"""Fixture of all tests: `zygote`, from which labs are forked; one for each process of pytest."""

import pytest

from lbcert.topology.netns import Zygote
from lbcert.topology.probe import raise_file_limit


@pytest.fixture(scope="session")
def zygote():
    raise_file_limit()
    made = Zygote()
    yield made
    made.close()
