"""The pytest plugin: options, deployments as parameters, verdicts as outcomes, the run directory.

A test asks for the fixture `lab` and is marked with `@requirement(...)`. What it found becomes a line of
results.jsonl the moment it ends; the report is derived from those lines, also by `lbcert report` after a crash.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from . import catalogue, outcome, timing
from .dut import resolve
from .dut_model import Deployment
from .lab import Lab
from .live import LiveLine
from .outcome import Judged
from .report.errors import ReportError
from .session import Run, Session, SetupError, default_folder
from .topology import probe
from .verdicts import Verdict

NEEDS_PATIENCE = 900.0
"""s to wait for a test of a needed requirement that another worker runs"""

_STATE = pytest.StashKey["State"]()
_JUDGED = pytest.StashKey[Judged]()
_LAB = pytest.StashKey[Lab]()
_ID = re.compile(r"[A-Za-z]+(?:[-_][A-Za-z]+)+[-_][0-9]{2}[a-z]?")


class State:
    """What the plugin keeps for one pytest process."""

    def __init__(self, config: pytest.Config):
        self.config = config
        try:
            self.profiles = catalogue.load_all()
            self.product = resolve(config.getoption("dut"))
        except ReportError as error:
            raise pytest.UsageError(str(error)) from None
        self.requirements = {row.id: row for profile in self.profiles.values() for row in profile}
        self.profile_of = {row.id: profile.name for profile in self.profiles.values() for row in profile}
        worker = getattr(config, "workerinput", None)
        given = worker["lbcert_run"] if worker else config.getoption("report_dir")
        self.run = Run(Path(given).resolve() if given else default_folder(self.product))
        self.session: Session | None = None
        self.setup_errors: set[str] = set()
        self.live = LiveLine(config)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lbcert", "load-balancer certification")
    group.addoption("--dut", default="haproxy", metavar="NAME|PATH[:DEPLOYMENT]",
                    help="the load balancer under test: a name in duts/, a folder with dut.yaml, or a mutant's file")  # fmt: skip
    group.addoption("--topology", default="netns", choices=["netns"],
                    help="how labs are made (docker and lab come with later versions)")  # fmt: skip
    group.addoption("--report-dir", default=None, metavar="DIR",
                    help="where this run's evidence and report go (default: reports/runs/<UTC time>-<dut>)")  # fmt: skip
    group.addoption("--seed", type=int, default=0, metavar="N", help="seed of every random choice (default: 0)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requirement(*ids): the requirements that a test judges")
    config.addinivalue_line("markers", "timing: takes one of the machine's two slots for tests with tight bounds")
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
            known = ", ".join(sorted(state.requirements))
            raise pytest.UsageError(f"-k {word}: no such requirement; known: {known}")


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
    product = config.stash[_STATE].product
    return f"lbcert: dut {product.ref} ({product.name}), topology {config.getoption('topology')}, seed {config.getoption('seed')}"


# -- collection -----------------------------------------------------------------------------------


def _ids(item: pytest.Item) -> tuple[str, ...]:
    return tuple(name for mark in item.iter_markers("requirement") for name in mark.args)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per deployment whose profile the test's requirements belong to."""
    if "lab" not in metafunc.fixturenames:
        return
    state = metafunc.config.stash[_STATE]
    ids = [name for mark in metafunc.definition.iter_markers("requirement") for name in mark.args]
    unknown = [name for name in ids if name not in state.requirements]
    if unknown or not ids:
        known = ", ".join(sorted(state.requirements))
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: requirement {unknown or 'missing'}; known: {known}")
    profiles = {state.profile_of[name] for name in ids}
    fitting = [d for d in state.product.deployments if d.profile in profiles]
    metafunc.parametrize("deployment", fitting, ids=[d.id for d in fitting])


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Requirement ids become keywords; what others need comes first."""
    state = config.stash[_STATE]
    for item in items:
        for name in _ids(item):
            item.extra_keyword_matches.update({name, name.replace("-", "_")})
    certification = [item for item in items if _ids(item)]
    if certification:
        depth = {name: _depth(state.requirements, name) for name in state.requirements}
        order = sorted(certification, key=lambda item: max(depth[name] for name in _ids(item)))
        rest = [item for item in items if not _ids(item)]
        items[:] = rest + order


def _depth(rows: dict[str, Any], name: str) -> int:
    return 1 + max((_depth(rows, need) for need in rows[name].needs), default=-1)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the run directory, if this process is going to record into it."""
    config = session.config
    state = config.stash[_STATE]
    selected: dict[str, list[dict[str, Any]]] = {}
    for item in session.items:
        if _ids(item) and "deployment" in getattr(item, "callspec", _NoParams).params:
            described = {"nodeid": item.nodeid, "requirements": list(_ids(item))}
            selected.setdefault(item.callspec.params["deployment"].id, []).append(described)
    if not selected or config.option.collectonly:
        return
    deployments = [d for d in state.product.deployments if d.id in selected]
    warning = probe.raise_file_limit()
    if warning:
        config.issue_config_time_warning(pytest.PytestWarning(warning), 2)
    facts = {"topology": config.getoption("topology"), "seed": config.getoption("seed"), "selected": selected,
             "command": "pytest " + " ".join(map(str, config.invocation_params.args))}  # fmt: skip
    try:
        state.run.create(state.product, deployments, facts)
    except OSError as error:
        raise pytest.UsageError(f"{state.run.folder}: {error.strerror}; name another folder with --report-dir") from None
    state.session = Session(state.product, state.run, config.getoption("seed"), state.live)


