"""Fixture: `behind`, which makes labs with screens for the clients."""

import sys
from pathlib import Path

import pytest

from lbcert.topology.plan import CLIENT_HOST

# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(Path(__file__).parent))

from peers_rig import Programs, lab_behind  # noqa: E402


@pytest.fixture(scope="module")
def behind(zygote, tmp_path_factory):
    """behind(DUT): its lab for this file, made at the first call, with a screen in the client host."""
    made: dict[str, Programs] = {}

    def make(dut: str) -> Programs:
        if dut not in made:
            made[dut] = Programs(lab_behind(zygote, dut, tmp_path_factory.mktemp("peers")))
            made[dut].screen(CLIENT_HOST)
        return made[dut]

    yield make
    for programs in made.values():
        programs.lab.close()
        programs.close()
