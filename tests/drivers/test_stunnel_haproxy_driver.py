"""stunnel in front of HAProxy: both are started and named, and what stunnel rejects is told in its own words."""

import shutil
from dataclasses import replace

import pytest

from lbcert.drivers import DriverError, ProductRejected, driver_for
from lbcert.drivers import stunnel_haproxy as driver_module
from lbcert.drivers.furnish import furnish
from lbcert.dut import DUTS, load

needs_stunnel = pytest.mark.skipif(not driver_module.DEFAULT.exists(), reason="stunnel is not installed (stunnel4)")
VIP = "10.0.0.142"


@pytest.fixture
def product(tmp_path, monkeypatch):
    folder = tmp_path / "lb"
    shutil.copytree(DUTS / "stunnel-haproxy", folder)
    return load(folder / "dut.yaml", str(folder))


def discover(product, scratch, output):
    deployment = product.deployments[0]
    output.touch()
    furnish(scratch, replace(deployment, network={}), product.folder, output)
    return driver_for(product).discover(scratch, deployment, output)


@needs_stunnel
def test_both_programs_are_started_and_named(product, scratch, tmp_path):
    found = discover(product, scratch, tmp_path / "output")
    assert {(VIP, 80), (VIP, 81), (VIP, 443)} <= set(found.listening)
    real = {server.address for server in found.servers if not server.address.startswith("127.")}
    assert real == {"192.168.2.98", "192.168.2.99", "192.168.2.100"}
    assert "2.8" in found.build.version and "sha256" in found.build.details and "stunnel" in found.build.details


@needs_stunnel
def test_what_stunnel_rejects_is_told_in_its_words(product, scratch, tmp_path):
    config = product.folder / "stunnel.conf"
    config.write_text(config.read_text().replace("transparent = source", "transparent = sauce"))
    with pytest.raises(ProductRejected, match="stunnel ended at start with status 1:(.|\n)*transparent"):
        discover(product, scratch, tmp_path / "output")


@pytest.mark.parametrize("lacking, words", [("program", "apt-get install stunnel4"), ("config", "reads stunnel's configuration there")])
def test_what_is_missing_is_named(lacking, words, product, tmp_path, monkeypatch):
    monkeypatch.setattr(driver_module, "DEFAULT", tmp_path / ("nosuch" if lacking == "program" else "dut.yaml"))
    (tmp_path / "dut.yaml").touch()
    (product.folder / "stunnel.conf").unlink()
    with pytest.raises(DriverError, match=words):
        driver_for(product)
