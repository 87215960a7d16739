"""Exploring the positive control and mutants, and running what was printed."""

import re
import select
import signal
import subprocess
import time

import pytest
from explore_rig import ROOT, command

from lbcert.dut import resolve

PAGE = ROOT / "docs" / "exploration.md"
ROW = re.compile(r"^\| \[([a-z0-9-]+)\]\(.*?\) \| (\S+) \|", re.MULTILINE)
PLAIN = "test_random_sequences and not lifetime"
MARK = re.compile(r'@requirement\("([A-Z0-9-]+)"')
FOUND = dict(ROW.findall(PAGE.read_text()))
"""mutant -> the requirement that the page says was blamed"""


def test_the_control_does_what_its_model_says(run):
    done = run("ideal", "--explore", "2", "-k", PLAIN)
    assert (done.status, done.result["verdict"]) == (0, "pass"), done.text


def test_a_mutant_is_found(run):
    found = run("forget-every-40", "--explore", "1", "-k", PLAIN)
    assert (found.status, found.result["verdict"], found.result["requirements"]) == (1, "fail", ["RDP-PERSIST-01"]), found.text
    assert "    explorer.crowd()\n    explorer.finish()\n" in found.text


@pytest.mark.nightly
def test_what_is_printed_can_be_pasted(run, tmp_path):
    """It fails on the mutant for the same requirement, and passes on the control."""
    found = run("forget-every-40", "--explore", "1", "-k", PLAIN)
    pasted = tmp_path / "test_pasted.py"
    pasted.write_text(found.printed[0].read_text())
    assert pasted.read_text().replace("\n", "").replace(" ", "") in found.text.replace("\n", "").replace(" ", "")
    again, control = run("forget-every-40", file=pasted), run("ideal", file=pasted)
    assert (again.status, again.result["verdict"], again.result["requirements"]) == (1, "fail", ["RDP-PERSIST-01"]), again.text
    assert (control.status, control.result["verdict"]) == (0, "pass"), control.text


def test_every_mutant_on_the_page_is_blamed_for_what_it_does():
    assert len(FOUND) >= 10
    wrong = {name: blamed for name, blamed in FOUND.items() if blamed not in resolve(name).mutant.targets}
    assert not wrong


@pytest.mark.nightly
@pytest.mark.parametrize("name", FOUND)
def test_the_defect_is_found_without_being_told(name, run):
    done = run(name, "--explore", "100")
    blamed = {MARK.search(path.read_text())[1] for path in done.printed}
    assert blamed and blamed <= set(resolve(name).mutant.targets), done.text


@pytest.mark.nightly
@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_control_is_never_blamed(seed, run):
    done = run("ideal", "--explore", "200", "--seed", seed)
    assert (done.status, done.result["verdict"]) == (0, "pass"), done.text


@pytest.mark.nightly
def test_an_interrupt_shows_what_was_found(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(command("no-redispatch", folder, "--explore", "100"), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not list(folder.glob("exploration/*.py")) and time.monotonic() < deadline and process.poll() is None:
            select.select([], [], [], 0.05)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "the exploration was interrupted; the shortest sequence so far" in text
    assert "    explorer = Explorer(lab)" in text
