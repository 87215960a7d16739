"""The pytest plugin: options, deployments as parameters, verdicts as outcomes, the run directory.

A test asks for the fixture `lab` and is marked with `@requirement(...)`. What it found becomes a line of
results.jsonl the moment it ends; the report is derived from those lines, also by `lbcert report` after a crash.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import catalogue, verdicts
from .corpus import file as corpus
from .dut import resolve
from .dut_model import VARIANTS, Deployment
from .evidence.finding import Finding
from .lab import Ended, Lab
from .report.errors import ReportError
from .run import outcome, pace, tiers, timing
from .run.live import LiveLine
from .run.ordering import arranged
from .run.outcome import Judged
from .run.session import Run, Session, SetupError, default_folder
from .topology import linux, probe
from .topology.choice import PROVIDERS
from .verdicts import NO_VARIANT, Verdict

ADDITIONS = ("nightly", "exploration")
"""marks of tests that a run may leave out without leaving a requirement half judged"""
NEEDS_PATIENCE = 900.0
"""s to wait for a test of a needed requirement that another worker runs"""

_STATE = pytest.StashKey["State"]()
_JUDGED = pytest.StashKey[Judged]()
_LAB = pytest.StashKey["Lab | Labs"]()
_ID = re.compile(r"[A-Za-z]+(?:[-_][A-Za-z]+)+[-_][0-9]{2}[a-z]?")


class State:
    """What the plugin keeps for one pytest process."""

    def __init__(self, config: pytest.Config):
        self.config = config
        try:
            self.profiles = catalogue.load_all()
            self.product = resolve(config.getoption("dut"))
            given = config.getoption("corpus")
            self.corpus = corpus.load(Path(given)) if given else corpus.Corpus()
        except ReportError as error:
            raise pytest.UsageError(str(error)) from None
        self.requirements = {row.id: row for profile in self.profiles.values() for row in profile}
        self.profile_of = {row.id: profile.name for profile in self.profiles.values() for row in profile}
        worker = getattr(config, "workerinput", None)
        given = worker["lbcert_run"] if worker else config.getoption("report_dir")
        self.run = Run(Path(given).resolve() if given else default_folder(self.product))
        self.session: Session | None = None
        self.setup_errors: set[str] = set()
        self.deselected: list[pytest.Item] = []
        self.unwritable = False
        """whether a result could not be written, as on a full disk: the run ends, and nothing more is tried there"""
        self.unfinished: list[Path] = []
        """tests that an interrupted exploration had found"""
        self.live = LiveLine(config)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lbcert", "load-balancer certification")
    group.addoption("--dut", default="haproxy", metavar="NAME|PATH[:DEPLOYMENT]",
                    help="the load balancer under test: a name in duts/, a folder with dut.yaml, or a mutant's file")  # fmt: skip
    group.addoption("--topology", default="netns", choices=sorted(PROVIDERS),
                    help="how labs are made: docker, or Linux namespaces of our own (default: netns)")  # fmt: skip
    group.addoption("--report-dir", default=None, metavar="DIR",
                    help="where this run's evidence and report go (default: reports/runs/<UTC time>-<dut>)")  # fmt: skip
    group.addoption("--explore", type=_count, default=0, metavar="N",
                    help="also try N random sequences of users' and servers' doings against the declared model")  # fmt: skip
    group.addoption("--timers", default="fast", choices=pace.TIMERS,
                    help="judge timers of an hour on a faster clock, in a minute (default), or in real time, any product")  # fmt: skip
    group.addoption("--corpus", default=None, metavar="FILE|DIR",
                    help="also send these first packets, which `lbcert import` took from captures of your clients")  # fmt: skip
    group.addoption("--seed", type=int, default=0, metavar="N", help="seed of every random choice (default: 0)")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{text!r} is no number of sequences")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        # A worker whose head was killed would go on with its test, for up to a minute, and then have nobody to tell.
        linux.die_with_parent()
    config.addinivalue_line("markers", "requirement(*ids): the requirements that a test judges")
    config.addinivalue_line("markers", "exploration: runs with --explore only")
    config.addinivalue_line("markers", "timing: takes one of the machine's slots for tests with tight bounds")
    if getattr(config.option, "maxschedchunk", 1) is None:
        # xdist would hand tests to workers by the handful, and one with a long test would keep the others waiting behind it.
        config.option.maxschedchunk = 1
    config.stash[_STATE] = State(config)
    state = config.stash[_STATE]
    _check_keyword(config.getoption("keyword", ""), state)
    given = config.getoption("report_dir")
    if given and not hasattr(config, "workerinput"):
        _check_report_dir(Path(given))


def _check_keyword(expression: str, state: State) -> None:
    """An unknown requirement id in -k would silently select nothing."""
    families = {name.rsplit("-", 1)[0] for name in state.requirements}
    for word in _ID.findall(expression or ""):
        name = word.upper().replace("_", "-")
        name = name[:-1] + name[-1].lower() if name[-1].isalpha() else name
        if name.rsplit("-", 1)[0] in families and name not in state.requirements:
            first = name.partition("-")[0]
            known = ", ".join(sorted(one for one in state.requirements if one.startswith(f"{first}-")))
            raise pytest.UsageError(f"-k {word}: no such requirement; known: {known}")


def _check_selection(config: pytest.Config, state: State, items: list[pytest.Item]) -> None:
    """A requirement of another suite in -k would select nothing, and say only that all was deselected."""
    if items:
        return
    asked = {word.upper().replace("_", "-") for word in _ID.findall(config.getoption("keyword", "") or "")} & set(state.requirements)
    judged = {name for item in state.deselected for name in _ids(item)}
    if asked and judged and not asked & judged:
        suites = sorted({f"suites/{state.profile_of[name].replace('-', '_')}" for name in asked})
        raise pytest.UsageError(f"-k {', '.join(sorted(asked))}: none of the tests given is about it; see {', '.join(suites)}")


def _check_report_dir(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise pytest.UsageError(f"--report-dir {folder}: is a file; name a folder")
    if (folder / "run.json").exists():
        raise pytest.UsageError(f"--report-dir {folder}: holds a run already; name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--report-dir {folder}: {error.strerror}; name a folder you may write to") from None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """xdist: every worker records into the controller's run directory."""
    node.workerinput["lbcert_run"] = str(node.config.stash[_STATE].run.folder)


