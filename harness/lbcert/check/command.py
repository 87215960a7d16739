"""The command `lbcert check`: guess, print, run, explain."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..drivers import DriverError
from ..dut import Product, load
from ..paths import ours, typed
from ..report.errors import ReportError
from ..run.session import SetupError
from ..topology.interface import LabError
from ..topology.netns import Zygote
from ..topology.probe import raise_file_limit
from . import folder, others, run, show, sources
from .assumptions import Assumptions
from .guess import Candidate, candidates
from .listeners import Choice
from .question import Question
from .reader import Text
from .trial import survey

DONE, FAILED, UNUSABLE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130
_WORST_FIRST = (INTERRUPTED, UNUSABLE, FAILED, INCOMPLETE, DONE)


@dataclass(frozen=True)
class Checked:
    """A configuration and what was found out about it."""

    source: sources.Source
    environment: dict[str, str]
    assumed: Assumptions
    choice: Choice
    candidates: list[Candidate]
    version: str


def check(options: argparse.Namespace) -> int:
    """Check one configuration, or each of several; returns the worst exit status."""
    raise_file_limit()
    groups = [[path] for path in _each(options.paths)] if options.each else [options.paths]
    status = DONE
    for number, paths in enumerate(groups):
        if len(groups) > 1:
            print(f"{'' if number == 0 else chr(10)}== {paths[0]}", flush=True)
        status = min(status, _guarded(paths, options, _numbered(options, paths, len(groups))), key=_WORST_FIRST.index)
        if status == INTERRUPTED:
            break
    return status


def _each(paths: list[Path]) -> list[Path]:
    return [one for path in paths for one in (sorted(path.glob("*.cfg")) if path.is_dir() else [path])]


def _numbered(options: argparse.Namespace, paths: list[Path], count: int) -> Path | None:
    """Where --write puts this configuration: of several, each gets a folder of its own."""
    if options.write is None or count == 1:
        return options.write
    return options.write / paths[0].stem


def _guarded(paths: list[Path], options: argparse.Namespace, keep: Path | None) -> int:
    try:
        return _check(paths, options, keep)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (Question, ReportError, SetupError, DriverError, LabError) as error:
        print(f"lbcert: {error}", file=sys.stderr)
        return UNUSABLE


def _check(paths: list[Path], options: argparse.Namespace, keep: Path | None) -> int:
    if len(paths) == 1 and (paths[0] / "dut.yaml").is_file():
        return _check_described(paths[0], options)
    found = examine(paths, env=_pairs(options.env, "--env"), hosts=_hosts(options.host), files=_files(options.file),
                    vip=_vip(options.vip), binary=options.binary)  # fmt: skip
    print("\n".join(show.guesses(found)), flush=True)
    with _kept(keep, found, options) as place:
        if not found.candidates:
            made = others.starts(found)
            if keep is not None and made:
                others.write(keep, found, made[0])
            print("\n".join(others.told(found, made, keep)))
            return INCOMPLETE
        if keep is not None:
            print(f"\nwritten: {place / 'dut.yaml'}; correct it and check again with: lbcert check {typed(place)}")
        if options.no_run:
            return DONE
        return _run(place, options, {one.id: one for one in found.candidates})


def examine(paths: list[Path], *, env: dict[str, str] | None = None, hosts: dict[str, str] | None = None,
            files: dict[str, Path] | None = None, vip: tuple[str, int] | None = None, binary: str | None = None,
            zygote: Zygote | None = None) -> Checked:  # fmt: skip
    """Everything short of a run: read the files, start the product once, guess. Raises Question, ReportError, SetupError."""
    source = sources.read(paths)
    environment = sources.environment(source, env or {})
    text = Text(source.files, environment)
    assumed = Assumptions(text, files or {}, dict(hosts or {}))
    assumed.give()
    assumed.name_servers()
    choice = Choice(text, assumed, vip)
    binary = _binary(binary)
    found = survey(source, environment, assumed, binary, choice.choose, zygote)
    return Checked(source, environment, assumed, choice, candidates(text, found, choice), found.build.version)


@contextlib.contextmanager
def _kept(keep: Path | None, found: Checked, options: argparse.Namespace) -> Iterator[Path]:
    """The DUT's folder: the one that the user wants, or one for this run only."""
    binary = _binary(options.binary)
    with tempfile.TemporaryDirectory(prefix="lbcert-check-") as scratch:
        # Its name becomes a part of the run's.
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(found.source.name).stem) or "check"
        place = keep if keep is not None else Path(scratch) / name
        if found.candidates:
            folder.write(place, found.source, found.environment, found.assumed, binary, found.candidates)
        yield place


