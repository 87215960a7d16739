"""Labs with the scripted balancer, and RDP clients that go to a real server directly, past the balancer."""

from collections.abc import Callable
from pathlib import Path

from lbcert.clients.rdp import Connection, RdpClients, Visit
from lbcert.deadlines import Deadline, patience
from lbcert.drivers import driver_for
from lbcert.dut import resolve
from lbcert.endpoints.control import MockServer
from lbcert.evidence.history import Event
from lbcert.evidence.lag import LagProbe
from lbcert.lab import Files, Lab
from lbcert.topology.netns import Zygote


def make_lab(zygote: Zygote, folder: Path, security: bool = False, dut: str = "ideal:rdp") -> Lab:
    """A lab with `duts/ideal` or a mutant of it: three real servers, timers of 100 ms; with `security` they have certificates."""
    product = resolve(dut)
    (deployment,) = product.deployments
    driver = driver_for(product)
    folder.mkdir(exist_ok=True)
    files = Files(folder / "history.jsonl", folder / "capture.pcapng", folder / "output.log")
    lag = LagProbe()
    try:
        found = driver.discover(None, deployment, files.output)
        return Lab(zygote, driver, deployment, found, files, lag, seed=1, security=security)
    finally:
        lag.close()


def direct(lab: Lab, server: MockServer) -> RdpClients:
    """Clients that connect to the server itself."""
    names = {server.index: server.name for server in lab.servers}
    return RdpClients(lab.loop, lab.history, server.listen[0], lab.clients._open, names)


def visit(lab: Lab, server: MockServer, *visits: Visit, at_once: int = 50) -> list[Connection]:
    """Make visits to the server itself and wait for their outcomes."""
    return direct(lab, server).run(visits or [Visit(lab.sources.one(), "jsmith")], at_once)


def record(lab: Lab, connection: Connection, kind: str = "request") -> Event:
    """What the server reported of a connection, waited for."""

    def told() -> Event | None:
        peer = [connection.visit.source, connection.port]
        accepted = next((event for event in lab.history.of("accept") if event["peer"] == peer), None)
        return lab.history.last(kind, who=accepted["who"], conn=accepted["conn"]) if accepted else None

    soon(lab, f"{kind} of {connection.visit.source}", told)
    return told()


def soon(lab: Lab, what: str, done: Callable[[], object], deadline: Deadline | None = None) -> None:
    """Wait for something that must come."""
    lab.wait(what, lambda: bool(done()), deadline or patience("report"))
