"""OCS-NET-02 to -04, OCS-ADMIN-03: the twelve ports of a pool, and the ports that nobody asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from ...deadlines import CONFIRM_WITHIN
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served

ALL_PORTS = 65_535
_AFTER = 1_000_000_000
"""ns after its outcome in which the server's record of a call may come, where no other call was made"""
_LIFE = {"accept", "eof", "close"}
"""events of a connection on which nobody has said anything"""


class Arrivals:
    """At which server and port calls came out that were made one after the other, answered or not.

    A call that nobody answered is found by its time, and told from health checks by what happened on the connection: what is
    seen before the first call is checks.
    """

    def __init__(self, history: History):
        self.answers = called.Answers(history)
        everyone = sorted(served.some(called.calls(history), "call"), key=lambda call: call["started"])
        mine = {(call["server"], call["conn"]) for call in everyone if self.answers.accept(call)}
        accepts: dict[tuple[str, int], Event] = {}
        kinds: dict[tuple[str, int], set[str]] = defaultdict(set)
        for event in history.events:
            if "conn" not in event or event["kind"] == "call":
                continue
            key = event["who"], event["conn"]
            if event["kind"] == "accept":
                accepts[key] = event
            elif event["kind"] not in _LIFE:
                kinds[key].add(event["kind"])

        def sort_of(key: tuple[str, int]) -> tuple[int, frozenset[str]]:
            return accepts[key]["local"][1], frozenset(kinds[key])

        first = everyone[0]["started"]
        checks = {sort_of(key) for key, accept in accepts.items() if accept["t"] < first}
        self._others = sorted((accept["t"], *key, accept["local"][1]) for key, accept in accepts.items()
                              if accept["t"] >= first and key not in mine and sort_of(key) not in checks)  # fmt: skip
        ends = [call["started"] for call in everyone[1:]] + [everyone[-1]["t"] + _AFTER]
        self._until = {call["call"]: min(end, call["t"] + _AFTER) for call, end in zip(everyone, ends, strict=True)}

    def place(self, call: Event) -> tuple[str, int] | None:
        """Server and port of `call`; None where it reached none."""
        if accept := self.answers.accept(call):
            return accept["who"], accept["local"][1]
        end = self._until[call["call"]]
        return next(((who, port) for t, who, _, port in self._others if call["started"] <= t < end), None)


def ports_are_open(history: History, ports: Mapping[str, int]) -> Finding:
    """OCS-NET-02: on each of `ports` (service -> port) every client reaches a Front End; which port there is OCS-NET-03."""
    arrivals, known = Arrivals(history), served.servers(history)
    waits = served.Waits(history)
    tally = Tally(f"On each of the {len(ports)} ports of the pool every client is answered by a Front End, within {CONFIRM_WITHIN:g} s.")
    good: Counter[str] = Counter()
    elsewhere = intercepted = 0
    for service, everyone in _by_service(history, ports).items():
        for call in everyone:
            place = arrivals.place(call)
            if place is not None and place[1] != ports[service] and place[0] in known:
                elsewhere += 1
                good[service] += 1
            elif (server := arrivals.answers.server(call)) in known:
                good[service] += 1
                if (took := waits.answer(call)) > CONFIRM_WITHIN:
                    tally.faults.append(f"port {ports[service]} ({service}): answered only after {took:.1f} s")
            elif server is None and place is not None and called.is_intercepted(history, call):
                intercepted += 1
                good[service] += 1
            elif server is not None:
                tally.faults.append(f"port {ports[service]} ({service}): answered by {server}, not by a Front End")
            else:
                tally.faults.append(f"port {ports[service]} ({service}): {called.outcome_text(call)}")
    observed = f"{sum(1 for service in ports if good[service])} of {len(ports)} ports lead to a Front End"
    if elsewhere:
        observed += f"; {elsewhere} clients were handed to another port there (OCS-NET-03)"
    if intercepted:
        observed += f"; the TLS of {intercepted} was done by somebody else (OCS-APP-02)"
    everyone = called.calls(history)
    window = (min(call["started"] for call in everyone), max(call["t"] for call in everyone)) if tally.faults else None
    return tally.finding(observed, window=window, margin=CONFIRM_WITHIN)


