"""Nonsense is refused with one sentence, and the lab goes on; a lab that cannot be made says why."""

import os
import signal

import pytest
from topology_rig import small_plan

from lbcert.topology.interface import LabError
from lbcert.topology.netns import Zygote
from lbcert.topology.plan import Host, Link, Plan

REFUSALS = {
    "unknown-request": (dict(op="dance"), "dance: no such request; known: balancer, capture, "),
    "unknown-host": (dict(op="dark", host="ts9", on=True), "dark: no host 'ts9' in this lab; it has: client, dut, ts1, ts2"),
    "argument-missing": (dict(op="dark", host="ts1"), "dark: missing a required argument: 'on'"),
    "argument-too-many": (dict(op="dark", host="ts1", on=True, loud=1), "unexpected keyword argument 'loud'"),
    "not-dark": (dict(op="dark", host="ts1", on=False), "dark: nft in ts1: "),
    "no-control-stream": (dict(op="mock", host="ts1", kind="terminal-server", config={}), "mock: a descriptor is missing"),
    "no-output-file": (dict(op="spawn", host="ts1", argv=["/bin/true"]), "spawn: a descriptor is missing"),
    "source-not-ours": (dict(op="sockets", host="client", sources=[["10.128.0.1", 0], ["8.8.8.8", 0]]),
                        "sockets: socket bound to 8.8.8.8: Cannot assign requested address"),
    "source-no-address": (dict(op="sockets", host="client", sources=[["here", 0]]), "sockets: socket bound to here: "),
    "too-many-sockets": (dict(op="sockets", host="client", sources=[["10.128.0.1", 0]] * 251), "at most 250 sockets in one request"),
    "no-such-socket": (dict(op="unix", host="dut", path="/run/absent"), "unix: [Errno 2] No such file or directory"),
    "path-too-long": (dict(op="unix", host="dut", path="/" + "x" * 200), "unix: AF_UNIX path too long"),
    "file-without-content": (dict(op="files", host="dut", files=[{"path": "/etc/x", "mode": 420}]), "files: ValueError: "),
    "process-ended": (dict(op="signal", pid=99999, number=9), "signal: process 99999 has ended already"),
    "broker-itself": (dict(op="signal", pid=1, number=9), "signal: 1 is no process of the lab"),
    "everybody": (dict(op="signal", pid=-1, number=9), "signal: -1 is no process of the lab"),
    "unknown-signal": (dict(op="signal", pid=99998, number=999), "signal: "),
    "no-capture": (dict(op="capture_sync"), "capture_sync: no capture is running"),
}  # fmt: skip


@pytest.mark.parametrize("request_, message", REFUSALS.values(), ids=REFUSALS.keys())
def test_nonsense_is_refused_in_one_sentence_and_the_lab_goes_on(broker, request_, message):
    with pytest.raises(LabError) as caught:
        broker.request(**request_)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert broker.request("tick") == {}


def test_an_unknown_mock_server_is_refused(broker):
    with pytest.raises(LabError, match="mock: no mock server 'fax'; known: terminal-server"):
        broker.mock("ts1", "fax", {})


def test_a_file_in_a_read_only_folder_is_refused(broker, tmp_path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(LabError, match="files: .*Read-only file system: '/usr/x'"):
        broker.put_files("dut", {"/usr/x": (str(tmp_path / "x"), 0o644)})


def test_a_refusal_loses_no_descriptor(broker, tmp_path):
    before = broker.request("processes")
    with (tmp_path / "x").open("w") as file:
        for _ in range(300):
            with pytest.raises(LabError):
                broker.request("spawn", [file.fileno()] * 200, host="nowhere", argv=[])
    assert broker.request("processes") == before


@pytest.mark.parametrize(
    "plan, message",
    [
        (Plan(("front",), (Host("dut", (Link("front", "eth0", ("192.0.2.300/24",)),)),)), "192.0.2.300/24"),
        (Plan(("front",), (Host("dut", (Link("front", "a-name-far-too-long", ("192.0.2.1/24",)),)),)), "not a valid ifname"),
        (Plan(("front",), (Host("dut", (Link("front", "eth0", ("192.0.2.1/24",)),), (("10.0.0.0/8", "10.9.9.9"),)),)), "dut: "),
    ],
    ids=["address", "interface", "route"],
)
def test_a_lab_that_cannot_be_built_says_which_line_was_refused(zygote, plan, message):
    with pytest.raises(LabError, match="the lab could not be built: ") as caught:
        zygote.start(plan)
    assert message in str(caught.value) and "Traceback" not in str(caught.value)
    zygote.start(small_plan()).close()


def test_a_dead_broker_is_an_error_at_once(zygote):
    made = zygote.start(small_plan())
    parent = children(zygote.process.pid)[-1]
    os.kill(parent, signal.SIGKILL)
    with pytest.raises(LabError, match="the lab ended by itself"):
        for _ in range(100):
            made.request("tick")
    made.close()


def test_a_dead_zygote_is_an_error_at_once_and_takes_its_labs_along():
    zygote = Zygote()
    made = zygote.start(small_plan())
    zygote.process.kill()
    with pytest.raises(LabError, match="the lab ended by itself"):
        for _ in range(1000):
            made.request("tick")
    made.close()
    with pytest.raises(LabError, match="the lab process has ended"):
        zygote.start(small_plan())
    zygote.close()


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def test_a_package_that_is_missing_is_named_and_the_next_lab_can_be_made():
    zygote = Zygote()
    try:
        with pytest.raises(LabError, match="could not be built: No module named 'lbcert.absent': run `make setup`$"):
            zygote.start(small_plan(), modules=["lbcert.absent"])
        zygote.start(small_plan()).close()
    finally:
        zygote.close()
