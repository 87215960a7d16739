"""The command `lbcert probe`: say what is going to be sent, ask, connect, judge, report."""

from __future__ import annotations

import argparse
import math
import random
import shlex
import socket
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..addresses import endpoint
from ..evidence.history import History
from ..loop import Loop
from ..report.errors import ReportError
from . import given, scheme
from .judge import JUDGED, judge
from .names import Names
from .options import FASTEST
from .record import Record
from .scheme import AT_ONCE, Scheme
from .visit import GIVE_UP, SERVED, Caller, Opener, open_socket

DONE, FAILED, INCOMPLETE, INTERRUPTED = 0, 1, 3, 130
WIDTH = 118
SENT = ("Each sends one RDP Connection Request, as a client does before any logon, begins TLS where the server chooses it, "
        "reads the server's certificate, and closes. Nobody is logged in, no password is known, and no session is touched. "
        "Servers may write failed connections to their logs.")  # fmt: skip
LEFT_BEHIND = ("A balancer with a table gives users that are not in it a server now, as their own next connection would, and "
               "keeps them there for as long as its timer says. If it goes by load, these may all come to the server that is "
               "the least loaded now: choose the users and the hour accordingly.")  # fmt: skip
SHOWN_EVERY = 0.5
"""s between two looks at how far it is"""


def probe(options: argparse.Namespace, opener: Opener | None = None, loop: Loop | None = None) -> int:
    """Probe one VIP; returns the exit status. `opener` and `loop` are a lab's, where it is done inside one."""
    vip = given.endpoint(options.vip)
    names, servers = given.users(options.users), given.servers(options.map) if options.map else {}
    _check_numbers(options)
    sources = options.source if opener else given.sources(options.source, vip[0])
    rng = random.Random(options.seed)
    count = len(set(servers.values())) if servers else options.servers
    plan = scheme.make(names, sources, count, rng)
    told = "\n".join(_told(options, vip, plan, count))
    print(told, flush=True)
    if not options.yes:
        _ask()
    record = Record(options.report_dir, options.vip)
    declares = {"servers": count, "fallback": options.fallback, "even": options.even, "sources": list(filter(None, sources))}
    record.begin(told, {key: value for key, value in declares.items() if value}, _command(options), options.seed)
    history = History(record.history)
    history.add("harness", "setup", vip=list(vip), servers=options.servers, map=servers, fallback=options.fallback,
                even=options.even, rate=options.rate, sources=list(sources), users=len(plan.users),
                rounds=plan.rounds)  # fmt: skip
    interrupted = False
    opener = opener or open_socket(socket.AF_INET6 if ":" in vip[0] else socket.AF_INET)
    caller = Caller(loop or Loop(), history, vip, opener, options.rate, _progress(plan.connections))
    try:
        _call(caller, plan, rng, history)
    except KeyboardInterrupt:
        interrupted = True
        history.add("client", "stopped", why="interrupted")
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        caller.close()
        history.close()
    findings = judge(history)
    status = _status([finding.verdict.value for finding in findings.values()], interrupted)
    report = record.end(findings, status)
    print("\n".join(_results(report, history)))
    print(f"\nreport: {record.run.folder / 'report.html'}")
    return status


def _check_numbers(options: argparse.Namespace) -> None:
    if not 0 < options.rate <= FASTEST or not math.isfinite(options.rate):
        raise ReportError("--rate", f"{options.rate:g} is not between 0 and {FASTEST:g} connections per second.",
                          "A live VIP is asked slowly.")  # fmt: skip
    if options.servers is not None and options.map is not None:
        raise ReportError("--servers", "--map tells the servers already.", "Give one of the two.")
    if options.servers is not None and not 1 <= options.servers <= 100:
        raise ReportError("--servers", f"{options.servers} is not between 1 and 100.", "Count the servers that are in service.")


def _gaps(options: argparse.Namespace, plan: Scheme, servers: int | None) -> Iterator[str]:
    """What cannot pass with what was given, known before anything is sent."""
    if servers is None:
        yield "RDP-PERSIST-01, -02, -03, -10 can fail and not pass, since how many servers there are is not known: --servers N"
    elif servers < 2:
        yield "RDP-PERSIST: it takes two servers"
    elif len(plan.users) < (fewest := scheme.needed(servers)):
        yield f"RDP-PERSIST-03: that takes {fewest} users with {servers} servers"
    if len(plan.users) < scheme.FEWEST:
        yield f"RDP-PERSIST-01: it can fail and not pass, since that takes {scheme.FEWEST} users"
    if len(plan.sources) < 2:
        yield "RDP-PERSIST-02: that takes --source ADDRESS twice or more"
    if options.fallback is None:
        yield "RDP-PERSIST-10: that takes --fallback balance or source"


