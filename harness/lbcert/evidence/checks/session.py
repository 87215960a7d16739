"""RDP-SESS: live sessions, when clients go, an administrator acts, or nothing happens for long."""

from __future__ import annotations

from collections import defaultdict

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from ..statistics import ERROR_RATE, chance_to_repeat
from . import served

_SECOND = 1_000_000_000
_KINDS = {"fin": "FIN", "rst": "RST"}
ON_EACH = 20
"""sessions that must be held on every server before one is drained (catalogue)"""
IDLE_PROMISED = 3600.0
"""s that a session may be idle at least (the article's timeouts); a keepalive after that keeps nothing alive"""
LOOK = 20.0
"""s that a test waits for a keepalive at most"""


class Sides:
    """The two connections of a session, as captured: on the client's link, and on its server's."""

    def __init__(self, history: History):
        self._requests = served.Requests(history)
        self._history = history
        self._accepted = {(event["who"], event["conn"]): event for event in history.of("accept")}
        self._flows: dict[tuple, list[Event]] = defaultdict(list)
        for flow in history.of("flow"):
            self._flows[flow["link"], flow["client"], flow["cport"]].append(flow)

    def client(self, visit: Event) -> Event | None:
        return self._last("client:eth0", visit["source"], visit["port"], visit["answered"])

    def peer(self, visit: Event) -> tuple[str, int, int] | None:
        """The DUT's end of the connection to the server, and when that was accepted."""
        record = self._requests.of(visit)
        accepted = self._accepted.get((record["who"], record["conn"])) if record else None
        return (*accepted["peer"][:2], accepted["t"]) if accepted else None

    def server(self, visit: Event) -> Event | None:
        peer = self.peer(visit)
        if peer is None:
            return None
        return self._last(served.link_of(self._history, visit["server"]), *peer)

    def _last(self, link: str, address: str, port: int, until: int) -> Event | None:
        """Ports are used again: the last connection that had begun by then is meant."""
        begun = [flow for flow in self._flows[link, address, port] if flow["t"] <= until]
        return begun[-1] if begun else None


def ending(flow: Event | None, side: str) -> int | None:
    """When a FIN or RST first went to `side` (client, server) on a captured connection."""
    stamps = [flow[key] for key in (f"fin_to_{side}", f"rst_to_{side}") if key in flow] if flow else []
    return min(stamps, default=None)


def echoes_of(history: History) -> dict[tuple[int, str], bool]:
    """(visit, phase) -> whether that session echoed."""
    return {(event["visit"], event["phase"]): event["ok"] for event in history.of("echo")}


def _unfit(history: History, held: list[Event]) -> str | None:
    """Why these sessions cannot be judged: some had no server, or were dead before anything was done."""
    served.some(held, "held session")
    sides, echoes = Sides(history), echoes_of(history)
    lost = [visit for visit in held if sides.peer(visit) is None]
    if lost:
        return (f"{len(lost)} of {len(held)} users could not hold a session ({served.name_of(lost[0])}: "
                f"{served.outcome_text(lost[0])}), which RDP-PERSIST-01 and -13 are about")  # fmt: skip
    silent = [visit for visit in held if not echoes[visit["visit"], "begin"]]
    if silent:
        return f"{len(silent)} of {len(held)} sessions carried no data before anything was done, which RDP-PARSE-02 is about"
    return None


def departures_are_passed_on(history: History) -> Finding:
    """RDP-SESS-02: a client's FIN or RST reaches its server within a second.

    Visits `fin` and `rst`: sessions whose client left in that way. Both times are from the capture: the packet on the
    client's link, and the first FIN or RST towards the server on the server's link. A RST may become a FIN.
    """
    tally = Tally("When a client closes its session or is reset, its server is told (FIN or RST) within "
                  f"{deadlines.CLOSE_WITHIN:g} s.")  # fmt: skip
    gone = [visit for label in _KINDS for visit in served.some(served.visits(history, label), f"visit {label}")]
    if reason := _unfit(history, gone):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    sides = Sides(history)
    seen: dict[str, list[float]] = {label: [] for label in _KINDS}
    left: list[int] = []
    for visit in gone:
        kind = _KINDS[visit["label"]]
        who = f"{served.name_of(visit)} on {visit['server']}"
        away = (sides.client(visit) or {}).get(f"{visit['label']}_to_server")
        if away is None:
            raise ValueError(f"the capture holds no {kind} of {served.name_of(visit)}")
        left.append(away)
        told = ending(sides.server(visit), "server")
        took = None if told is None else (told - away) / _SECOND
        if took is None:
            tally.faults.append(f"{who}: the {kind} never reached the server")
        elif took < 0:
            tally.faults.append(f"{who}: closed towards the server {-took:.2f} s before the client left")
        else:
            seen[visit["label"]].append(took)
            if took > deadlines.CLOSE_WITHIN:
                tally.faults.append(f"{who}: the {kind} reached the server after {took:.2f} s")
    observed = "; ".join(
        f"{kind}: {len(seen[label])} of {len(served.visits(history, label))} reached the server"
        + (f", the slowest after {max(seen[label]):.3f} s" if seen[label] else "")
        for label, kind in _KINDS.items()
    )
    slowest = max((took for each in seen.values() for took in each), default=None)
    measured = [] if slowest is None else [{"id": "close-passed-on", "value": slowest, "unit": "s", "error": 0.001,
                                            "requirement": "RDP-SESS-02"}]  # fmt: skip
    end = max(left) + int((deadlines.CLOSE_WITHIN + deadlines.MARGIN) * _SECOND)
    return tally.finding(observed, window=(min(left), end), margin=deadlines.CLOSE_WITHIN, silence=True,
                         measurements=tuple(measured))  # fmt: skip


