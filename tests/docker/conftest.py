"""Fixtures: `engine_here` skips where no lab of containers can be made; `pretended`, an engine that says what it is told."""

import json
import os
import platform
import sys
from pathlib import Path

import pytest

from lbcert.topology.docker import Docker
from lbcert.topology.interface import Unavailable

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def engine_here():
    provider = Docker()
    try:
        provider.probe()
    except Unavailable as error:
        pytest.skip(f"{error}")
    finally:
        provider.close()


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """`pretended(Version=..., says=...)` puts a `docker` into PATH: its server's facts, or what it complains of instead."""
    program = tmp_path / "docker"

    def install(says: str = "", compose: str = "", image: bool = True, **server: str) -> None:
        facts = {"Version": "20.10.24+dfsg1", "KernelVersion": platform.release(), **server}
        program.write_text(
            "#!/bin/sh\ncase $1 in\n"
            + (f"*) echo '{says}' >&2; exit 1 ;;\n" if says else "")
            + f"version) echo '{json.dumps(facts)}' ;;\n"
            + (f"compose) echo '{compose}' ;;\n" if compose else "compose) exit 1 ;;\n")
            + f"image) exit {0 if image else 1} ;;\nesac\n"
        )
        program.chmod(0o755)
        # The pinned Compose lies beside the interpreter.
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        monkeypatch.setenv("PATH", f"{tmp_path}:/nonexistent")

    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    return install