def _check_described(place: Path, options: argparse.Namespace) -> int:
    """A folder that was written before, and corrected since."""
    product = load(place / "dut.yaml", str(place))
    print(f"{place / 'dut.yaml'}: {', '.join(one.id for one in product.deployments)}; nothing is guessed.", flush=True)
    if strange := [one for one in product.deployments if one.profile in others.SUITES]:
        print("\n".join(f"{one.id}: not tested here; pytest {ours(others.SUITES[one.profile])} --dut {typed(place, f':{one.id}')}" for one in strange))
        if len(strange) == len(product.deployments):
            return INCOMPLETE
    known = _described(product) if product.driver == "haproxy" else {}
    return DONE if options.no_run else _run(place, options, known)


def _described(product: Product) -> dict[str, Candidate]:
    """The candidates behind the deployments of a dut.yaml, for explanations; those that cannot be found have none."""
    found: dict[str, Candidate] = {}
    for one in product.deployments:
        if one.profile != "rdp":
            continue
        source = sources.Source([(str(one.config), one.text)])
        text = Text(source.files, one.environment)
        given = {target: product.folder / name for target, name in one.files.items() if name != "self-signed"}
        assumed = Assumptions(text, given, dict(one.hosts))
        assumed.give()
        assumed.targets.update({target: name for target, name in one.files.items() if name == "self-signed"})
        choice = Choice(text, assumed, _vip(one.services.get("rdp")))
        with contextlib.suppress(Question, ReportError, DriverError):
            made = candidates(text, survey(source, one.environment, assumed, product.binary, choice.choose), choice)
            if made:
                found[one.id] = made[0]
    return found


def _run(place: Path, options: argparse.Namespace, known: dict[str, Candidate]) -> int:
    report, ended = run.suite(place, options.only, options.report_dir)
    print("\n".join(show.results(report, known, options.only is not None)))
    print(f"\nreport: {ended.folder / 'report.html'}")
    if ended.interrupted:
        return INTERRUPTED
    results = {deployment["result"] for deployment in report["deployments"]}
    if "failed" in results:
        return FAILED
    return DONE if run.judged(report) else INCOMPLETE


# -- options --------------------------------------------------------------------------------------


def _pairs(given: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ReportError(option, f"{text!r} is no NAME=VALUE.", f"Write it like {option} NAME=VALUE.")
        pairs[name] = value
    return pairs


def _hosts(given: list[str]) -> dict[str, str]:
    pairs = _pairs(given, "--host")
    for name, value in pairs.items():
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise ReportError("--host", f"{value!r} is no address.", f"Write it like --host {name}=192.168.0.11.") from None
    return pairs


def _files(given: list[str]) -> dict[str, Path]:
    pairs = {target: Path(value) for target, value in _pairs(given, "--file").items()}
    for target, path in pairs.items():
        if not target.startswith("/"):
            raise ReportError("--file", f"{target!r} is not an absolute path.",
                              "Name the file as the product looks for it: /etc/haproxy/x.map=x.map.")  # fmt: skip
        if not path.is_file():
            raise ReportError("--file", f"{path} is not a file.", "Name the one whose content is to be used.")
    return pairs


def _binary(given: str | None) -> str | None:
    """The absolute path of --binary."""
    if given is None:
        return None
    if not Path(given).is_file():
        raise ReportError("--binary", f"{given} is not a file.", "Name the program, such as /usr/sbin/haproxy.")
    return str(Path(given).resolve())


def _vip(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    try:
        address = str(ipaddress.ip_address(host.strip("[]")))
        if not 0 < int(port) < 65536:
            raise ValueError
    except ValueError:
        raise ReportError("--vip", f"{text!r} is no ADDRESS:PORT.", "Write it like --vip 192.168.0.10:3389.") from None
    return address, int(port)