def ports_are_kept(history: History, ports: Mapping[str, int]) -> Finding:
    """OCS-NET-03: a client of each of `ports` (service -> port) comes out at the Front End's port of the same number."""
    arrivals = Arrivals(history)
    tally = Tally("Every client arrives at the Front End on the port that it chose.")
    kept, lost = 0, []
    for service, everyone in _by_service(history, ports).items():
        for call in everyone:
            place = arrivals.place(call)
            if place is None:
                lost.append(f"a client of port {ports[service]} arrived nowhere (OCS-NET-02): {called.outcome_text(call)}")
            elif place[1] != ports[service]:
                tally.faults.append(f"a client of port {ports[service]} was handed to port {place[1]} of {place[0]}")
            elif arrivals.answers.server(call) is None and not called.is_intercepted(history, call):
                lost.append(f"a client of port {ports[service]} was not answered (OCS-NET-02): {called.outcome_text(call)}")
            else:
                kept += 1
    observed = f"{kept} of {len(called.calls(history))} clients arrived on the port of their choice"
    if lost and not tally.faults:
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {lost[0]}", lost[0])
    return tally.finding(observed)


def listeners_agree(history: History, ports: Mapping[str, int]) -> Finding:
    """OCS-NET-04: the table `ports`, what the VIP has open and what leads to Front Ends are the same.

    Events: `scan` {tried, open}, `probe` {port, reached: [[server, port], ...]} for each open port beyond the table, and
    `listeners` {listening: [[address, port], ...]} as the product's kernel has them.
    """
    tally = Tally(f"The VIP has the {len(ports)} ports of the guide's table open, and no other leads to a Front End.")
    opened, extra = _scanned(history, ports)
    for service, port in ports.items():
        if port not in opened:
            tally.faults.append(f"port {port} ({service}) is in the table and not open")
    own = []
    for port, probe in extra.items():
        if probe["reached"]:
            server, there = probe["reached"][0]
            tally.faults.append(f"port {port} is not in the table and leads to port {there} of {server}")
        else:
            own.append(port)
    listening = Counter(port for _, port in next(history.of("listeners"))["listening"])
    usual = min((listening[port] for port in ports.values() if listening[port]), default=1)
    doubled = sorted(port for port in ports.values() if listening[port] > usual)
    there = {name: sorted({port for _, port in pairs}) for name, pairs in served.setup(history)["addresses"].items()}
    observed = f"{len(opened)} of {ALL_PORTS} ports are open on the VIP; Front Ends listen on "
    observed += ", ".join(str(number) for number in sorted({len(numbers) for numbers in there.values()}))
    observed += f"; beyond the table and not balanced: {_numbers(own)}; listened for twice: {_numbers(doubled)}"
    measured = {"id": "doubled-listeners", "value": len(doubled), "unit": "ports", "error": 0.0, "requirement": "OCS-NET-04"}
    return tally.finding(observed, measurements=(measured,))


def only_declared_ports_are_open(history: History, ports: Mapping[str, int], declared: Collection[int]) -> Finding:
    """OCS-ADMIN-03: besides `ports` and those that lead to a Front End, only `declared` ports are open. Events: as above."""
    tally = Tally("Every open port of the VIP is one of the pool's, leads to a Front End, or is declared for administration.")
    _, extra = _scanned(history, ports)
    for port, probe in extra.items():
        if not probe["reached"] and port not in declared:
            said = f", and says {probe['said']!r}" if probe.get("said") else ""
            tally.faults.append(f"clients reach port {port}, which is not declared{said}")
    shown = sorted(port for port, probe in extra.items() if port in declared)
    return tally.finding(f"{ALL_PORTS} ports tried; {len(extra)} open beyond the pool's; declared and reachable: {_numbers(shown)}")


def _scanned(history: History, ports: Mapping[str, int]) -> tuple[set[int], dict[int, Event]]:
    """Open ports, and the probe of each that is not of the pool."""
    scan = history.last("scan")
    if scan is None or scan["tried"] != ALL_PORTS:
        raise ValueError("the history holds no scan of all ports")
    opened = set(scan["open"])
    probes = {probe["port"]: probe for probe in history.of("probe")}
    return opened, {port: probes[port] for port in sorted(opened - set(ports.values()))}


def _by_service(history: History, ports: Mapping[str, int]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {service: [] for service in ports}
    for call in called.calls(history):
        found[call["service"]].append(call)
    for service, calls in found.items():
        served.some(calls, f"call of {service}")
    return found


def _numbers(ports: list[int]) -> str:
    return ", ".join(map(str, ports)) or "none"
