"""The benchmarks run, and the published page is the published figures."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def bench(*arguments, **environment):
    command = [sys.executable, "benchmarks", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, env=environment or None)


def test_the_page_is_written_from_the_published_figures():
    import _page

    results = json.loads(_page.REFERENCE.read_text(encoding="utf-8"))
    assert not results["quick"] and set(results["benchmarks"]) == set(_page.TITLES)
    assert _page.PAGE.read_text(encoding="utf-8") == _page.page(results), "run: python benchmarks/_page.py"


def test_a_figure_knows_whether_it_meets_its_target(capsys, tmp_path):
    from _figures import Figures

    figures = Figures("", ["--into", str(tmp_path / "x.json")])
    figures.add("slow", [1.0, 5.0, 3.0], "s", at_most=2.0)
    figures.add("enough", 7.0, "1/s", at_least=7.0)
    figures.save()
    slow, enough = json.loads((tmp_path / "x.json").read_text())["figures"]
    assert (slow["minimum"], slow["median"], slow["maximum"], slow["met"]) == (1.0, 3.0, 5.0, False)
    assert enough["met"] and "at least 7: met" in capsys.readouterr().out


def test_without_a_compiler_one_sentence_says_so(monkeypatch, tmp_path):
    import _native

    monkeypatch.setattr(_native.shutil, "which", lambda name: None)
    with pytest.raises(_native.NoCompiler, match=r"no C compiler \(cc\).*apt-get install"):
        _native.compiled(tmp_path)


@pytest.mark.parametrize("arguments, said", [
    (["heldd"], "no benchmark 'heldd'; known: lab_ready, handshakes, held, sip, verdict_cost"),
    (["--quick", "--publish"], "--publish needs all benchmarks, and not --quick"),
])  # fmt: skip
def test_wrong_arguments_are_named(arguments, said):
    done = bench(*arguments)
    assert done.returncode == 2 and said in done.stderr


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["lab_ready", "handshakes", "held", "sip", "verdict_cost"])
def test_each_benchmark_comes_to_its_end(name):
    done = bench(name, "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    file = REPOSITORY / re.search(r"^figures: (\S+)$", done.stdout, re.MULTILINE)[1]
    results = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    assert results["quick"] and results["benchmarks"][name]["figures"] and results["machine"]["processor"]
