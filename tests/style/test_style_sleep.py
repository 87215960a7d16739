"""Nobody sleeps for a fixed time: waiting is for something, until a named deadline."""

import ast

from style_rig import REPOSITORY, files, functions, shown

ALLOWED = {
    ("harness/lbcert/balancer/health.py", "run"): "the interval between two health checks is what the balancer is told",
    ("harness/lbcert/balancer/parse_defects.py", "read"): "a defect on purpose: a balancer that stands still",
    ("harness/lbcert/balancer/pool_failure_defects.py", "marks_down"): "a defect on purpose: a balancer that stands still",
    ("tests/balancer/test_balancer_connect.py", "run"): "a stopped event loop is the subject of these tests",
    ("tests/evidence/test_evidence_lag.py", "hold_the_interpreter"): "not a wait: it makes the lag that the probe must see",
    ("tests/lifetime/reaper.py", "wait_for_the_moment"): "the pause of a loop with a deadline",
    ("tests/lifetime/reaper.py", "wait_for_the_end"): "the pause of a loop with a deadline",
    ("tests/lifetime/reaper.py", "wait_until_gone"): "the pause of a loop with a deadline",
}
"""(file, function) -> why"""

SLEEPS = {"sleep", "usleep", "nanosleep"}


def sleeps(path) -> set[tuple[str, str]]:
    """Functions that call something named `sleep`, whatever they imported it from."""
    found = set()
    for name, node in functions(path):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in SLEEPS:
                found.add((shown(path), name))
    return found


def test_nobody_sleeps_but_with_a_reason_and_no_reason_is_stale():
    assert {place for path in files() for place in sleeps(path)} == {place for place in ALLOWED if (REPOSITORY / place[0]).exists()}


def test_the_search_finds_what_it_is_for(tmp_path, monkeypatch):
    import style_rig

    monkeypatch.setattr(style_rig, "REPOSITORY", tmp_path)
    (tmp_path / "x.py").write_text("import time\nfrom asyncio import sleep as nap, sleep\n\nasync def f():\n    await sleep(1)\n\n"
                                   "class C:\n    def g(self):\n        time.sleep(2)\n\ntime.sleep(3)\n")  # fmt: skip
    assert sleeps(tmp_path / "x.py") == {("x.py", "f"), ("x.py", "g"), ("x.py", "<module>")}


def test_there_are_files_to_look_at():
    assert len(files()) > 50 and REPOSITORY.joinpath("pytest.ini").exists()
