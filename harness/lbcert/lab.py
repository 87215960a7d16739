"""The lab as a test sees it: servers, clients, faults, waiting, judging."""

from __future__ import annotations

import random
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import addresses
from .clients.connection import Connection
from .clients.connection import Plan as Intent
from .corpus.file import Packet
from .deadlines import IDLE_SHARES, MATURE, Deadline, patience, table
from .drivers import Discovery, Driver, DriverError, choose_services
from .drivers.base import Server
from .drivers.faster import FasterClock, make_clock
from .drivers.furnish import furnish
from .dut_model import Deployment
from .endpoints.control import MockServer
from .evidence import flows
from .evidence.finding import Finding
from .evidence.history import History
from .evidence.lag import LagProbe
from .evidence.secrets import enclose_secrets
from .loop import READ, Loop
from .offers import offer_of
from .run.pace import Pace
from .topology.interface import Broker, LabError, Provider
from .topology.plan import CLIENT_HOST, DUT_HOST, Plan, PlanError, make_plan
from .verdicts import Verdict

MAX_SERVERS = 15
LAG_SHARE = 0.25
"""of a judged margin that our own lateness may use up"""


class HarnessError(Exception):
    """The suite itself could not do its work; nothing is said about the product."""


class Ended(Exception):
    """A test ends early with a verdict of its own."""

    def __init__(self, verdict: Verdict, reason: str):
        super().__init__(reason)
        self.verdict = verdict


@dataclass(frozen=True)
class Files:
    """Where the evidence of one test goes."""

    history: Path
    capture: Path
    output: Path


