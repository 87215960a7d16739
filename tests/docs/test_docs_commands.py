"""Commands in the documents: each option, make target and module exists."""

import importlib.util
import re
import subprocess
import sys
from functools import cache

import pytest
from docs_rig import PAGES, ROOT, blocks, code_spans

pytestmark = pytest.mark.xdist_group("docs")  # one worker: they share what is dear to read

_OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])(?=[\s=`'\"]|$)")


@cache
def options_of(*command):
    """The options that a program's help names."""
    done = subprocess.run([sys.executable, "-m", *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])\b", done.stdout))


def commands(page):
    """What a page has a reader type: the lines of its shell blocks, and its inline code."""
    lines = [line.partition("  #")[0].strip() for block in blocks("sh") if block.page == page for line in block.text.splitlines()]
    return lines + code_spans(page)


def known_options(command):
    """The options of a command's program; None for programs that are not ours to document."""
    words = command.split()
    match words:
        case ["pytest", *_]:
            return options_of("pytest")
        case ["lbcert", name, *_] if name in ("report", "verify", "check", "lab", "fault", "shell", "probe", "import"):
            return options_of("lbcert.cli", name)
        case ["lbcert", *_]:
            return options_of("lbcert.cli")
        case ["python", "-m", module, *_]:
            return options_of(module) | {"-m"}
        case [word, *_] if word.startswith("--"):
            own = [options_of("lbcert.cli", name) for name in ("verify", "check", "lab", "fault", "probe", "import")]
            return options_of("pytest").union(*own, {"--security-opt"})
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_exist(page):
    for command in commands(page):
        command = command.partition(" -- ")[0]  # what is behind it are another program's
        known = known_options(command)
        unknown = [] if known is None else [name for name in _OPTION.findall(command) if name not in known]
        assert not unknown, f"{command}: {unknown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for command in commands(page) for word in re.findall(r"^(?:sudo )?make ([a-z][a-z-]*)", command)}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_exist(page):
    for command in commands(page):
        for module in re.findall(r"python -m (lbcert[\w.]*)", command):
            assert importlib.util.find_spec(module), command


def test_the_tables_of_options_are_complete():
    readme = (ROOT / "README.md").read_text()
    for name in ("--dut", "--topology", "--corpus", "--report-dir", "--seed"):
        assert f"| `{name} " in readme
        assert name in options_of("pytest")
