"""A whole probe of a farm that is made up: how fast, how many at once, when it stops, and what is left of it."""

import json
import time
from itertools import pairwise

import pytest

from lbcert import cli
from lbcert.evidence.history import History
from lbcert.loop import Loop
from lbcert.report import model
from lbcert.vip import visit as connections
from lbcert.vip.scheme import AT_ONCE, Call


class Farm:
    """In the place of every connection: what it does is told by a test."""

    def __init__(self, monkeypatch):
        self.began: list[float] = []
        self.open = self.most = 0
        self.does = lambda call: "served"
        self.lasts = 0.0
        monkeypatch.setattr(connections, "Visit", self._visit)
        monkeypatch.setattr(connections, "open_socket", lambda family: lambda source: None)

    def _visit(self, loop, call, sock):
        farm = self

        class Made:
            """One connection, over after `lasts` seconds."""

            outcome, closed, certificate, answer, started, answered, peer = None, False, b"", b"", 0, None, ("127.0.0.1", 1)

            def start(self, address):
                farm.began.append(time.monotonic())
                farm.open += 1
                farm.most = max(farm.most, farm.open)
                self.call, self.outcome = call, farm.does(call)
                loop.call_later(farm.lasts, self.end)

            def end(self):
                farm.open -= 1
                self.closed = True

            def _end(self, how):
                pass

        return Made()


@pytest.fixture
def farm(monkeypatch):
    return Farm(monkeypatch)


def calls(count):
    return [Call("round", f"u{number}", "", b"") for number in range(count)]


def call_all(farm, count, rate, lasts):
    farm.lasts = lasts
    caller = connections.Caller(Loop(), History(), ("127.0.0.1", 9), lambda source: None, rate, lambda done: None)
    caller.run(calls(count))
    return caller


def test_no_two_begin_sooner_than_the_rate_allows(farm):
    farm.does = lambda call: connections.SERVED
    call_all(farm, 30, 200, 0.0)
    assert len(farm.began) == 30 and min(b - a for a, b in pairwise(farm.began)) >= 1 / 200


def test_no_more_are_open_than_promised(farm):
    farm.does = lambda call: connections.SERVED
    call_all(farm, 50, 100_000, 0.05)
    assert len(farm.began) == 50 and farm.most == AT_ONCE


def run(tmp_path, *options):
    """The exit status, and the report."""
    (tmp_path / "users").write_text("\n".join(f"u{number}" for number in range(20)))
    words = ["probe", "127.0.0.1:9", "--users", tmp_path / "users", "--yes", "--rate", "20", "--report-dir", tmp_path / "run", *options]
    return cli.main([str(word) for word in words]), json.loads((tmp_path / "run" / "report.json").read_text())


def test_ten_users_without_service_end_it(farm, tmp_path):
    outcomes = iter(["served"] + ["closed"] * 50)
    farm.does = lambda call: next(outcomes)
    status, report = run(tmp_path)
    assert status == 3 and len(farm.began) == 1 + connections.GIVE_UP
    reasons = {row["reason"] for row in report["deployments"][0]["requirements"] if row["id"] == "RDP-PERSIST-01"}
    assert reasons == {"10 users in a row got no certificate (the last connection: closed), so it stopped"}


def test_ctrl_c_leaves_a_report_in_which_nothing_passes(farm, tmp_path):
    def does(call):
        if len(farm.began) == 5:
            raise KeyboardInterrupt
        return "served"

    farm.does = does
    status, report = run(tmp_path, "--servers", "2")
    (deployment,) = report["deployments"]
    assert status == 130 and {row["verdict"] for row in deployment["requirements"]} == {"not-run"}
    assert {row["reproduce"] for row in deployment["requirements"]} == {report["command"]}
    assert "live VIP" in report["notes"][0] and report["environment"]["topology"] == "live"
    assert deployment["declares"] == {"servers": 2}


def test_a_run_that_was_killed_is_reported_as_interrupted(farm, tmp_path):
    farm.does = lambda call: "closed"
    run(tmp_path)
    for name in ("results.jsonl", "finished.json"):
        (tmp_path / "run" / name).unlink()
    (deployment,) = model.write(tmp_path / "run")["deployments"]
    assert {row["reason"] for row in deployment["requirements"]} == {model.INTERRUPTED}