class Lab:
    """One lab with one deployment running in it, for one test."""

    def __init__(
        self,
        provider: Provider,
        driver: Driver,
        deployment: Deployment,
        discovery: Discovery,
        files: Files,
        lag: LagProbe,
        seed: int,
        live: Callable[[str, Deadline | None], None] = lambda text, deadline: None,
        pace: Pace | None = None,
        security: bool = False,
        corpus: Sequence[Packet] = (),
        routing: str | None = None,
    ):
        """`routing`: what is wrong with the routes of this lab, of ROUTINGS.
        `security`: the servers can be told to do TLS and CredSSP, each with a certificate of its own.
        `corpus`: first packets of the user's own clients (--corpus)."""
        self.deployment = deployment
        self.declares = deployment.declares
        self.driver = driver
        self.files = files
        self.random = random.Random(seed)
        self._corpus = tuple(corpus)
        self.took_corpus = False
        """whether the test asked for first packets of the user's own clients, and there were some"""
        self.findings: list[Finding] = []
        self.trouble: HarnessError | None = None
        self.loop = Loop()
        self.history = History(files.history)
        self._lag = lag
        self._live = live
        self._capture_read = False
        self._growing: flows.Growing | None = None
        self.offer = offer_of(deployment.profile)
        self.services = choose_services(deployment, discovery.listening)
        """service -> address and port at which the product offers it"""
        self.vip = self.services[self.offer.main]
        self._sockets = discovery.sockets
        self.pace = pace
        """how the test's long timer is judged, if it has one"""
        self.clock: FasterClock | None = None
        """the product's, where it does not run in real time"""
        if pace is not None and pace.how == "faster":
            seconds = [share * pace.span for share in IDLE_SHARES]
            self.clock = make_clock(self.vip, discovery.listening, seconds, pace.rate)
        controls = [control.port for control in self.clock.controls] if self.clock else []
        everyone, plan = lay_out(deployment, discovery, self.services, self.loop, self.history, routing)
        self.mocks = [server for server in everyone if server.host != DUT_HOST]
        self.fallbacks = [server for server in everyone if server.host == DUT_HOST]
        """servers on the balancer itself, for when no other is left"""
        self.servers = [server for server in self.mocks if server.active]
        rest = {server.address for server in discovery.servers if server.resting}
        resting = [server.name for server in self.mocks if not server.active and server.listen[0][0] in rest]
        told = discovery.check_counts
        self.unchecked = {server.name for server in self.mocks if told and server.name not in told}
        """servers that the product itself says it does not check, though it checks others"""
        self.security = security
        self.plan = plan
        modules = self.offer.equip(self)
        self.history.add("harness", "setup", deployment=deployment.id, vip=self.vip, seed=seed,
                         servers=[server.name for server in self.servers], resting=resting, declares=deployment.declares.shown,
                         ports=sorted({*(port for _, port in self.services.values()), *controls,
                                       *(port for s in everyone for _, port in s.listen)}),
                         addresses={s.name: s.listen for s in self.mocks}, hosts={s.name: s.host for s in everyone},
                         certificates={s.name: s.extra["certificate"]["fingerprint"] for s in everyone if "certificate" in s.extra},
                         services=self.services, arms=len(plan.networks), interfaces=interfaces(plan),
                         product=[text.partition("/")[0] for link in plan.host(DUT_HOST).links for text in link.addresses],
                         deadlines=table(deployment.declares.health_check))  # fmt: skip
        if pace is not None:
            self.history.add("harness", "pace", how=pace.how, span=pace.span, rate=pace.rate)
        self.broker: Broker = provider.start(plan, deployment.hosts, modules)
        self.broker.on_event = self._on_broker_event
        self.clients = self.offer.clients(self)
        self.clients.key_log = str(self._key_log)
        own = {text.partition("/")[0] for host in plan.hosts for link in host.links for text in link.addresses}
        self.sources = addresses.Sources(plan.host(CLIENT_HOST).prefixes, self.vip[0], self.random, own)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    # -- start and end ----------------------------------------------------------------------------

    def _start(self) -> None:
        self.loop.watch(self.broker.fileno(), READ, lambda _events: self.broker.pump())
        self._record()
        self.broker.request("log", host=DUT_HOST)
        for server in self._everyone:
            self._spawn_server(server)
        for server in self._everyone:
            self.wait(f"{server.name} listens", lambda s=server: s.count("listening") > 0, patience("ready"))
        self._furnish()
        if self.clock is None:
            self.driver.start(self.broker, self.deployment, self.files.output)
        else:
            self.driver.start(self.broker, self.deployment, self.files.output, clock=self.clock)
        self.wait_ready()
        if self.clock is not None:
            # On its clock a check waits for milliseconds: what it finds would be our own lateness.
            self.driver.rest_checks(self.broker)
        else:
            self._await_first_checks()
        self._lag.take()

    def _record(self) -> None:
        """Begin the capture."""
        with self.files.capture.open("wb") as file:
            self.broker.request("capture", [file.fileno()])

    def _spawn_server(self, server: MockServer) -> None:
        server.attach(*self.broker.mock(server.host, server.kind, server.config))

    def start_server(self, server: MockServer) -> None:
        """Start a server's process again and wait until it listens."""
        self._spawn_server(server)
        self.wait(f"{server.name} listens", lambda: server.count("listening") > 0, patience("ready"))

    def _furnish(self) -> None:
        """Put the DUT's folder and `files` in place and run its `network.setup`."""
        certificates = furnish(self.broker, self.deployment, self.driver.product.folder, self.files.output)
        if certificates:
            self.history.add("harness", "furnished", certificates=certificates)

    def wait_ready(self) -> None:
        """Ready is when the VIP accepts; an exit status says nothing (a daemon's parent ends with 0)."""
        if not self._sockets:
            self.driver.ready(self.broker, self.deployment, self.files.output)
            self.ready_at = time.monotonic()
            return
        deadline = patience("ready")
        while missing := self._not_listening():
            if deadline.expired or self.trouble:
                output = self.files.output.read_text(errors="replace").strip()[-2000:] if self.files.output.exists() else ""
                raise DriverError(f"nothing listens on {missing[0]} port {missing[1]} after {deadline.seconds:g} s: {output}")
            self.broker.request("tick")
        self.ready_at = time.monotonic()

    def _not_listening(self) -> tuple[str, int] | None:
        """One of the product's sockets that does not accept yet."""
        listening = {tuple(pair) for pair in self.broker.request("listening", host=DUT_HOST)["listening"]}
        for address, port in self.services.values():
            wild = "::" if ":" in address else "0.0.0.0"
            if not listening & {(address, port), (wild, port), ("::", port)}:
                return address, port
        return None

    def _await_first_checks(self) -> None:
        """Begin when each server has been checked once, or would have been.

        HAProxy takes all servers for well until then, and spreads the first checks over the interval: users who come meanwhile
        would stay on a server that is checked wrongly, or be moved, by how fast this machine is.
        """
        check = self.declares.health_check
        if check.passive or not check.declared:
            return
        waiting = [server for server in self.servers if server.name not in self.unchecked]
        self.watch("the product checks its servers", lambda: all(server.count("accept") for server in waiting),
                   Deadline("first check", check.inter, self.ready_at + check.inter))  # fmt: skip

    def close(self) -> None:
        """End the lab and wait until nothing of it is left."""
        self.clients.close()
        for server in self._everyone:
            server.running = False
        self.loop.close()
        try:
            self.broker.close()
            enclose_secrets(self.files.capture, self._key_log)
        finally:
            self.history.close()

    @property
    def _key_log(self) -> Path:
        return self.files.capture.with_suffix(".keys")

    @property
    def _everyone(self) -> list[MockServer]:
        return [*self.mocks, *self.fallbacks]

    def open_sockets(self, visits: Sequence[Any]) -> list[socket.socket]:
        """A socket for each client, of its machine and bound to its address."""
        made: dict[int, socket.socket] = {}
        for host in dict.fromkeys(getattr(visit, "host", CLIENT_HOST) for visit in visits):
            theirs = [(n, v) for n, v in enumerate(visits) if getattr(v, "host", CLIENT_HOST) == host]
            wanted = [(visit.source, getattr(visit, "source_port", 0)) for _, visit in theirs]
            made |= zip((number for number, _ in theirs), self.broker.sockets(host, wanted), strict=True)
        return [made[number] for number in range(len(visits))]

    def _on_broker_event(self, event: dict[str, Any]) -> None:
        if event["event"] == "exit":
            stamp, name, status = event["t"], event["name"], event["status"]
            server = next((s for s in self._everyone if s.pid == event["pid"]), None)
            if server is not None:
                if server.running:
                    server.detach()
                    self.history.add("harness", "mock-died", stamp, server=server.name, status=status)
                    self.trouble = HarnessError(f"mock server {server.name} ended by itself ({_status(status)})")
            elif name == "capture":
                self.trouble = HarnessError(f"the capture ended by itself ({_status(status)})")
            else:
                self.history.add("dut", "exit", stamp, process=name, status=status)
        elif event["event"] == "log":
            self.history.add("dut", "log", event["t"], text=event["text"])

    @property
    def corpus(self) -> Sequence[Packet]:
        """First packets of the user's own clients. A test that asks for them sends them: the report says so."""
        self.took_corpus = bool(self._corpus)
        return self._corpus

    # -- given, when ------------------------------------------------------------------------------

    def visit(self, visits: Sequence[Intent], at_once: int = 50) -> list[Any]:
        """Make all visits, at most `at_once` under way, and wait for their outcomes."""
        made = self.clients.run(visits, at_once)
        self.check_trouble()
        return made

    def wait(self, what: str, done: Callable[[], bool], deadline: Deadline) -> None:
        """Wait for something of the harness's own; running into the deadline is a harness-error."""
        self._live(what, deadline)
        met = self.loop.run_until(lambda: done() or self.trouble is not None, deadline)
        self._live("", None)
        self.check_trouble()
        if not met:
            raise HarnessError(f"{what}: not within {deadline.seconds:g} s ({deadline.name})")

    def echo(self, sessions: Sequence[Any], phase: str) -> None:
        """Have each held session echo a PDU, or ask its server once more; an `echo` event says whether that was answered."""
        self.offer.echo(sessions, phase, self.history,
                        lambda done: self.watch(f"sessions echo ({phase})", done, patience("answer")))  # fmt: skip

    def note_keepalive(self) -> list[float]:
        """Record when the DUT host's kernel will send keepalives; returns the seconds, for each connection that will."""
        found: list[dict[str, Any]] = []

        def acknowledged() -> bool:
            # Until then another timer runs in the keepalive's place.
            found[:] = self.broker.request("connections", host=DUT_HOST)["connections"]
            return not any(one["timer"] == "retransmission" for one in found)

        self.watch("everything sent is acknowledged", acknowledged, patience("report"))
        self.history.add("dut", "timers", connections=found)
        return [one["due"] for one in found if one["timer"] == "keepalive"]

    def mature(self) -> None:
        """Wait until the product's process is old enough for a fair reload (catalogue 2.4)."""
        self.watch("the product's process is old enough", lambda: False, Deadline("mature", MATURE, self.ready_at + MATURE))

    def settle(self) -> None:
        """Wait until the product has had the time to check every server `fall` times.

        A fresh one may call a server dead sooner than it ever will again: HAProxy starts each one failure away from DOWN.
        """
        check = self.declares.health_check
        seconds = 0.0 if check.passive else check.fall * check.inter
        self.watch("every server has been checked", lambda: False, Deadline("settle", seconds, self.ready_at + seconds))

    def watch(self, what: str, done: Callable[[], bool], deadline: Deadline) -> bool:
        """Wait for something of the product's; whether it came is for the check to judge."""
        self._live(what, deadline)
        met = self.loop.run_until(lambda: done() or self.trouble is not None, deadline)
        self._live("", None)
        self.check_trouble()
        return met

    def every(self, interval: float, deadline: Deadline, what: str, action: Callable[[], None],
              until: Callable[[], bool] = lambda: False) -> None:  # fmt: skip
        """Do `action` every `interval` seconds until the deadline or `until`; lateness is caught up, not dropped."""
        self._live(what, deadline)
        due = time.monotonic()
        while not deadline.expired and not until():
            while due <= time.monotonic() and not deadline.expired:
                action()
                due += interval
                # Who came before must not wait while others are caught up with: that would be our delay, not the product's.
                self.loop.step(0.0)
            self.loop.step(max(0.0, min(due - time.monotonic(), deadline.remaining)))
            self.check_trouble()
        self._live("", None)

    def opened(self, server: MockServer, since: int) -> list[dict[str, Any]]:
        """The connections towards `server` since a time (ns), as captured on its link by now (see `flows.flows`).

        The first call decides how far back any other can look: reading all of a long capture would keep clients waiting.
        """
        if self._growing is None:
            self._growing = flows.Growing(self.files.capture, set(self.history.events[0]["ports"]), since)
        self.broker.request("capture_sync")
        return self._growing.read().on(f"{server.host}:eth0", since)

    def mark(self, name: str) -> dict[str, Any]:
        """Note in the history where a phase of the test begins; returns the event."""
        return self.history.add("harness", "mark", name=name)

    def check_trouble(self) -> None:
        if self.trouble:
            raise self.trouble

    def server(self, name: str) -> MockServer:
        return next(server for server in self._everyone if server.name == name)

    def is_connected(self, session: Connection) -> bool:
        """Whether its server still has the connection of this session."""
        if session.server is None:
            return False
        return any(number & 0xFFF == session.connection for number in self.server(session.server).connected)

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        """`items` in an order that the seed decides."""
        return self.random.sample(list(items), len(items))

    # -- then -------------------------------------------------------------------------------------

    def judge(self, check: Callable[..., Finding], **parameters: Any) -> Finding:
        """Complete the history and judge it. The verdict is kept for the report; nothing is raised."""
        self._complete_history()
        self.history.add("harness", "judged", check=check.__name__, parameters=parameters)
        finding = self._trusted(check(self.history, **parameters))
        self.findings.append(finding)
        self.history.add("harness", "finding", verdict=finding.verdict, observed=finding.observed)
        return finding

    def need_servers(self, count: int) -> None:
        """End as not-run where the deployment has fewer real servers than the requirement is about."""
        if len(self.servers) < count:
            self.end(Verdict.NOT_RUN, f"the deployment has {len(self.servers)} real server(s); this needs {count}")

    def end(self, verdict: Verdict, reason: str) -> None:
        """Stop here with a verdict other than pass (blocked, not-run)."""
        raise Ended(verdict, reason)

    def _complete_history(self) -> None:
        for server in self._everyone:
            if server.running and not server.stopped:
                before = server.count("lag")
                server.tell("lag")
                self.wait(f"report of {server.name}", lambda s=server, b=before: s.count("lag") > b, patience("report"))
        self.history.add("harness", "lag", lags=self._lag.take())
        self.history.add("lab", "lag", lags=self.broker.request("lag")["lags"])
        counts = self.broker.request("capture_sync")
        self.history.add("capture", "counts", **counts)
        if not self._capture_read:
            self._capture_read = True
            ports = set(self.history.events[0]["ports"])
            for flow in flows.flows(self.files.capture, ports):
                self.history.add("capture", "flow", flow.pop("t"), **flow)
        self.history.flush()

    def _trusted(self, finding: Finding) -> Finding:
        """A finding that our own lateness or losses could have made is none."""
        if finding.verdict in (Verdict.BLOCKED, Verdict.NOT_RUN):
            return finding
        counts = self.history.last("counts")
        if finding.silence and counts and counts["dropped"]:
            return _distrusted(finding, f"the capture lost {counts['dropped']} packets")
        if finding.window:
            start, end = finding.window
            late = max((lag for event in self.history.of("lag") for t, lag in event["lags"] if start <= t <= end + lag * 1e9),
                       default=0.0)  # fmt: skip
            if late > finding.margin * LAG_SHARE:
                return _distrusted(finding, f"machine too slow: the harness woke up {late:.3f} s late, "
                                            f"allowed {finding.margin * LAG_SHARE:.3f} s")  # fmt: skip
        return finding


