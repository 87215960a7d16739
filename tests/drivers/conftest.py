"""A scratch lab, as a product is discovered in, and DUT folders of a few lines."""

from dataclasses import replace

import pytest

from lbcert.drivers import driver_for
from lbcert.dut import load
from lbcert.topology.plan import DUT_HOST, Host, Plan

YAML = "schema: 1\nname: Mine\ndriver: nginx\nprofile: rdp\nconfig: lb.conf\n"


@pytest.fixture
def scratch(zygote):
    """A host where any address can be bound to, and nobody else is."""
    free = {"ipv4/ip_nonlocal_bind": "1", "ipv6/ip_nonlocal_bind": "1"}
    broker = zygote.start(Plan((), (Host(DUT_HOST, (), sysctls=free),)))
    yield broker
    broker.close()


@pytest.fixture
def nginx(tmp_path):
    """A driver and a deployment with this configuration; `more` lines of dut.yaml, `files` beside it."""

    def make(config: str, more: str = "", files: dict[str, str] | None = None):
        for name, text in {"lb.conf": config, "dut.yaml": YAML + more, **(files or {})}.items():
            (tmp_path / name).write_text(text)
        product = load(tmp_path / "dut.yaml", str(tmp_path))
        return driver_for(product), replace(product.deployments[0])

    return make
