"""Imports run one way: the wire knows nobody, the checks know no lab, the suites know lbcert.api only."""

import sys

import pytest
from style_rig import REPOSITORY, files, imports, shown

pytestmark = pytest.mark.xdist_group("style")  # one worker: they share what is dear to read

WIRE, SECURITY, BALANCER = "lbcert.wire", "lbcert.security", "lbcert.balancer"
VALUES = ("lbcert.verdicts", "lbcert.dut_model", "lbcert.deadlines", "lbcert.offers", "lbcert.__init__")

MAY_KNOW = {
    "wire": (WIRE,),
    "balancer": (BALANCER, WIRE),
    "security": (SECURITY, WIRE),
    "endpoints": ("lbcert.endpoints", WIRE, SECURITY, "lbcert.loop", "lbcert.evidence.history"),
    "clients": ("lbcert.clients", WIRE, SECURITY, "lbcert.loop", "lbcert.deadlines", "lbcert.evidence.history"),
    "evidence": ("lbcert.evidence", WIRE, "lbcert.dut", *VALUES),
    "report": ("lbcert.report", "lbcert.catalogue", "lbcert.dut", "lbcert.verdicts"),
    "corpus": ("lbcert.corpus", "lbcert.report", WIRE),
    "topology": ("lbcert.topology", "lbcert.endpoints", BALANCER, *VALUES),
    "drivers": ("lbcert.drivers", "lbcert.topology", BALANCER, SECURITY, WIRE, "lbcert", *VALUES),
}
"""package of lbcert -> what it may import of lbcert"""

NO_WORLD = {"socket", "asyncio", "threading", "time", "select", "subprocess", "os", "random"}


def ours(path) -> list[str]:
    return [name for _, name in imports(path) if name.split(".")[0] == "lbcert"]


def strangers(path, known: tuple[str, ...]) -> list[str]:
    """Imports of lbcert beyond `known` packages and modules."""
    return [name for name in ours(path) if not any(name == one or (one != "lbcert" and name.startswith(f"{one}.")) for one in known)]


@pytest.mark.parametrize("package", MAY_KNOW)
def test_a_package_knows_only_those_below_it(package):
    found = {shown(path): strangers(path, MAY_KNOW[package]) for path in files(f"harness/lbcert/{package}")}
    assert found and not {name: what for name, what in found.items() if what}


def test_the_wire_knows_no_socket_no_clock_no_thread():
    found = {shown(path): {name.split(".")[0] for _, name in imports(path)} & NO_WORLD for path in files("harness/lbcert/wire")}
    assert found and not any(found.values())


@pytest.mark.parametrize("path", files("suites"), ids=shown)
def test_suites_know_the_stable_names_only(path):
    foreign = [name for _, name in imports(path) if name.split(".")[0] not in sys.stdlib_module_names and name != "pytest"]
    assert set(foreign) <= {"lbcert.api"}


@pytest.mark.parametrize("name", ["plugin", "cli", "api"])
def test_nobody_below_knows_those_on_top(name):
    users = [shown(path) for path in files("harness/lbcert") if f"lbcert.{name}" in ours(path)]
    assert users == []


def test_every_stable_name_exists():
    from lbcert import api

    assert sorted(api.__all__) == sorted(set(api.__all__))
    assert all(hasattr(api, name) for name in api.__all__)


def test_the_search_reads_relative_imports():
    seen = ours(REPOSITORY / "harness/lbcert/evidence/checks/fail.py")
    assert {"lbcert.deadlines", "lbcert.dut", "lbcert.evidence.finding", "lbcert.evidence.checks.served"} <= set(seen)
