"""Labs of containers: the same verdicts as in namespaces, nothing left after an end by force, side by side."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from docker_rig import containers, verdicts

from lbcert.topology import engine
from lbcert.topology.docker import Docker
from lbcert.topology.plan import make_plan

pytestmark = pytest.mark.usefixtures("engine_here")

SAMPLES = {
    "a pass and a fail": ("rdp", "haproxy:rdp-cookie", "RDP-PERSIST-01 or RDP-PERSIST-03"),
    "faults": ("rdp", "haproxy", "RDP-PARSE-04 or RDP-FAIL-01 or RDP-FAIL-02 or RDP-FAIL-03"),
    "our own balancer": ("rdp", "ideal", "RDP-PARSE-04 or RDP-PERSIST-01 or RDP-FAIL-01 or RDP-SESS-01"),
    "a mutant": ("rdp", "mutants/no-redispatch.yaml", "RDP-FAIL-01"),
    "a pool": ("ocs", "haproxy:ocs", "OCS-NET-02 or OCS-AFF-01"),
    "a transparent site": ("ssl_tproxy", "haproxy:tproxy", "TP-ADDR-01 or TP-COOKIE-01"),
}
"""name -> suite, DUT, requirements"""
PLAN = make_plan(["192.0.2.10"], {"ts1": "192.0.2.11"})
TRY = """
mount -t tmpfs none /mnt || echo refused
echo x >/proc/sys/kernel/core_pattern || echo refused
ip route show default
sysctl -qw net.ipv4.ip_forward=1 && echo forwards
"""
HOLD = """
from lbcert.topology.docker import Docker
from lbcert.topology.plan import make_plan
provider = Docker()
provider.probe()
lab = provider.start(make_plan(["192.0.2.10"], {"ts1": "192.0.2.11"}))
print(provider.owner, provider.folder, flush=True)
input()
"""


@pytest.mark.parametrize("sample", [name if name == "a pass and a fail" else pytest.param(name, marks=pytest.mark.nightly)
                                    for name in SAMPLES])  # fmt: skip
def test_verdicts_are_the_same_in_both_topologies(sample, tmp_path):
    suite, dut, rows = SAMPLES[sample]
    found = {topology: verdicts(topology, tmp_path / topology, "--dut", dut, "-k", rows, suite=suite)
             for topology in ("docker", "netns")}  # fmt: skip
    assert found["docker"] == found["netns"] and "setup-error" not in found["docker"].values()


@pytest.mark.nightly
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=lambda end: end.name)
def test_the_next_run_removes_what_one_that_was_ended_left(end):
    own = subprocess.run(["docker", "create", "--label", "lbcert-test=own", "lbcert-host:2"], capture_output=True, text=True,
                         check=True).stdout.strip()  # fmt: skip
    try:
        with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL) as holder:  # fmt: skip
            owner, folder = holder.stdout.readline().split()
            engine.sweep()
            assert len(containers(f"{engine.OWNER}={owner}")) == 4, "the living keep theirs"
            holder.send_signal(end)
        engine.sweep()
        assert containers(f"{engine.OWNER}={owner}") == []
        assert not Path(folder).exists()
        assert len(containers("lbcert-test=own")) == 1
    finally:
        subprocess.run(["docker", "rm", own], capture_output=True, check=True)


@pytest.mark.nightly
def test_labs_with_the_same_addresses_stand_side_by_side():
    providers = [Docker(), Docker()]
    try:
        for provider in providers:
            provider.probe()
        labs = [provider.start(PLAN) for provider in providers]
        ways = [lab.run("ts1", ["/usr/sbin/ip", "-4", "-brief", "address", "show", "eth0"])[1] for lab in labs]
        assert all("192.0.2.11/24" in way for way in ways)
        networks = subprocess.run(["docker", "network", "ls", "-q", "--filter", "name=lbcert-"], capture_output=True, check=True)
        assert networks.stdout == b""
    finally:
        for provider in providers:
            provider.close()
    assert all(containers(f"{engine.OWNER}={provider.owner}") == [] for provider in providers)


@pytest.mark.nightly
def test_what_runs_in_a_host_cannot_reach_the_machine():
    provider = Docker()
    try:
        provider.probe()
        lab = provider.start(PLAN)
        status, text = lab.run("dut", ["/bin/sh", "-c", TRY])
        assert status == 0 and text.count("refused") == 2 and "default" not in text and text.endswith("forwards\n"), text
    finally:
        provider.close()
