"""The engine: each thing that can be wrong with it is one clear error, and containers of the living are left alone."""

import os
import re
import subprocess
import sys

import pytest

from lbcert.topology import engine
from lbcert.topology.choice import PROVIDERS
from lbcert.topology.docker import Docker
from lbcert.topology.interface import Provider, Unavailable

WRONG = {
    "no answer": ({"says": "Cannot connect to the Docker daemon."}, "no Docker engine answers: Cannot connect"),
    "no permission": ({"says": "permission denied while trying to connect"}, "add yourself to the group docker"),
    "old engine": ({"Version": "19.03.8"}, "engine is version 19.03.8; labs need 20.10 or later"),
    "no version": ({"Version": ""}, "engine is version unknown"),
    "another machine": ({"KernelVersion": "6.10.14-linuxkit"}, "runs on another machine, or in a virtual one .its kernel is 6"),
    "no compose": ({}, "Docker Compose v2 is not installed: run `make docker`"),
    "old compose": ({"compose": "1.29.2"}, "is version 1.29.2: run `make docker`"),
    "no image": ({"compose": "v2.40.3", "image": False}, "the image lbcert-host:2 has not been built: run `make docker`"),
}


def trouble() -> str:
    provider = Docker()
    with pytest.raises(Unavailable) as caught:
        provider.probe()
    provider.close()
    return str(caught.value)


@pytest.mark.parametrize(("facts", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line(pretended, facts, message):
    pretended(**facts)
    said = trouble()
    assert re.search(message, said) and "\n" not in said


def test_a_missing_program_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "the program docker is not installed" in trouble()


def test_a_good_engine_is_taken(pretended):
    pretended(compose="2.40.3")
    provider = Docker()
    provider.probe()
    assert provider.compose == ["docker", "compose"]
    provider.close()
    assert not provider.folder.exists()


def test_a_process_has_ended_when_its_number_is_another_s():
    own = engine.own_name()
    boot, numbering, pid, start = own.split("/")
    assert int(pid) == os.getpid() and not engine.has_ended(own)
    assert engine.has_ended(f"{boot}/{numbering}/{pid}/{int(start) + 1}")
    assert engine.has_ended(f"another-boot/{numbering}/{pid}/{start}")
    assert not engine.has_ended(f"{boot}/1/{pid}/{start}"), "a process of another container cannot be seen from here"
    assert not engine.has_ended("what somebody else wrote")


def test_a_process_has_ended_when_it_is_gone():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = engine.own_name(child.pid)
    assert not engine.has_ended(name)
    child.communicate()
    assert engine.has_ended(name)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_has_what_the_interface_asks_for(name):
    wanted = {member for member in vars(Provider) if not member.startswith("_")} | {"shared"}
    assert wanted == {"shared", "probe", "start", "wait_gone", "alive", "close"}
    assert all(hasattr(PROVIDERS[name], member) for member in wanted)
