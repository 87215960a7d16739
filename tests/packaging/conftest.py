"""Small run directories, and a checkout whose Python, packages and ids are pretended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lbcert import catalogue

REPOSITORY = Path(__file__).resolve().parents[2]


class RunMaker:
    """Run directories of one product with the deployment `farm`; every requirement passes unless said otherwise."""

    def __init__(self, folder: Path):
        self.folder = folder / "run"
        self.product = folder / "product"
        self.ids = list(catalogue.load_all()["rdp"].requirements)
        self.folder.mkdir()
        self.product.mkdir()

    def expect(self, text: str) -> None:
        """Give the product an expected.yaml with these deployments."""
        (self.product / "expected.yaml").write_text(f"schema: 1\ndeployments:\n{text}")

    def make(self, verdicts: dict[str, str] | None = None, *, command: str = "pytest suites", finished: bool = True,
             results: int = 99, ref: str = "product", deselected: list[str] = ()) -> Path:
        """A run directory; only the first `results` tests came to a result, `deselected` were not asked for."""
        asked = [name for name in self.ids if name not in deselected]
        nodes = {name: {"nodeid": f"suites/rdp/test_x.py::test_{name}", "requirements": [name]} for name in self.ids}
        run: dict[str, Any] = {
            "schema": 1, "suite": {"version": "0", "commit": ""}, "environment": {"topology": "netns"},
            "dut": {"name": "Farm", "ref": ref, "folder": str(self.product)}, "started": "2026-08-21T10:00:00+00:00",
            "command": command,
            "deployments": [{"id": "farm", "profile": "rdp", "config": "", "config_sha256": "", "declares": {},
                             "claims": ["rdp-cookie"], "selected": [nodes[name] for name in asked],
                             "deselected": [nodes[name] for name in deselected]}],
        }  # fmt: skip
        lines = [{"deployment": "farm", **nodes[name], "verdict": (verdicts or {}).get(name, "pass"),
                  "reason": f"why {name}\nand more", "observed": "seen"} for name in asked[:results]]  # fmt: skip
        (self.folder / "run.json").write_text(json.dumps(run))
        (self.folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        if finished:
            (self.folder / "finished.json").write_text('{"finished": "2026-08-21T10:03:05+00:00", "exit": 0}')
        return self.folder


@pytest.fixture
def runs(tmp_path: Path) -> RunMaker:
    return RunMaker(tmp_path)


TOOLS = ("cat", "chmod", "chown", "cksum", "cmp", "cp", "cut", "date", "dirname", "echo", "env", "find", "flock", "make",
         "mkdir", "mv", "readlink", "rm", "rmdir", "sed", "sh", "sleep", "stat")  # fmt: skip

FAKES = {
    "id": 'case "$1" in -un) echo somebody ;; *) echo "${FAKE_UID:-1000}" ;; esac',
    "ip": "", "nft": "", "newuidmap": "", "sudo": "",
    "apparmor_parser": 'echo "apparmor_parser $*" >>"$LOG"',
    # It finds what it is asked to install on the second time.
    "apt-get": '''echo "apt-get $* ($DEBIAN_FRONTEND)" >>"$LOG"
case "$*" in
*install*) [ -e "$LOG.tried" ] || { : >"$LOG.tried"; exit 100; }
    for name in ip nft newuidmap; do cp "$BIN/sudo" "$BIN/$name"; done
    mkdir -p "$BIN/lib/faketime"; cp "$BIN/sudo" "$BIN/lib/faketime/libfaketimeMT.so.1"
    cp "$BIN/python.fake" "$BIN/python3" ;;
esac''',
    # A Python as far as the scripts ask; `pip` fails as often as $PIP_FAILS says.
    "python3": '''case "$*" in
*"version_info >="*) echo "${FAKE_NEW:-True}" ;;
*"sys, pip"*) echo "3 11 $4" ;;
*_base_executable*) readlink -f "$BIN/python3" ;;
*"-m venv"*) echo "venv" >>"$LOG"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
*"-m pip"*) echo "pip" >>"$LOG"; [ "$(sed -n /pip/p "$LOG" | sed -n '$=')" -gt "${PIP_FAILS:-0}" ] ;;
*"-m pytest"*) echo "pytest $*" >>"$LOG"; exit "${PYTEST_ENDS:-0}" ;;
*"-m lbcert.cli"*) echo "lbcert $*" >>"$LOG"; exit "${VERIFY_ENDS:-0}" ;;
*version*) echo 3.11.2 ;;
esac''',
}  # fmt: skip


class Checkout:
    """A checkout with our scripts in it, and a PATH of pretended programs."""

    def __init__(self, folder: Path, name: str = "my checkout"):
        self.folder = folder / name
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.folder.mkdir()
        self.bin.mkdir()
        shutil.copytree(REPOSITORY / "tools", self.folder / "tools")
        for file in ("Makefile", "pyproject.toml"):
            shutil.copy(REPOSITORY / file, self.folder)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        for program, body in FAKES.items():
            self.fake(program, body)
        self.fake("python.fake", FAKES["python3"])
        (self.bin / "lib" / "x86_64-linux-gnu" / "faketime").mkdir(parents=True)
        (self.bin / "lib" / "x86_64-linux-gnu" / "faketime" / "libfaketimeMT.so.1").touch()

    def fake(self, name: str, body: str) -> None:
        """Put a program into PATH."""
        (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.bin / name).chmod(0o755)

    def lack(self, *names: str) -> None:
        for name in names:
            (self.bin / name).unlink()

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout; `done` then holds what the pretended programs were asked."""
        self.log.write_text("")
        settings = {"PATH": str(self.bin), "LBCERT_SYSTEM_PATH": str(self.bin), "LBCERT_RETRY_PAUSES": "0 0 0",
                    "LBCERT_SYSTEM_LIBRARIES": str(self.bin / "lib"),
                    "LOG": str(self.log), "BIN": str(self.bin), "HOME": str(self.folder), **environment}  # fmt: skip
        return subprocess.run(command, cwd=self.folder, env=settings, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=60)  # fmt: skip

    @property
    def done(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def root_only() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