def _cut(sides: Sides, visit: Event, since: list[Event]) -> str:
    """How a held session that no longer echoes ended, in words: the product's close after the last act before it."""
    stamps = [stamp for stamp in (ending(sides.client(visit), "client"), ending(sides.server(visit), "server")) if stamp]
    who = f"{served.name_of(visit)} on {visit['server']}"
    if not stamps:
        return f"{who}: the session carries no data any more, though nobody closed it"
    before = [act for act in since if act["begun"] <= min(stamps)]
    if not before:
        return f"{who}: the session was closed before the administrator did anything"
    act = before[-1]
    return f"{who}: the session was closed {(min(stamps) - act['begun']) / _SECOND:.2f} s after the {act['action']}"


def _survivors(history: History, tally: Tally, held: list[Event], phases: tuple[str, ...]) -> int:
    """Count sessions that echoed in all phases; the others become faults."""
    sides, echoes, acts = Sides(history), echoes_of(history), list(history.of("admin"))
    alive = 0
    for visit in held:
        if all(echoes[visit["visit"], phase] for phase in phases):
            alive += 1
        else:
            tally.faults.append(_cut(sides, visit, acts))
    return alive


def drain_harms_nobody(history: History) -> Finding:
    """RDP-SESS-04: draining a server and putting it back cuts no session; no new user comes meanwhile, but afterwards.

    Visits: `held` sessions on every server; while drained `known` (users of that server) and `new` ones; `back`, new
    users after it was put back.
    """
    drained, ready = history.last("admin", action="drain"), history.last("admin", action="ready")
    assert drained is not None and ready is not None
    name = drained["server"]
    tally = Tally(f"While {name} is drained, no new user reaches it and every session lives on, there and elsewhere; "
                  "when it is put back, sessions still live and new users reach it again.")  # fmt: skip
    held = served.visits(history, "held")
    if reason := _unfit(history, held):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    there = served.counts([visit["server"] for visit in held], served.servers(history))
    if few := [f"{server} {count}" for server, count in there.items() if count < ON_EACH]:
        reason = f"sessions on {', '.join(few)} of {ON_EACH} that are needed on each server, which RDP-PERSIST-03 is about"
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    alive = _survivors(history, tally, held, ("drained", "end"))
    requests = served.Requests(history)
    new = served.some(served.visits(history, "new"), "new user while the server was drained")
    known = served.visits(history, "known")
    for visit in [*new, *known]:
        if requests.server(visit) is None:
            tally.faults.append(f"{served.name_of(visit)}, while {name} was drained: {served.outcome_text(visit)}")
    wrong = [visit for visit in new if requests.server(visit) == name]
    if wrong:
        tally.faults.append(f"{len(wrong)} of {len(new)} new users reached {name} while it was drained")
    back = served.some(served.visits(history, "back"), "new user after the server was put back")
    again = sum(1 for visit in back if requests.server(visit) == name)
    if not again:
        tally.faults.append(f"{name} got none of {len(back)} new users after it was put back")
    kept = sum(1 for visit in known if requests.server(visit) == name)
    observed = (f"{alive} of {len(held)} sessions lived on; {len(wrong)} of {len(new)} new users reached {name} while it was "
                f"drained, {kept} of {len(known)} of its own users did; {again} of {len(back)} new users reached it "
                "afterwards")  # fmt: skip
    return tally.finding(observed)