def _told(options: argparse.Namespace, vip: tuple[str, int], plan: Scheme, servers: int | None) -> Iterator[str]:
    """What is going to happen, before it does."""
    address = endpoint(*vip)
    yield f"lbcert probe {options.vip}" + (f" (at {address})" if address != options.vip else "")
    yield f"  connections: {plan.connections}, at most {AT_ONCE} open at any time, at most {options.rate:g} per second"
    yield f"  duration:    about {_span(plan.connections / options.rate)}; Ctrl-C ends it at any time"
    some = f", drawn from the {plan.of} of the file" if plan.of > len(plan.users) else ""
    yield f"  users:       {len(plan.users)}{some}, each {plan.rounds} times from one address"
    if plan.roaming:
        yield f"               {len(plan.roaming)} of them once from each of {', '.join(plan.sources)}"
    yield f"  no name:     {plan.nameless + scheme.BARE} connections, since newer clients send none"
    yield from _wrapped(SENT, "  sent:        ")
    yield from _wrapped(LEFT_BEHIND, "  left behind: ")
    yield f"  stops:       by itself after {GIVE_UP} users in a row who got no certificate"
    for gap in _gaps(options, plan, servers):
        yield from _wrapped(gap, "  not judged:  ")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _ask() -> None:
    """Go on with a yes only."""
    if not sys.stdin.isatty():
        raise ReportError("lbcert probe", "it asks before the first packet, and there is no terminal to answer on.",
                          "Nothing was sent. If you may test this VIP, give --yes.")  # fmt: skip
    try:
        answer = input("\nIs this VIP yours to test, and shall it begin? [y/N] ")
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise ReportError("lbcert probe", "nothing was sent.", "It begins with the answer y only.")


def _call(caller: Caller, plan: Scheme, rng: random.Random, history: History) -> None:
    """All connections, as long as there is somebody there."""
    for part in plan.parts(rng):
        caller.run(part)
        outcome = history.last("visit")["outcome"]
        if part[0].phase == "look" and outcome != SERVED:
            why = f"the first connection got no certificate ({outcome}), so no other was made"
            history.add("client", "stopped", why=why)
        elif caller.given_up:
            why = f"{GIVE_UP} users in a row got no certificate (the last connection: {outcome}), so it stopped"
            history.add("client", "stopped", why=why)
        else:
            continue
        return


def _progress(count: int) -> Callable[[int], None]:
    """Says on a terminal how far it is, now and then."""
    began, said = time.monotonic(), 0.0

    def progress(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if sys.stderr.isatty() and now - said > SHOWN_EVERY:
            said = now
            print(f"\r\x1b[K{done} of {count} connections, {now - began:.0f} s", end="", file=sys.stderr, flush=True)

    return progress


def _status(found: list[str], interrupted: bool) -> int:
    if interrupted:
        return INTERRUPTED
    if "fail" in found:
        return FAILED
    return DONE if all(verdict == "pass" for verdict in found) else INCOMPLETE


def _results(report: dict[str, Any], history: History) -> Iterator[str]:
    names = Names(history)
    yield "\ncertificates that were seen (a map for --map):"
    for printed, name in names.by_certificate.items():
        yield f"  {printed} {name}    # {names.seen[printed]} connections"
    if not names.by_certificate:
        yield "  none"
    rows = {row["id"]: row for deployment in report["deployments"] for row in deployment["requirements"]}
    for requirement in JUDGED:
        row = rows[requirement]
        yield f"\n{requirement} {row['level']}, {row['verdict']}: {row['title']}"
        for label, text in (("seen:   ", row["tests"][0]["observed"]), ("reason: ", row["reason"])):
            if text:
                yield from _wrapped(text, f"    {label}")
        if row["verdict"] == "fail":
            yield from _wrapped(row["remedy"], "    remedy: ")
    yield f"\nnot-run: the other {len(rows) - len(JUDGED)} requirements of the profile are not judged through a live VIP"


def _wrapped(text: str, first: str) -> list[str]:
    plain = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    return textwrap.wrap(plain, WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_long_words=False,
                         break_on_hyphens=False) or [first]  # fmt: skip


def _command(options: argparse.Namespace) -> str:
    """The command line that repeats this run."""
    words = ["lbcert", "probe", options.vip, "--users", str(options.users)]
    for name in ("servers", "map", "fallback", "rate", "seed"):
        if (value := getattr(options, name)) is not None:
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    words += ["--even"] if options.even else []
    for source in options.source:
        words += ["--source", source]
    return shlex.join(words)
