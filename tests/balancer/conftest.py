"""Fixtures: `rig(**config)` starts a balancer with its surroundings, `pool(**config)` one with several ports."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Helpers must be found whichever import mode the project's pytest.ini chooses.
sys.path.insert(0, str(HERE))

from balancer_rig import Rig  # noqa: E402
from pool_rig import Pool  # noqa: E402


@pytest.fixture(scope="session")
def zygote():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, str(HERE / "balancer_zygote.py"), str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    theirs.close()
    yield ours
    ours.close()
    process.wait(10)


@pytest.fixture
def rig(zygote):
    rigs = []

    def start(**config) -> Rig:
        rigs.append(Rig(zygote, **config))
        return rigs[-1]

    yield start
    for each in rigs:
        each.close()


@pytest.fixture
def pool(zygote):
    pools = []

    def start(**config) -> Pool:
        pools.append(Pool(zygote, **config))
        return pools[-1]

    yield start
    for each in pools:
        each.close()
