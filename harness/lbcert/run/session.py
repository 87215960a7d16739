"""One pytest process's share of a run: its run directory, its labs' provider, and what was discovered of each product.

The run directory is shared by the processes of a run (pytest -n): files are appended to line by line or replaced
as a whole, under a lock, so that any of them may be killed at any time.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..corpus.file import Corpus
from ..deadlines import MARGIN, Deadline, detection, recovery, table
from ..drivers import Build, Discovery, DriverError, driver_for
from ..drivers.base import Memory, Server
from ..drivers.furnish import furnish
from ..dut import REPOSITORY, changed_lines
from ..dut_model import POOL_CROWD, POOL_LIFETIME_FLOOR, SHORT_LIFETIME, Deployment, Product
from ..evidence.lag import LagProbe
from ..lab import Files, Lab
from ..topology.choice import PROVIDERS
from ..topology.interface import LabError, Provider, Unavailable
from ..topology.plan import DUT_HOST, Host, Plan
from .pace import Pace


_SEEN = 0.89
"""of a pool's shortest lifetime: clients come back a little later than that (OCS-AFF-03)"""


class SetupError(Exception):
    """The lab or the product could not be set up; the message is for the user."""


class Run:
    """The run directory."""

    def __init__(self, folder: Path):
        self.folder = folder

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with (self.folder / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def create(self, product: Product, deployments: list[Deployment], facts: dict[str, Any]) -> None:
        """Make the directory and run.json, unless another process of this run was first."""
        for name in ("history", "captures", "output", "discovery"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        with self.locked():
            if (self.folder / "run.json").exists():
                return
            self.write("run.json", _run_facts(product, deployments, facts))
            (self.folder / "results.jsonl").touch()
        self.point_latest()

    def update(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change run.json as a whole."""
        with self.locked():
            data = json.loads((self.folder / "run.json").read_text())
            change(data)
            self.write("run.json", data)

    def write(self, name: str, data: dict[str, Any]) -> None:
        """Write a JSON file of the run as a whole: a reader, or a crash, never meets half of it."""
        temporary = (self.folder / name).with_name(f".{Path(name).name}.{os.getpid()}")
        with temporary.open("w") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / name)

    def point_latest(self) -> None:
        """Have `latest` beside the run lead to it."""
        runs = REPOSITORY / "reports" / "runs"
        if self.folder.parent.resolve() != runs.resolve():
            return
        temporary = runs / f".latest.{os.getpid()}"
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(self.folder.name)
            temporary.replace(runs / "latest")

    def append_result(self, line: dict[str, Any]) -> None:
        """Add one test's result and have it on disk."""
        with (self.folder / "results.jsonl").open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # A worker that was killed in the middle of its line must not spoil ours.
            end = file.seek(0, os.SEEK_END)
            broken = end and os.pread(file.fileno(), 1, end - 1) != b"\n"
            text = ("\n" if broken else "") + json.dumps(line, separators=(",", ":")) + "\n"
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())

    def results(self) -> dict[str, dict[str, Any]]:
        """The last recorded result of each test, by nodeid."""
        found: dict[str, dict[str, Any]] = {}
        try:
            text = (self.folder / "results.jsonl").read_text()
        except FileNotFoundError:
            return found
        for line in text.splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                result = json.loads(line)
                found[result["nodeid"]] = result
        return found

    def finish(self, status: int) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        self.write("finished.json", {"finished": now, "exit": status})


def default_folder(product: Product) -> Path:
    """reports/runs/<UTC time>-<dut>."""
    return folder_named((Path(product.ref).name or product.name).removesuffix(".yaml"))


def folder_named(text: str) -> Path:
    """reports/runs/<UTC time>-<name>, a name of its own even for two runs within one second."""
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-")
    folder = REPOSITORY / "reports" / "runs" / f"{stamp}-{name}"
    number = 2
    while folder.exists():
        folder = folder.with_name(f"{stamp}-{name}-{number}")
        number += 1
    return folder


def _run_facts(product: Product, deployments: list[Deployment], facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": 1,
        "suite": {"version": __version__, "commit": commit()},
        "dut": {"name": product.name, "vendor": product.vendor, "version": None, "driver": product.driver, "build": None,
                "ref": product.ref, "folder": _relative(product.folder)},
        "environment": {"kernel": platform.release(), "python": platform.python_version(), "topology": facts["topology"],
                        "seed": facts["seed"], "deadlines": {}, "lowered_limits": {},
                        **({"corpus": facts["corpus"]} if facts.get("corpus") else {})},
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "command": facts["command"],
        "deployments": [
            {"id": d.id, "profile": d.profile, "config": d.text, "claims": list(d.claims),
             "config_sha256": hashlib.sha256(d.text.encode()).hexdigest(), "declares": d.declares.shown,
             "documents": list(d.documents),
             "variants": {name: "\n".join(changed_lines(d.text, text)) for name, text in d.texts.items()},
             "selected": facts["selected"].get(d.id, []), "deselected": facts["deselected"].get(d.id, [])}
            for d in deployments
        ],
    }  # fmt: skip


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(REPOSITORY))
    except ValueError:
        return str(path)


def commit() -> str:
    """The suite's commit, with `-dirty` where files differ; empty outside a git checkout."""
    try:
        out = subprocess.run(
            ["git", "-c", f"safe.directory={REPOSITORY}", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return out.stdout.strip()


class Session:
    """What tests of one pytest process share."""

    def __init__(self, product: Product, run: Run, topology: str, seed: int, live: Callable[[str, Deadline | None], None],
                 corpus: Corpus = Corpus()):  # fmt: skip
        self.product = product
        self.run = run
        self.seed = seed
        self.live = live
        self.corpus = corpus
        self.lag = LagProbe()
        self._driver = None
        self._discovered: dict[str, Discovery | SetupError] = {}
        self._topology = topology
        self._provider: Provider | None = None
        self._log = (run.folder / "harness.log").open("ab")

    def provider(self) -> Provider:
        """What makes the labs, probed at its first use."""
        if self._provider is not None and not self._provider.alive():
            # Somebody ended it. The test that lost its lab has said so; the next one gets a new one.
            self._provider.close()
            self._provider = None
        if self._provider is None:
            provider = PROVIDERS[self._topology](self._log.fileno())
            try:
                provider.probe()
            except Unavailable as error:
                provider.close()
                raise SetupError(f"no lab can be made on this machine: {error}") from None
            self._provider = provider
        return self._provider

    def driver(self):
        if self._driver is None:
            try:
                self._driver = driver_for(self.product)
            except DriverError as error:
                raise SetupError(str(error)) from None
        return self._driver

    def discover(self, deployment: Deployment) -> Discovery:
        """What the product does with this deployment; found once per run, raises SetupError each time if it cannot."""
        name = deployment.name
        if name not in self._discovered:
            self._discovered[name] = self._discover(deployment)
        found = self._discovered[name]
        if isinstance(found, SetupError):
            raise found
        return found

    def _discover(self, deployment: Deployment) -> Discovery | SetupError:
        path = self.run.folder / "discovery" / f"{deployment.name}.json"
        with (self.run.folder / "discovery" / f".{deployment.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                data = json.loads(path.read_text())
                return SetupError(data["error"]) if "error" in data else _discovery(data)
            try:
                found = self._start_scratch(deployment)
            except (SetupError, DriverError, LabError) as error:
                self.run.write(f"discovery/{deployment.name}.json", {"error": str(error)})
                return SetupError(str(error))
            self.run.write(f"discovery/{deployment.name}.json", asdict(found))
            self._record(deployment, found)
            return found

    def _start_scratch(self, deployment: Deployment) -> Discovery:
        driver = self.driver()
        free = {"ipv4/ip_nonlocal_bind": "1", "ipv6/ip_nonlocal_bind": "1"}
        plan = Plan((), (Host(DUT_HOST, (), sysctls=free),))
        scratch = self.provider().start(plan, deployment.hosts)
        try:
            furnish(scratch, replace(deployment, network={}), self.product.folder, self.run.folder / "output" / "furnish.log")
            return driver.discover(scratch, deployment, self.run.folder / "output" / f"{deployment.name}.discovery.log")
        finally:
            scratch.close()

    def _record(self, deployment: Deployment, found: Discovery) -> None:
        def change(data: dict[str, Any]) -> None:
            build = found.build
            data["dut"]["version"] = build.version
            data["dut"]["build"] = {"origin": build.origin, "sha256": build.sha256, "details": build.details}
            limits = {f"{deployment.name}: {name}": text for name, text in found.lowered_limits.items()}
            data["environment"]["lowered_limits"].update(limits)
            deadlines = {f"{deployment.id}: {name}": s for name, s in table(deployment.declares.health_check).items()
                         if name.startswith("requirement")}  # fmt: skip
            patience = {name: s for name, s in table(deployment.declares.health_check).items()
                        if name.startswith("patience")}  # fmt: skip
            data["environment"]["deadlines"].update(patience | deadlines)

        self.run.update(change)

    def lab(self, deployment: Deployment, slug: str, pace: Pace | None = None, security: bool = False,
            routing: str | None = None) -> Lab:  # fmt: skip
        """A lab with `deployment` running in it; raises SetupError with one clear message if there is none."""
        found = self.discover(deployment)
        contradiction = _contradiction(deployment, found)
        if not contradiction and deployment.variant is not None:
            # What a variant shows counts for the deployment, so that must be what it says.
            base = self.product.deployment(deployment.id)
            contradiction = _contradiction(base, self.discover(base))
        if contradiction:
            raise SetupError(contradiction)
        folder = self.run.folder
        files = Files(
            folder / "history" / f"{slug}.jsonl", folder / "captures" / f"{slug}.pcapng", folder / "output" / f"{slug}.log"
        )
        try:
            seed = int.from_bytes(hashlib.sha256(f"{self.seed}:{slug}".encode()).digest()[:8], "big")
            return Lab(self.provider(), self.driver(), deployment, found, files, self.lag, seed, self.live, pace, security,
                       self.corpus.packets, routing)  # fmt: skip
        except (DriverError, LabError) as error:
            raise SetupError(str(error)) from None

    def close(self) -> None:
        if self._provider is not None:
            self._provider.close()
        self.lag.close()
        self._log.close()


def _contradiction(deployment: Deployment, found: Discovery) -> str | None:
    """Where the product itself contradicts what dut.yaml declares of its checks and of its memory."""
    check = deployment.declares.health_check
    for name, (fall, rise) in found.check_counts.items() if check.declared else ():
        if (fall, rise) != (check.fall, check.rise) and not _seen_late(deployment, fall, rise):
            return (f"dut.yaml declares fall {check.fall}, rise {check.rise} for {deployment.id}, but the product checks "
                    f"{name} with fall {fall}, rise {rise}: correct declares.health_check")  # fmt: skip
    for name, memory in found.memories.items() if deployment.variant is None else ():
        if wrong := _forgets_sooner(deployment, name, memory):
            return wrong
    return None


def _seen_late(deployment: Deployment, fall: int, rise: int) -> bool:
    """Whether traffic shows for sure that a server leaves, or returns, later than declared: in a pool each has its turn."""
    check = deployment.declares.health_check
    counts = ((fall, check.fall, detection(check, "refused")), (rise, check.rise, recovery(check)))
    return deployment.profile == "ocs" and all(
        count == declared or (count - 1) * check.inter > bound + 2 * MARGIN for count, declared, bound in counts
    )


def _forgets_sooner(deployment: Deployment, table: str, memory: Memory) -> str | None:
    """Where a table of the product keeps less than declared: tests fill small tables and wait for short timers only."""
    timer, size = deployment.declares.timer, deployment.declares.size
    for_ever = timer == "none" and (memory.lifetime or 0) > SHORT_LIFETIME  # a shorter one is seen in traffic
    if deployment.profile == "ocs" and (memory.lifetime or 0) < _SEEN * POOL_LIFETIME_FLOOR and not for_ever:
        timer = None  # half an hour is seen in traffic too, on a faster clock
    if memory.lifetime and (for_ever or (isinstance(timer, (int, float)) and memory.lifetime < timer)):
        kept = f"{timer:g} s" if isinstance(timer, (int, float)) else timer
        return (f"dut.yaml declares persistence.timer {kept} for {deployment.id}, but the product's table {table} keeps a user "
                f"for {memory.lifetime:g} s: correct declares.persistence.timer, or the table")  # fmt: skip
    if deployment.profile == "ocs" and memory.size < POOL_CROWD:
        return None  # so is that there is room for so few
    if isinstance(size, int) and memory.size < size:
        return (f"dut.yaml declares persistence.size {size} for {deployment.id}, but the product's table {table} has room for "
                f"{memory.size}: correct declares.persistence.size, or the table")  # fmt: skip
    return None


def _discovery(data: dict[str, Any]) -> Discovery:
    return Discovery(
        Build(**data["build"]),
        tuple((ip, port) for ip, port in data["listening"]),
        tuple(Server(**server) for server in data["servers"]),
        data["lowered_limits"],
        {name: (fall, rise) for name, (fall, rise) in data["check_counts"].items()},
        {name: Memory(**memory) for name, memory in data["memories"].items()},
        data["sockets"],
    )