def pytest_report_header(config: pytest.Config) -> str:
    product, own = config.stash[_STATE].product, config.stash[_STATE].corpus
    also = f", {len(own.packets)} packets of {own.path}" if own.packets else ""
    return (f"lbcert: dut {product.ref} ({product.name}), topology {config.getoption('topology')}, "
            f"seed {config.getoption('seed')}{also}")  # fmt: skip


# -- collection -----------------------------------------------------------------------------------


def _ids(item: pytest.Item) -> tuple[str, ...]:
    return tuple(name for mark in item.iter_markers("requirement") for name in mark.args)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per deployment whose profile the test's requirements belong to."""
    if not {"lab", "labs"} & set(metafunc.fixturenames):
        return
    state = metafunc.config.stash[_STATE]
    ids = [name for mark in metafunc.definition.iter_markers("requirement") for name in mark.args]
    unknown = [name for name in ids if name not in state.requirements]
    if unknown or not ids:
        known = ", ".join(sorted(state.requirements))
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: requirement {unknown or 'missing'}; known: {known}")
    profiles = {state.profile_of[name] for name in ids}
    wanted = [mark.kwargs.get("when", lambda _: True) for mark in metafunc.definition.iter_markers("requirement")]
    fitting = [d for d in state.product.deployments if d.profile in profiles and all(when(d) for when in wanted)]
    metafunc.parametrize("deployment", fitting, ids=[d.id for d in fitting])


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]):
    """Each test gets its tier, ids become keywords; of what -k and -m leave, long tests come first, then what others need."""
    state = config.stash[_STATE]
    tiers.assign(items, config.getini("markers"))
    if not config.getoption("explore"):
        items[:] = [item for item in items if item.get_closest_marker("exploration") is None]
    _drop_unfitting(items, state)
    for item in items:
        for name in _ids(item):
            item.extra_keyword_matches.update({name, name.replace("-", "_")})
    result = yield
    _check_selection(config, state, items)
    certification = [item for item in items if _ids(item)]
    if certification:
        paces = {item: _pace(item, state) for item in certification}
        for item, chosen in paces.items():
            if chosen is not None and chosen.how == "variant":
                item.add_marker("timing")
        long = {item for item, chosen in paces.items() if chosen is not None and chosen.how != "variant"}
        rest = [item for item in items if not _ids(item)]
        items[:] = rest + arranged(certification, _ids, state.requirements, long)
    return result


