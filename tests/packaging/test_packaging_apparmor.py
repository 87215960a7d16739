"""make apparmor, and the launcher that labs start from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from lbcert.topology import netns


@pytest.fixture
def restricted(checkout, tmp_path):
    """A machine where AppArmor restricts user namespaces: its environment, and its folder of profiles."""
    (tmp_path / "switch").write_text("1\n")
    (tmp_path / "profiles").mkdir()
    return {"LBCERT_APPARMOR_SWITCH": str(tmp_path / "switch"), "LBCERT_APPARMOR_FOLDER": str(tmp_path / "profiles")}


def profiles(restricted) -> list[Path]:
    return sorted(Path(restricted["LBCERT_APPARMOR_FOLDER"]).iterdir())


def test_root_installs_a_profile_for_the_launcher_alone(checkout, restricted):
    done = checkout.run("make", "apparmor", FAKE_UID="0", **restricted)
    assert done.returncode == 0, done.stderr
    (profile,) = profiles(restricted)
    launcher = checkout.folder / ".venv" / "bin" / "lbcert-launcher"
    assert profile.read_text().splitlines()[1:] == [
        "abi <abi/4.0>,", "", f'profile {profile.name} "{launcher}" flags=(unconfined) {{', "  userns,", "}"]  # fmt: skip
    assert checkout.done[-1] == f"apparmor_parser -r {profile}"
    assert launcher.read_bytes() == (checkout.bin / "python3").read_bytes() and not launcher.is_symlink()


def test_a_user_is_told_to_use_sudo(checkout, restricted):
    done = checkout.run("make", "apparmor", **restricted)
    assert done.returncode == 2 and "sudo make apparmor" in done.stderr and profiles(restricted) == []


@pytest.mark.parametrize("content", ["0\n", None])
@pytest.mark.parametrize("uid", ["0", "1000"])
def test_where_nothing_is_restricted_nothing_is_done(checkout, tmp_path, content, uid):
    if content:
        (tmp_path / "switch").write_text(content)
    done = checkout.run("make", "apparmor", FAKE_UID=uid, LBCERT_APPARMOR_SWITCH=str(tmp_path / "switch"))
    assert (done.returncode, checkout.done) == (0, []) and "nothing needs to be done" in done.stderr


def test_characters_of_patterns_stand_for_themselves(checkout, restricted):
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("a[b]{c}*"))
    checkout.run("tools/apparmor.sh", FAKE_UID="0", **restricted)
    assert r"/a\[b\]\{c\}\*/.venv/bin/lbcert-launcher" in profiles(restricted)[0].read_text()


def test_a_new_venv_and_a_new_python_keep_the_launcher(checkout, restricted):
    checkout.run("make", "apparmor", FAKE_UID="0", **restricted)
    launcher = checkout.folder / ".venv" / "bin" / "lbcert-launcher"
    (checkout.folder / ".venv" / "lbcert-setup").write_text("of another Python\n")
    assert checkout.run("make", "setup").returncode == 0 and launcher.exists()
    checkout.fake("python3", (checkout.bin / "python3").read_text() + "# security update")
    checkout.run("make", "setup")
    assert launcher.read_bytes() == (checkout.bin / "python3").read_bytes()


def test_labs_start_from_the_launcher_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert netns._interpreter() == sys.executable
    (tmp_path / "lbcert-launcher").touch(0o755)
    assert netns._interpreter() == str(tmp_path / "lbcert-launcher")


def test_a_copied_interpreter_is_a_venv_s_python(tmp_path):
    venv.create(tmp_path / "v", with_pip=False, symlinks=True)
    launcher = tmp_path / "v" / "bin" / "lbcert-launcher"
    shutil.copy(os.path.realpath(sys._base_executable), launcher)
    done = subprocess.run([launcher, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "v")
