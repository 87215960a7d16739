"""tools/setup.sh: what it installs, what it says, and when it does nothing."""

from __future__ import annotations

import os
import shutil

import pytest

SETUP = "tools/setup.sh"


def test_a_user_is_told_one_command(checkout):
    checkout.lack("ip", "nft", "newuidmap", "python3")
    done = checkout.run(SETUP)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines() == [
        "setup: missing: ip, nft, newuidmap, a Python 3.11 or later with venv. Install with this command, then run make again:",
        "    sudo sh -c 'apt-get update && apt-get install -y iproute2 nftables uidmap python3 python3-venv'",
    ]
    assert checkout.done == [] and not (checkout.folder / ".venv").exists()


def test_without_sudo_the_command_is_for_su(checkout):
    checkout.lack("nft", "sudo")
    assert "    su - -c 'apt-get update && apt-get install -y nftables'\n" in checkout.run(SETUP).stderr


def test_root_installs_what_is_missing_and_tries_again(checkout):
    checkout.lack("ip", "newuidmap", "python3")
    done = checkout.run(SETUP, FAKE_UID="0")
    assert done.returncode == 0, done.stderr
    assert "setup: installing iproute2 uidmap python3 python3-venv\nsetup: apt-get failed; trying again" in done.stderr
    calls = [line for line in checkout.done if line.startswith("apt-get")]
    assert [next(word for word in line.split() if word in ("update", "install")) for line in calls] == ["update", "install"] * 2
    assert calls[1].endswith("--no-install-recommends iproute2 uidmap python3 python3-venv (noninteractive)")


def test_the_second_time_nothing_is_done(checkout):
    first, ready = checkout.run(SETUP), (checkout.folder / ".venv").exists()
    assert (first.returncode, ready, checkout.done) == (0, True, ["venv", "pip"])
    second = checkout.run(SETUP)
    assert (second.returncode, second.stdout, second.stderr, checkout.done) == (0, "", "", [])


@pytest.mark.parametrize(("fails", "status", "tries"), [(0, 0, 1), (2, 0, 3), (9, 1, 4)])
def test_pip_is_tried_again(checkout, fails, status, tries):
    done = checkout.run(SETUP, PIP_FAILS=str(fails))
    assert (done.returncode, checkout.done.count("pip")) == (status, tries)
    assert ("setup: ready" in done.stderr) == (status == 0)
    # What did not come to its end is taken up again.
    checkout.run(SETUP)
    assert checkout.done == ([] if status == 0 else ["pip"])


def test_other_packages_in_pyproject_are_installed(checkout):
    checkout.run(SETUP)
    with (checkout.folder / "pyproject.toml").open("a") as file:
        file.write("# another pin\n")
    assert checkout.run(SETUP).returncode == 0 and checkout.done == ["pip"]


def test_a_moved_checkout_gets_a_new_venv(checkout):
    checkout.run(SETUP)
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("elsewhere"))
    done = checkout.run(SETUP)
    assert "does not work (any more) and is made anew" in done.stderr and checkout.done == ["venv", "pip"]


def test_an_interpreter_that_is_gone(checkout):
    checkout.run(SETUP)
    python = checkout.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    assert checkout.run(SETUP).returncode == 0 and checkout.done == ["venv", "pip"]


def test_a_venv_of_somebody_else_that_does_not_run(checkout, root_only):
    checkout.run(SETUP)
    shutil.rmtree(checkout.folder / ".venv" / "bin")
    os.chown(checkout.folder / ".venv", 12345, 12345)
    done = checkout.run(SETUP)
    assert done.returncode == 1 and f"sudo rm -rf '{checkout.folder}/.venv'" in done.stderr


@pytest.mark.parametrize("uid", ["0", "1000"])
def test_a_python_that_is_too_old(checkout, uid):
    done = checkout.run(SETUP, FAKE_UID=uid, FAKE_NEW="False")
    assert done.returncode == 1 and "python3.11 python3.11-venv" in done.stderr


def test_a_python_of_ones_own(checkout):
    checkout.fake("python3.12", checkout.bin.joinpath("python3").read_text())
    done = checkout.run(SETUP, PYTHON="python3.12")
    assert f"making .venv with {checkout.bin}/python3.12" in done.stderr
    checkout.fake("wrong", "exit 0")
    done = checkout.run(SETUP, PYTHON="wrong")
    assert done.returncode == 1 and done.stderr.startswith("setup: PYTHON=wrong is no Python 3.11 or later")


def test_root_prefers_the_system_s_python(checkout, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(checkout.bin / "python3", own / "python3.13")
    path = f"{own}:{checkout.bin}"
    assert f"with {checkout.bin}/python3 (" in checkout.run(SETUP, PATH=path, FAKE_UID="0").stderr
    shutil.rmtree(checkout.folder / ".venv")
    assert f"with {own}/python3.13 (" in checkout.run(SETUP, PATH=path).stderr


def test_root_leaves_nothing_of_its_own_in_a_user_s_clone(checkout, root_only):
    os.chown(checkout.folder, 12345, 12345)
    assert checkout.run(SETUP, FAKE_UID="0").returncode == 0
    assert {path.lstat().st_uid for path in checkout.folder.rglob("*")} == {12345}


@pytest.mark.parametrize(("uid", "installs", "says"), [("0", True, "setup: installing libfaketime\n"),
                                                      ("1000", False, "    apt-get install libfaketime\n")])  # fmt: skip
def test_the_faster_clock_is_no_condition(checkout, uid, installs, says):
    shutil.rmtree(checkout.bin / "lib")
    (checkout.folder.parent / "log.tried").touch()
    done = checkout.run(SETUP, FAKE_UID=uid)
    assert (done.returncode, says in done.stderr) == (0, True) and done.stderr.endswith("setup: ready\n")
    assert any(line.endswith("--no-install-recommends libfaketime (noninteractive)") for line in checkout.done) is installs
    assert (checkout.run(SETUP, FAKE_UID=uid).stderr, checkout.done) == ("", [])


def test_the_faster_clock_cannot_be_installed(checkout):
    shutil.rmtree(checkout.bin / "lib")
    done = checkout.run(SETUP, FAKE_UID="0")
    assert done.returncode == 0 and "    apt-get install libfaketime\nsetup: ready\n" in done.stderr


def test_a_system_without_apt(checkout):
    checkout.lack("nft", "apt-get")
    done = checkout.run(SETUP, FAKE_UID="0")
    assert done.returncode == 1 and "missing: nft. Install what this system calls nftables" in done.stderr