def _marked(item: pytest.Item, name: str) -> Any:
    """What the item's `requirement` mark says under `name`."""
    return next((mark.kwargs.get(name) for mark in item.iter_markers("requirement")), None)


def _pace(item: pytest.Item, state: State) -> pace.Pace | None:
    """How a test judges its long timer; None if it has none, or if that cannot be judged."""
    timer = _marked(item, "long")
    if timer is None or not _has_deployment(item):
        return None
    try:
        return pace.choose(state.product, item.callspec.params["deployment"], state.config.getoption("timers"), timer)
    except pace.NoPace:
        return None


def _drop_unfitting(items: list[pytest.Item], state: State) -> None:
    """Tests without a deployment (pytest keeps one, skipped, of each) are none; if that is all, the DUT does not fit."""
    unfitting = [item for item in items if _ids(item) and not _has_deployment(item)]
    if unfitting and not any(_ids(item) and _has_deployment(item) for item in items):
        profiles = sorted({state.profile_of[name] for item in unfitting for name in _ids(item)})
        has = ", ".join(f"{d.id} ({d.profile})" for d in state.product.deployments)
        raise pytest.UsageError(f"--dut {state.product.ref} has no deployment of profile {', '.join(profiles)}; it has: {has}")
    items[:] = [item for item in items if item not in unfitting]


def _has_deployment(item: pytest.Item) -> bool:
    return isinstance(getattr(item, "callspec", _NoParams).params.get("deployment"), Deployment)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Tests that -k or -m left out: their requirements are not judged whole. A test of a longer tier is an addition."""
    for item in items:
        if not any(item.get_closest_marker(name) for name in ADDITIONS):
            item.config.stash[_STATE].deselected.append(item)


def _described(items: list[pytest.Item]) -> dict[str, list[dict[str, Any]]]:
    """Node ids and requirements of certification tests, per deployment."""
    found: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        if _ids(item) and _has_deployment(item):
            described = {"nodeid": item.nodeid, "requirements": list(_ids(item))}
            found.setdefault(item.callspec.params["deployment"].id, []).append(described)
    return found


def _left_out(items: list[pytest.Item], deployments: list[Deployment]) -> dict[str, list[dict[str, Any]]]:
    """Tests of the same modules that were not even collected, as after `pytest FILE::TEST`.

    A requirement may have several tests, and one of them alone must not make it pass.
    """
    collected = {(item.module, item.originalname) for item in items if _ids(item)}
    found: dict[str, list[dict[str, Any]]] = {}
    for module, path in {(item.module, item.nodeid.partition("::")[0]) for item in items if _ids(item)}:
        for name, function in vars(module).items():
            marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "requirement"]
            extra = any(mark.name in ADDITIONS for mark in getattr(function, "pytestmark", ()))
            if not marks or extra or not name.startswith("test") or (module, name) in collected:
                continue
            described = {"requirements": [one for mark in marks for one in mark.args]}
            for deployment in deployments:
                if all(mark.kwargs.get("when", lambda _: True)(deployment) for mark in marks):
                    node = {"nodeid": f"{path}::{name}[{deployment.id}]", **described}
                    found.setdefault(deployment.id, []).append(node)
    return found


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the run directory, if this process is going to record into it."""
    config = session.config
    state = config.stash[_STATE]
    selected = _described(session.items)
    if not selected or config.option.collectonly:
        return
    deployments = [d for d in state.product.deployments if d.id in selected]
    probe.raise_file_limit()  # what is started from now on inherits it
    deselected = _described(state.deselected)
    for name, nodes in _left_out([*session.items, *state.deselected], deployments).items():
        deselected[name] = [*deselected.get(name, ()), *nodes]
    facts = {"topology": config.getoption("topology"), "seed": config.getoption("seed"), "selected": selected,
             "deselected": deselected, "corpus": state.corpus.facts() if state.corpus.packets else None,
             "command": "pytest " + " ".join(map(str, config.invocation_params.args))}  # fmt: skip
    try:
        state.run.create(state.product, deployments, facts)
    except OSError as error:
        raise pytest.UsageError(f"{state.run.folder}: {error.strerror}; name another folder with --report-dir") from None
    state.session = Session(state.product, state.run, config.getoption("topology"), config.getoption("seed"), state.live,
                            state.corpus)  # fmt: skip