class _NoParams:
    params: dict[str, Any] = {}


# -- running --------------------------------------------------------------------------------------


@pytest.fixture
def lab(request: pytest.FixtureRequest, deployment: Deployment):
    """A lab with the deployment under test running in it, for this test alone."""
    state = request.config.stash[_STATE]
    assert state.session is not None
    made = state.session.lab(deployment, _slug(request.node.nodeid))
    request.node.stash[_LAB] = made
    yield made
    made.close()


def _slug(nodeid: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", nodeid.rsplit("/", 1)[-1]).strip("_")[:150]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None):
    """Tests with tight bounds take one of the machine's slots, their lab's start and end included."""
    if item.get_closest_marker("timing") is None or not _ids(item):
        return (yield)
    live = item.config.stash[_STATE].live
    with timing.slot(lambda: live("one of the machine's two slots for timing tests", None)):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Block a test whose requirement needs one that failed."""
    if not _ids(item):
        return
    item.stash[_JUDGED] = Judged(time.time())
    state = item.config.stash[_STATE]
    for need in {need for name in _ids(item) for need in state.requirements[name].needs}:
        verdict = _verdict_of(item, need)
        if verdict in outcome.BLOCKING:
            item.stash[_JUDGED].early(Verdict.BLOCKED, f"blocked: {need} is {verdict} in this run")
            pytest.skip(f"blocked: {need} is {verdict}")


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
    return outcome.worst(found) if found else None


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
    state.run.append_result(judged.line(item.nodeid, item.callspec.params["deployment"].id, _ids(item), _evidence(item, state)))
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


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    state = config.stash.get(_STATE, None)
    if state is None:
        return
    if state.session is not None:
        state.session.close()
    if hasattr(config, "workerinput") or not (state.run.folder / "run.json").exists() or config.option.collectonly:
        return
    state.run.finish(int(exitstatus))


def pytest_terminal_summary(terminalreporter, exitstatus: int, config: pytest.Config) -> None:
    """Write the report and say in a few lines what came out."""
    state = config.stash.get(_STATE, None)
    if state is None or not (state.run.folder / "finished.json").exists():
        return
    from .report import model
    from .summary import summarize

    try:
        report = model.write(state.run.folder)
    except ReportError as error:
        terminalreporter.write_line(f"lbcert: no report: {error}", red=True)
        return
    summarize(terminalreporter, report, state.run.folder)


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(node, call, report) -> None:
    """Known errors speak for themselves; a traceback would bury them."""
    if isinstance(call.excinfo.value if call.excinfo else None, SetupError):
        return
