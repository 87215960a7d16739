"""The balancer as a process: how it ends, and what it says then."""

import os
import select
import signal
import socket
import subprocess
import sys

import pytest
from balancer_rig import free_port

CODE = "import sys; from lbcert.balancer import serve; serve(sys.argv[1], 'rdp.yaml')"


def start(listen, mode="ideal"):
    text = f'mode: {mode}\nlisten: ["{listen}"]\nservers: {{ts1: "127.0.0.1:{free_port("127.0.0.1")}"}}\n'
    return subprocess.Popen([sys.executable, "-c", CODE, text], stderr=subprocess.PIPE, text=True)


def test_a_wrong_configuration_is_one_line_and_status_2():
    process = start("127.0.0.1:3389", mode="ideel")
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 2
    assert said == "rdp.yaml:1: mode: unknown value 'ideel'; did you mean 'ideal'?\n"


def test_an_address_in_use_is_one_line_and_status_1():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = start(address)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert said.startswith(f"rdp.yaml: cannot listen on {address}: Address already in use; ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_at_once_with_its_sessions(rig, number):
    rig = rig()
    session = rig.open("bob")
    descriptor = os.pidfd_open(rig.pid)
    os.kill(rig.pid, number)
    assert select.select([descriptor], [], [], 10.0)[0], "still there"
    os.close(descriptor)
    assert session.ending() in ("fin", "rst")


def test_it_is_one_process_with_one_thread(rig):
    """Late imports are refused by the zygote, in every test."""
    rig = rig()
    rig.visit("bob")
    rig.servers["ts1"].kill()
    rig.wait_state("ts1", "DOWN")
    assert len(os.listdir(f"/proc/{rig.pid}/task")) == 1
    with open(f"/proc/{rig.pid}/task/{rig.pid}/children") as children:
        assert children.read() == ""
