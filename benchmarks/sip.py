"""SIP through HAProxy in front of a pool: registrations and logins per second, and clients held on TLS.

A registration is a REGISTER and its 200 on a TCP connection of its own, once without the capture of all links and once with it. A
login is three of them with NTLM, the last one signed by both ends. Every client has a source address of its own. SIPp, which is
in C and registers from one address, is driven through the same balancer at rising rates, until it reaches less than half of its
best: asked for too much it gets slower. The clients held are on port 5061, and at the end each asks its server once more.
Balancer, servers, capture and clients share this machine's cores: figures of the lab, not of a product. Memory is counted as
for RDP sessions.
"""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path

from _figures import Figures
from _labs import Bench, Unrecorded, below, memory_of, processor, processor_of

from lbcert.steps.calling import dial
from lbcert.clients.echo import ask_again
from lbcert.clients.sip import Register, SignedRegister
from lbcert.deadlines import patience
from lbcert.lab import Lab
from lbcert.security.login import Login
from lbcert.topology.plan import CLIENT_HOST
from lbcert.topology.probe import raise_file_limit
from lbcert.wire.talk import Speech

REGISTRATIONS, LOGINS, AT_ONCE, ROUNDS = 3_000, 600, 100, 5
HELD = 5_000
ROOM = 128.0
"""KiB of both ends together that one client held on TLS may take"""
SPARE = 300
MICRO = 1e6
SIPP = "/usr/bin/sipp"
RATES = (500, 1_000, 1_500, 2_000, 2_500, 3_000)
"""registrations per second that SIPp is asked for"""
SECONDS = 3
LOGIN = Login("alice", "Bluebell-27-Lantern")
SCENARIO = Path(__file__).parents[1] / "tests/peers/register.xml"
"""a registration as SIPp says it; the tests with real peers have the same"""


def rate(bench: Bench, lab: Lab, make: Callable[[int], Speech], count: int) -> tuple[float, float, float]:
    """Per second, and processor microseconds of the client and of all servers for each; `make` gives each client its Speech.

    All must be answered.
    """
    servers = [pid for pid, name in below(bench.zygote.process.pid).items() if "-fe" in name]
    calls = [dial(lab, "sip", source, speech=make(n)) for n, source in enumerate(lab.sources.several(count))]
    ours, theirs, began = processor(), sum(map(processor_of, servers)), time.monotonic()
    made = lab.clients.run(calls, AT_ONCE)
    took, ours, theirs = time.monotonic() - began, processor() - ours, sum(map(processor_of, servers)) - theirs
    if outcomes := {one.outcome for one in made} - {"answered"}:
        raise RuntimeError(f"outcomes other than answered: {outcomes}")
    return count / took, ours / count * MICRO, theirs / count * MICRO