class _NoParams:
    params: dict[str, Any] = {}


# -- running --------------------------------------------------------------------------------------


@pytest.fixture
def lab(request: pytest.FixtureRequest, deployment: Deployment):
    """A lab with the deployment under test running in it, for this test alone."""
    state = request.config.stash[_STATE]
    assert state.session is not None
    timer, chosen = _marked(request.node, "long"), None
    if timer is not None:
        try:
            chosen = pace.choose(state.product, deployment, request.config.getoption("timers"), timer)
        except pace.NoPace as reason:
            raise Ended(Verdict.NOT_RUN, str(reason)) from None
    variant = chosen.variant if chosen else _marked(request.node, "variant")
    security = bool(_marked(request.node, "security"))
    routing = _marked(request.node, "routing")
    made = state.session.lab(_as_variant(deployment, variant), _slug(request.node.nodeid), chosen, security, routing)
    request.node.stash[_LAB] = made
    yield made
    try:
        made.close()
    except OSError:
        if not state.unwritable:
            raise


def _as_variant(deployment: Deployment, variant: str | None) -> Deployment:
    """The deployment, or the variant of it; not-run where there is none."""
    if variant is None:
        return deployment
    if variant not in deployment.variants:
        reason = f"{NO_VARIANT}: {deployment.id} offers none in which {VARIANTS[variant]} (dut.yaml: variants: {variant})"
        raise Ended(Verdict.NOT_RUN, reason)
    return deployment.as_variant(variant)


class Labs:
    """Makes labs one after the other for one test, which judges them itself."""

    def __init__(self, session: Session, deployment: Deployment, slug: str, requirements: tuple[str, ...], sequences: int,
                 unfinished: list[Path]):  # fmt: skip
        self.session, self.deployment, self.slug = session, deployment, slug
        self.requirements, self.sequences, self.seed = requirements, sequences, session.seed
        self.findings: list[Finding] = []
        self._kept: dict[int, Path] = {}
        self._unfinished = unfinished

    def __call__(self) -> Lab:
        """A new lab. Its evidence takes the place of the one before."""
        return self.session.lab(self.deployment, self.slug)

    def judge(self, finding: Finding) -> None:
        self.findings.append(finding)

    def keep(self, number: int, test: str) -> None:
        """Have a test on disk at once: the search may be interrupted."""
        path = self.session.run.folder / "exploration" / f"{self.slug}.{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(test)
        self._kept[number] = path

    def interrupted(self) -> None:
        """Have what was kept shown at the end, since the test will not be judged any more."""
        self._unfinished += self._kept.values()


@pytest.fixture
def labs(request: pytest.FixtureRequest, deployment: Deployment) -> Labs:
    """For exploration: labs with the deployment under test, as many as it takes."""
    state = request.config.stash[_STATE]
    assert state.session is not None
    chosen = _as_variant(deployment, _marked(request.node, "variant"))
    made = Labs(state.session, chosen, _slug(request.node.nodeid), _ids(request.node),
                request.config.getoption("explore"), state.unfinished)  # fmt: skip
    request.node.stash[_LAB] = made
    return made


