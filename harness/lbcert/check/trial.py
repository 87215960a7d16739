"""Starting the user's configuration once in a lab without a network, and learning from it what it does and needs."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ..drivers import ProductRejected, driver_for
from ..drivers.furnish import furnish
from ..drivers.haproxy_survey import Survey
from ..dut_model import Deployment, Product
from ..report.errors import ReportError
from ..run.session import SetupError
from ..topology.interface import Unavailable
from ..topology.netns import Zygote
from ..topology.plan import DUT_HOST, Host, Plan
from .assumptions import Assumptions
from .sources import Source

MOST_STARTS = 25
"""starts until the product must have run; each of them told of something that could be helped"""
_FREE = {"ipv4/ip_nonlocal_bind": "1", "ipv6/ip_nonlocal_bind": "1"}
_PREFIX = re.compile(r"^\[ALERT\]\s+\([0-9]+\) : (?:config : )?")
_SUMMARY = re.compile(r"Error\(s\) found in configuration file|Fatal errors found in configuration")
_PLACE = re.compile(r"\[(?:[^\]\s:]*/)?([^\]/\s:]+):([0-9]+)\]")

Candidates = Callable[[tuple[tuple[str, int], ...]], list[tuple[str, int]]]


class Refusal(ReportError):
    """The product refuses the configuration; the text holds its own words, with the user's files and lines."""


def survey(source: Source, environment: dict[str, str], assumed: Assumptions, binary: str | None, candidates: Candidates,
           zygote: Zygote | None = None) -> Survey:  # fmt: skip
    """Start the product until it runs, each time with what it missed before; returns what it tells of itself."""
    with tempfile.TemporaryDirectory(prefix="lbcert-check-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        zygote = zygote or stack.enter_context(_zygote(folder))
        complaint = ""
        for number in range(MOST_STARTS):
            inside = folder / str(number)
            deployment = _deployment(inside, source, environment, assumed)
            try:
                return _start(zygote, deployment, inside, binary, candidates)
            except ProductRejected as error:
                complaint = error.words or str(error)
                if not assumed.learn(complaint):
                    break
        raise Refusal(source.files[0][0], f"HAProxy refuses it:\n{_alerts(complaint, source)}", "Nothing was tested.")


@contextlib.contextmanager
def _zygote(folder: Path) -> Iterator[Zygote]:
    with (folder / "harness.log").open("ab") as log, contextlib.closing(Zygote(log.fileno())) as zygote:
        try:
            zygote.probe()
        except Unavailable as error:
            raise SetupError(f"no lab can be made on this machine: {error}") from None
        yield zygote


def _deployment(folder: Path, source: Source, environment: dict[str, str], assumed: Assumptions) -> Deployment:
    folder.mkdir()
    (folder / source.name).write_text(source.merged)
    for name, content in assumed.contents.items():
        (folder / name).write_bytes(content)
    return Deployment(id="check", profile="rdp", config=folder / source.name, text=source.merged, hosts=dict(assumed.hosts),
                      files=dict(assumed.targets), environment=environment)  # fmt: skip


def _start(zygote: Zygote, deployment: Deployment, folder: Path, binary: str | None, candidates: Candidates) -> Survey:
    driver = driver_for(Product("check", "check", "", "haproxy", folder, (deployment,), binary))
    scratch = zygote.start(Plan((), (Host(DUT_HOST, (), sysctls=_FREE),)), deployment.hosts)
    try:
        furnish(scratch, replace(deployment, network={}), folder, folder / "furnish.log")
        return driver.survey(scratch, deployment, folder / "output.log", candidates)
    finally:
        scratch.close()


def _alerts(words: str, source: Source) -> str:
    """The product's alerts, with the user's files and lines in place of the lab's."""

    def origin(match: re.Match[str]) -> str:
        if match[1] != source.name:
            return match[0]
        file, line = source.origin(int(match[2]))
        return f"[{file}:{line}]"

    lines = [line for line in words.splitlines() if "ALERT" in line and not _SUMMARY.search(line)] or words.splitlines()[-5:]
    return "\n".join("  " + _PLACE.sub(origin, _PREFIX.sub("", line)) for line in lines[:12])