def registered(figures: Figures, bench: Bench, lab: Lab, what: str) -> None:
    count, rounds = (REGISTRATIONS // 10, 2) if figures.quick else (REGISTRATIONS, ROUNDS)
    taken = [rate(bench, lab, lambda n: Register(user=f"u{n}"), count) for _ in range(rounds)]
    figures.add(f"REGISTER and 200, a TCP connection each, {what}", [one[0] for one in taken], "1/s", at_least=1_500.0)
    figures.add(f"processor time of the client, {what}", [one[1] for one in taken], "µs/registration")
    figures.add(f"processor time of the mock servers, {what}", [one[2] for one in taken], "µs/registration")


def options(lab: Lab, **more: object) -> None:
    """New connections are served with these options for SIP besides those that there are."""
    for server in lab.servers:
        before = server.count("options")
        server.tell("options", options={"sip": {**server.extra["options"]["sip"], **more}})
        lab.wait("the options", lambda s=server, b=before: s.count("options") > b, patience("report"))


def sipp_at(lab: Lab, wanted: int, seconds: int) -> float:
    """What SIPp reaches when asked for a rate; 0 where a call failed."""
    address, port = lab.services["sip"]
    source = lab.plan.host(CLIENT_HOST).links[0].addresses[0].partition("/")[0]
    output = os.memfd_create("sipp")
    argv = [SIPP, "-i", source, "-sf", "/etc/register.xml", "-t", "tn", "-m", str(wanted * seconds), "-r", str(wanted),
            "-nostdin", "-max_socket", "18000", f"{address}:{port}"]  # fmt: skip
    began, ended = time.monotonic(), []
    tell = lab.broker.on_event

    def on_event(event: dict) -> None:
        if event["event"] == "exit" and event["pid"] == pid:
            ended.append(event["status"])
        tell(event)

    lab.broker.on_event = on_event
    pid = lab.broker.request("spawn", [output], host=CLIENT_HOST, argv=argv, env={"TERM": "dumb", "HOME": "/tmp"})["pid"]
    lab.wait("SIPp has registered", lambda: bool(ended), patience("outcome", extra=20.0 * seconds))
    took = time.monotonic() - began
    lab.broker.on_event = tell
    said = os.pread(output, 1 << 22, 0).decode(errors="replace")
    os.close(output)
    good = re.findall(r"Successful call\s*\|\s*\d+\s*\|\s*(\d+)", said)
    return int(good[-1]) / took if good and ended == [0] else 0.0


def registrations(figures: Figures, bench: Bench, lab: Lab) -> None:
    registered(figures, bench, lab, "with capture")
    options(lab, auth="ntlm")
    count, rounds = (LOGINS // 10, 2) if figures.quick else (LOGINS, ROUNDS)
    taken = [rate(bench, lab, lambda n: SignedRegister(LOGIN), count) for _ in range(rounds)]
    figures.add("signed logins, a TCP connection each", [one[0] for one in taken], "1/s", at_least=100.0)
    figures.add("processor time of the client", [one[1] for one in taken], "µs/login")
    figures.add("processor time of the mock servers", [one[2] for one in taken], "µs/login")
    options(lab, auth="")
    if not os.access(SIPP, os.X_OK):
        figures.note("SIPp is not installed (Debian package sip-tester): nothing to stand beside")
        return
    lab.broker.put_files(CLIENT_HOST, {"/etc/register.xml": (SCENARIO.read_bytes(), 0o644)}, [])
    swept: dict[int, float] = {}
    for wanted in RATES[:2] if figures.quick else RATES:
        swept[wanted] = sipp_at(lab, wanted, SECONDS)
        if swept[wanted] < max(swept.values()) / 2:
            break
    best = max(swept, key=lambda wanted: swept[wanted])
    figures.add(f"SIPp's best over a sweep, asked for {best}", swept[best], "1/s")
    figures.note("SIPp was asked for, and reached: " + ", ".join(f"{wanted}: {got:.0f}" for wanted, got in swept.items()))


def possible(figures: Figures) -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = HELD // 10 if figures.quick else HELD
    most = max(1, (hard - SPARE) // 2)
    if most < wanted:
        figures.note(f"the hard limit of open files is {hard}, and HAProxy has two for each client: {most} are held")
    return min(wanted, most)


def hold(figures: Figures, bench: Bench, lab: Lab) -> None:
    count = possible(figures)
    names = {pid: name for pid, name in below(bench.zygote.process.pid).items() if "-fe" in name or name == "haproxy"}
    before = {pid: memory_of(pid) for pid in (os.getpid(), *names)}
    calls = [dial(lab, "sip-tls", source, speech=Register(user=f"u{n}", transport="TLS"), hold=True)
             for n, source in enumerate(lab.sources.several(count))]  # fmt: skip
    began = time.monotonic()
    made = lab.clients.run(calls, AT_ONCE)
    took = time.monotonic() - began
    grown = {pid: (memory_of(pid) - before[pid]) / count for pid in before}
    ask_again(made, "held", lab.history, lambda done: lab.loop.run_until(done, patience("outcome")))
    alive = sum(1 for event in lab.history.of("echo") if event["ok"])
    servers = sum(size for pid, size in grown.items() if "-fe" in names.get(pid, ""))
    figures.add(f"clients alive on TLS at the same time, of {count}", float(alive), "clients", at_least=float(count))
    figures.add("clients opened on TLS", count / took, "clients/s")
    figures.add("memory of both ends", grown[os.getpid()] + servers, "KiB/client", at_most=ROOM)
    figures.add("memory of the clients, and of what the history keeps", grown[os.getpid()], "KiB/client")
    figures.add("memory of the mock servers", servers, "KiB/client")
    figures.add("memory of HAProxy", sum(size for pid, size in grown.items() if names.get(pid) == "haproxy"), "KiB/client")


def main() -> None:
    figures = Figures(__doc__)
    if warning := raise_file_limit():
        figures.note(warning)
    bench = Bench("haproxy:ocs")
    try:
        lab = bench.lab(Unrecorded)
        registered(figures, bench, lab, "without capture")
        lab.close()
        lab = bench.lab()
        registrations(figures, bench, lab)
        lab.close()
        lab = bench.lab()
        hold(figures, bench, lab)
        lab.close()
    finally:
        bench.close()
    figures.save()


if __name__ == "__main__":
    main()
