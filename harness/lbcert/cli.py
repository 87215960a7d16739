"""The command `lbcert`: one's own configuration checked, labs that stay up, a live VIP, and what can be done with a run.

Exit statuses, where a command does not say otherwise: 0 done, and for `verify` the run agrees; 1 the run differs from what is known; 2 wrong usage or an
input that cannot be used, with one message on standard error.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .check import options as check_options
from .console import options as console
from .corpus import options as corpus
from .dut import REPOSITORY
from .report.errors import ReportError
from .vip import options as probe

AGREES, DIFFERS, UNUSABLE = 0, 1, 2

LATEST = REPOSITORY / "reports" / "runs" / "latest"

# Words of a pytest command after which some tests, or whole deployments, were not asked for.
_SOME_TESTS = re.compile(r".*::|.*\.py$|--(lf|last-failed|sw|stepwise|ignore)\b")
_SOME_DEPLOYMENTS = re.compile(r"-[km]|--deselect\b|(--dut=)?[^=]+:[^:/]+$")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words, program = console.split(sys.argv[1:] if arguments is None else list(arguments))
    options = _parser().parse_args(words, argparse.Namespace(program=program))
    for stream in (sys.stdout, sys.stderr):
        # Reasons may hold any bytes that a product logged.
        stream.reconfigure(errors="backslashreplace")
    try:
        return options.run(options)
    except ReportError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or 'standard output'}: {error.strerror}. Check that it can be read and written.")


def _refuse(message: str, most: int = 1000) -> int:
    """One message, on one line, whatever a file holds. Of a long one the middle goes, so that place and remedy stay."""
    text = _printable(message)
    if len(text) > most:
        text = f"{text[: most // 2]} ... {text[-(most // 2):]}"
    print(f"lbcert: {text}", file=sys.stderr)
    return UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lbcert", allow_abbrev=False,
        description="Check your own configuration or a live VIP, keep a lab for your own clients, and what can be done with "
                    "a certification run. Runs themselves are made by pytest: pytest suites --dut NAME|PATH[:DEPLOYMENT]",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"lbcert {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    report = commands.add_parser(
        "report", allow_abbrev=False, help="build the reports of a run again, also after a crash",
        description="Build report.json, report.html, report.md and junit.xml of a run again from what it recorded, "
                    "also after a crash.")  # fmt: skip
    report.set_defaults(run=_report)

    verify = commands.add_parser(
        "verify", allow_abbrev=False, help="compare a run with the known results of its product (expected.yaml)",
        description="Compare a run with the known results of its product. Exit status: 0 the run agrees; 1 it differs, "
                    "an unexpected pass included; 2 there is nothing to compare.")  # fmt: skip
    verify.add_argument("--expected", type=Path, metavar="FILE",
                        help="the known results (default: expected.yaml beside the dut.yaml of the run)")  # fmt: skip
    verify.set_defaults(run=_verify)

    check_options.add(commands)
    console.add(commands)
    probe.add(commands)
    corpus.add(commands)

    for command in (report, verify):
        command.add_argument("folder", metavar="DIR", nargs="?", type=Path, default=None,
                             help="a run directory (default: reports/runs/latest)")  # fmt: skip
    return parser


def _run_folder(given: Path | None) -> Path:
    """The directory of the run that was asked for; raises ReportError if there is none."""
    folder = given or LATEST
    if not folder.is_dir():
        what = "is not a directory." if folder.exists() else "does not exist."
        raise ReportError(_shown(folder), what, "Give the directory of a run (--report-dir), or make one: make certify")
    # `latest` by its own name, so that a later run does not change what was printed.
    return folder.resolve() if given is None else folder


def _shown(path: Path) -> Path:
    """A path as short as the user would type it."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except (OSError, ValueError):
        return path


# -- report ---------------------------------------------------------------------------------------


def _report(options: argparse.Namespace) -> int:
    from .report import model

    folder = _run_folder(options.folder)
    report = model.write(folder)
    for note in report["notes"]:
        print(f"note: {note}")
    for deployment in report["deployments"]:
        print(_one_line(f"{report['dut']['name']} {deployment['id']}: {deployment['result']}"))
    for name in model.WRITTEN:
        print(_shown(folder / name))
    return AGREES


# -- verify ---------------------------------------------------------------------------------------


def _verify(options: argparse.Namespace) -> int:
    from .report import expected, model, rundir

    folder = _run_folder(options.folder)
    run = rundir.read(folder).run
    known = expected.load(options.expected) if options.expected else _known_results(folder / rundir.RUN, run)
    report = model.derive(folder)
    some_tests, some_deployments = _selection(run)
    if some_deployments:
        reported = {deployment["id"] for deployment in report["deployments"]}
        kept = {name: rows for name, rows in known.deployments.items() if name in reported}
        known = expected.Expected(known.path, kept)
    differences = expected.compare(report, known, only_selected=some_tests)
    against = _shown(known.path) if known.path else "the expectation that every requirement passes"
    about = ", ".join(deployment["id"] for deployment in report["deployments"])
    about += "; only the tests that were asked for" if some_tests else ""
    if not differences:
        print(f"{_shown(folder)} agrees with {against} ({about})")
        return AGREES
    count = f"{len(differences)} difference{'s' if len(differences) > 1 else ''}"
    print(f"{_shown(folder)} has {count} from {against} ({about}):")
    for one in differences:
        reason = f" ({_one_line(one.reason)})" if one.reason else ""
        print(f"  {one.deployment} {one.requirement}: expected {one.expected}, found {one.found}{reason}")
    return DIFFERS


def _known_results(source: Path, run: dict[str, Any]) -> Any:
    """The expected.yaml of the product that a run was about; without one, that everything passes."""
    from .report import expected

    ref, remedy = run["dut"]["ref"], "Name the known results with --expected FILE."
    if Path(ref).suffix in (".yaml", ".yml") and Path(ref).name not in ("dut.yaml", "dut.yml"):
        raise ReportError(source, f"{ref} is a mutant; mutants have no expected.yaml.",
                          f"The kill matrix judges them (make test). {remedy}", field="dut.ref")  # fmt: skip
    if not run["dut"].get("folder"):
        raise ReportError(source, "does not say where the product's files are.", remedy, field="dut.folder")
    product = REPOSITORY / run["dut"]["folder"]
    if not product.is_dir():
        raise ReportError(source, f"the product's folder {product} is not here.", remedy, field="dut.folder")
    file = product / "expected.yaml"
    return expected.load(file) if file.exists() else expected.Expected()


def _selection(run: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the run was asked for some of the tests only, and for some of the deployments only.

    Of a deployment that no selected test fits, run.json knows nothing; so one that is missing counts as forgotten
    only after a plain `pytest suites --dut NAME`.
    """
    words = run.get("command", "").split()
    some_tests = any(deployment.get("deselected") for deployment in run["deployments"]) or any(
        _SOME_TESTS.match(word) for word in words)  # fmt: skip
    whole = any(word.rstrip("/").rpartition("/")[2] == "suites" for word in words)
    return some_tests, some_tests or not whole or any(_SOME_DEPLOYMENTS.match(word) for word in words)


def _one_line(text: str, most: int = 400) -> str:
    """The first line, safe for a terminal: what a product logged may hold control characters."""
    line = _printable(next(iter(text.strip().splitlines()), ""))
    return line if len(line) <= most else line[: most - 3] + "..."


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


if __name__ == "__main__":
    sys.exit(main())