def reload_keeps_sessions_and_users(history: History) -> Finding:
    """RDP-SESS-06: a reload leaves held sessions alone, and every user finds the same server as before.

    Visits: `held` sessions; `home`, users before the reload; `return`, the same users after it, in another order.
    """
    assert history.last("admin", action="reload") is not None
    tally = Tally("After the configuration was reloaded, held sessions go on and every user returns to the server of before.")
    held = served.visits(history, "held")
    if reason := _unfit(history, held):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    requests = served.Requests(history)
    before = served.some(served.visits(history, "home"), "visit before the reload")
    home = {visit["user"]: requests.server(visit) for visit in before}
    placed = served.counts([server for server in home.values() if server], served.servers(history))
    if sum(placed.values()) < len(home) or chance_to_repeat(placed.values()) > ERROR_RATE:
        numbers = ", ".join(f"{server} {count}" for server, count in placed.items())
        reason = (f"{len(home)} users on {numbers}: too uneven to tell persistence from chance, which RDP-PERSIST-03 is "
                  "about")  # fmt: skip
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    alive = _survivors(history, tally, held, ("reloaded", "end"))
    back = served.some(served.visits(history, "return"), "visit after the reload")
    same = 0
    for visit in back:
        server = requests.server(visit)
        if server is None:
            tally.faults.append(f"{served.name_of(visit)}, after the reload: {served.outcome_text(visit)}")
        elif server != home[visit["user"]]:
            was = home[visit["user"]]
            tally.faults.append(f"{served.name_of(visit)} reached {server} instead of {was} after the reload")
        else:
            same += 1
    observed = f"{alive} of {len(held)} sessions lived on; {same} of {len(back)} users returned to their server"
    return tally.finding(observed, Verdict.NON_STRICT)


def keepalive_is_sent(history: History) -> Finding:
    """RDP-SESS-07: silent sessions see TCP keepalives on both of their connections before an idle timeout can end them.

    Only packets make a pass. Where none came, the kernel's timers of the DUT host (event `timers`) tell never and too
    late from later than a test waits.
    """
    tally = Tally("On a silent session the product sends TCP keepalives, to the client and to the server, before the session "
                  f"may be ended as idle ({IDLE_PROMISED / 60:g} min).")  # fmt: skip
    held = served.visits(history, "held")
    if reason := _unfit(history, held):
        return Finding(Verdict.BLOCKED, tally.expected, reason, reason)
    sides, echoes = Sides(history), echoes_of(history)
    timers = _timers(history)
    quiet: dict[str, list[float]] = {"client": [], "server": []}
    later: list[float] = []
    for visit in held:
        if not echoes[visit["visit"], "end"]:
            tally.faults.append(f"{served.name_of(visit)} on {visit['server']}: the silent session was ended")
            continue
        for side, flow in (("client", sides.client(visit)), ("server", sides.server(visit))):
            if flow and f"keepalive_to_{side}" in flow:
                quiet[side].append(flow[f"quiet_to_{side}"] / _SECOND)
                continue
            end = ("remote", visit["source"], visit["port"]) if side == "client" else ("local", *sides.peer(visit)[:2])
            due = timers.get(end)
            if due is not None and LOOK < due < IDLE_PROMISED:
                later.append(due)
            else:
                tally.faults.append(f"{served.name_of(visit)}: no keepalive to the {side}, {_due_text(due)}")
    observed = "; ".join(
        f"keepalive to the {side} on {len(found)} of {len(held)} silent sessions"
        + (f", the first after {max(found):.2f} s or less" if found else "")
        for side, found in quiet.items()
    )
    if later and not tally.faults:
        reason = f"keepalives are due after {max(later):.0f} s of silence, longer than this test waits ({LOOK:g} s)"
        return Finding(Verdict.NOT_RUN, tally.expected, f"{observed}. {reason}", reason)
    first = max(quiet["client"] + quiet["server"], default=None)
    measured = [] if first is None else [{"id": "keepalive-after", "value": first, "unit": "s", "error": 0.01,
                                          "requirement": "RDP-SESS-07"}]  # fmt: skip
    return tally.finding(observed, Verdict.NON_STRICT, silence=bool(tally.faults), measurements=tuple(measured))


def _timers(history: History) -> dict[tuple, float]:
    """Seconds until the next keepalive of each connection of the DUT host that will have one, by either of its ends."""
    event = history.last("timers")
    return {(end, *connection[end]): connection["due"] for connection in (event["connections"] if event else ())
            if connection["timer"] == "keepalive" for end in ("local", "remote")}  # fmt: skip


def _due_text(due: float | None) -> str:
    if due is None:
        return "and the kernel will send none"
    if due > LOOK:
        return f"the kernel would send the first after {due:,.0f} s"
    return f"though the kernel was to send one after {due:.1f} s"