def _distrusted(finding: Finding, reason: str) -> Finding:
    from dataclasses import replace

    return replace(finding, verdict=Verdict.HARNESS_ERROR, reason=reason, observed=f"{reason}. {finding.observed}")


def _status(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


def interfaces(plan: Plan) -> dict[str, dict[str, list[str]]]:
    """The addresses of each host's interfaces."""
    return {host.name: {link.name: [text.partition("/")[0] for text in link.addresses] for link in host.links} for host in plan.hosts}


def lay_out(
    deployment: Deployment, discovery: Discovery, services: dict[str, tuple[str, int]], loop: Loop, history: History,
    routing: str | None = None,
) -> tuple[list[MockServer], Plan]:  # fmt: skip
    """The mock servers, those that take new users first, those on the balancer itself last, and the plan that a deployment asks for."""
    offer = offer_of(deployment.profile)
    vip = services[offer.main]
    listen: dict[str, list[tuple[str, int]]] = {}
    names: dict[str, str] = {}
    active: set[str] = set()
    local: list[Server] = []
    for server in sorted(discovery.servers, key=lambda server: not server.active):
        if server.address.startswith("127.") or server.address == "::1":
            local.append(server)
            continue
        if server.active:
            active.add(server.address)
        # A server without a port of its own gets clients on the port that they chose.
        ports = [server.port] if server.port else list(dict.fromkeys(port for _, port in services.values()))
        pairs = listen.setdefault(server.address, [])
        pairs += [(server.address, port) for port in ports if (server.address, port) not in pairs]
        names.setdefault(server.address, server.name)
    if not active:
        raise DriverError(f"{deployment.config}: the product names no real server that takes users of {vip[0]} port {vip[1]}")
    if len(listen) > MAX_SERVERS:
        raise DriverError(f"{deployment.config}: {len(listen)} real servers; the lab has room for {MAX_SERVERS}")
    shown: set[str] = set()
    servers = []
    for index, (address, pairs) in enumerate(listen.items(), start=1):
        host = f"{offer.stem}{index}"
        name = names[address]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", name) or name in shown:
            name = host
        shown.add(name)
        servers.append(MockServer(name, index, pairs, loop, history, address in active, host, offer.mock))
    network = deployment.network
    if network.get("direct_return"):
        # Users' packets come with the VIP as their destination; checks come to the server's own address.
        for server in servers:
            server.listen += [pair for pair in dict.fromkeys(services.values()) if pair not in server.listen]
    own = ("0.0.0.0", "::", "::1")
    vips = list(dict.fromkeys([vip[0], *(ip for ip, _ in discovery.listening if ip not in own and not ip.startswith("127."))]))
    try:
        plan = make_plan(
            vips,
            {server.host: server.listen[0][0] for server in servers},
            networks=[network[key] for key in ("front", "back") if key in network],
            dut_addresses=network.get("addresses", []),
            clients=network.get("clients", []),
            gateway=network.get("gateway", False),
            direct_return=network.get("direct_return", False),
            neighbour=routing == "neighbour",
            bypass=[server.host for server in servers[: {"bypass": 1, "bypass-all": len(servers)}.get(routing or "", 0)]],
        )
    except PlanError as error:
        raise DriverError(f"{deployment.config}: {error}") from None
    if offer.fallback and (room := range(len(servers) + 1, MAX_SERVERS + 1)):
        taken = set(discovery.listening)
        pairs = list(dict.fromkeys((server.address, server.port) for server in local if server.port))
        # One that the product itself listens on is the product's own business.
        if pairs := [pair for pair in pairs if pair not in taken]:
            servers.append(MockServer("fallback", room[0], pairs, loop, history, False, DUT_HOST, offer.mock))
    return servers, plan


__all__ = ["Ended", "Files", "HarnessError", "Lab", "LabError"]