def _slug(nodeid: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", nodeid.rsplit("/", 1)[-1]).strip("_")[:150]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None):
    """Tests with tight bounds take one of the machine's slots, their lab's start and end included."""
    if item.get_closest_marker("timing") is None or not _ids(item):
        return (yield)
    live = item.config.stash[_STATE].live
    inter = item.callspec.params["deployment"].declares.health_check.inter if _has_deployment(item) else timing.TIGHT
    with timing.slot(lambda: live("one of the machine's slots for timing tests", None), inter):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Block a test whose requirement needs one that failed."""
    if not _ids(item):
        return
    state = item.config.stash[_STATE]
    item.stash[_JUDGED] = Judged(time.time(), {name: state.requirements[name].level for name in _ids(item)})
    if item.get_closest_marker("exploration"):
        # It looks for what is wrong by itself, and knows what means nothing without what.
        return
    for need in {need for name in _ids(item) for need in state.requirements[name].needs}:
        verdict = _verdict_of(item, need)
        if verdict in outcome.BLOCKING:
            item.stash[_JUDGED].early(Verdict.BLOCKED, f"{need} is {verdict} in this run")
            pytest.skip(f"{need} is {verdict}")


def _verdict_of(item: pytest.Item, need: str) -> Verdict | None:
    """The worst verdict of the tests of `need` for the same deployment, once they have run; None if none will."""
    deployment = item.callspec.params["deployment"].id
    wanted = [
        other.nodeid for other in item.session.items
        if need in _ids(other) and other.callspec.params["deployment"].id == deployment
    ]  # fmt: skip
    state = item.config.stash[_STATE]
    assert state.session is not None
    deadline = time.monotonic() + NEEDS_PATIENCE
    results = state.run.results()
    while any(nodeid not in results for nodeid in wanted) and hasattr(item.config, "workerinput"):
        # The test comes earlier in the order, so another worker is at it, and waits for nobody behind us.
        if time.monotonic() > deadline:
            break
        state.session.lag._end.wait(0.2)
        results = state.run.results()
    found = [Verdict(results[nodeid]["verdict"]) for nodeid in wanted if nodeid in results]
    return verdicts.worst(found) if found else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Turn what a test found into a verdict, the verdict into pytest's outcome, and have it on disk."""
    report = yield
    if not _ids(item) or _JUDGED not in item.stash:
        return report
    judged = item.stash[_JUDGED]
    if call.when == "setup" and call.excinfo is None:
        return report
    if call.when == "teardown" and call.excinfo is None:
        return report
    made = item.stash.get(_LAB, None)
    judged.take(call, made.findings if made else [])
    state = item.config.stash[_STATE]
    line = judged.line(item.nodeid, item.callspec.params["deployment"].id, _evidence(item, state))
    try:
        state.run.append_result(line | ({"corpus": True} if getattr(made, "took_corpus", False) else {}))
    except OSError as error:
        state.unwritable = True
        report.outcome = "failed"
        report.longrepr = item.session.shouldstop = (
            f"lbcert: {state.run.folder}/results.jsonl cannot be written: {error.strerror}. The results before this one are kept: "
            f"make room, then `lbcert report {state.run.folder}`")
        return report
    repeated = call.when == "setup" and judged.reason in state.setup_errors
    if judged.verdict is Verdict.SETUP_ERROR:
        state.setup_errors.add(judged.reason)
    judged.shape(report, item, repeated)
    return report


def _evidence(item: pytest.Item, state: State) -> list[str]:
    """The files of this test, relative to the run directory."""
    slug = _slug(item.nodeid)
    names = [f"history/{slug}.jsonl", f"captures/{slug}.pcapng", f"output/{slug}.log"]
    return [name for name in names if (state.run.folder / name).exists() and (state.run.folder / name).stat().st_size]


# -- the end --------------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    state = config.stash.get(_STATE, None)
    if state is None:
        return
    if state.session is not None:
        state.session.close()
    if hasattr(config, "workerinput") or not (state.run.folder / "run.json").exists() or config.option.collectonly or state.unwritable:
        return
    with contextlib.suppress(OSError):  # on a full disk: the report then says that the run did not come to its end
        state.run.finish(int(exitstatus))


def pytest_terminal_summary(terminalreporter, exitstatus: int, config: pytest.Config) -> None:
    """Write the report and say in a few lines what came out."""
    state = config.stash.get(_STATE, None)
    if state is None or not (state.run.folder / "finished.json").exists():
        return
    for path in state.unfinished:
        terminalreporter.write_line(f"lbcert: the exploration was interrupted; the shortest sequence so far ({path}):")
        terminalreporter.write_line(path.read_text())
    from .report import model
    from .run.summary import summarize

    try:
        with _undisturbed():
            report = model.write(state.run.folder)
    except (ReportError, OSError) as error:
        terminalreporter.write_line(f"lbcert: no report: {error}", red=True)
        return
    summarize(terminalreporter, report, state.run.folder)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not cost the report; it takes a fraction of a second."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(node, call, report) -> None:
    """Known errors speak for themselves; a traceback would bury them."""
    if isinstance(call.excinfo.value if call.excinfo else None, SetupError):
        return
