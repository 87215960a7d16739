"""Requests per second over HTTP: many clients through HAProxy, one client process to nginx, and the mock web server alone.

First 2,000 clients, each from an address of its own with ten requests on one connection, through HAProxy with the client's address
kept, to the suite's own web servers, with capture and history: what a test has. An error is any request without a whole answer of
a server that reported it. Then nginx takes the servers' place, and one client process asks through the same HAProxy, without the
capture: how fast the client is. wrk, in C, does the same beside it. Last, wrk with one thread and 64 connections on a mock
web server's own machine, with the reports of every request read meanwhile. Clients, balancer and servers share the cores.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from _figures import Figures
from _labs import Bench, Unrecorded, processor

from lbcert.api import Ask, dial
from lbcert.deadlines import patience
from lbcert.evidence.checks.web_seen import exchanges
from lbcert.lab import Lab
from lbcert.topology.plan import CLIENT_HOST
from lbcert.topology.probe import raise_file_limit

CLIENTS, EACH, AT_ONCE = 2_000, 10, 100
TO_NGINX, IN_A_ROW, SIDE_BY_SIDE, ROUNDS = 200, 100, 64, 5
SECONDS = 5
"""of each run of wrk"""
NGINX, WRK = "/usr/sbin/nginx", "/usr/bin/wrk"
CONFIGURATION = """daemon off; worker_processes 1; error_log /dev/null; pid /run/origin.pid;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000; server {{ listen {address}:{port}; location / {{ return 200 "hello\\n"; }} }} }}
"""
MICRO = 1e6


def crowd(figures: Figures, bench: Bench, clients: int) -> None:
    """Many clients, every request checked at both ends."""
    lab = bench.lab()
    asks = [Ask(f"/page{number}") for number in range(EACH)]
    calls = [dial(lab, "http", source, asks=asks) for source in lab.sources.several(clients)]
    began = time.monotonic()
    lab.visit(calls, AT_ONCE)
    took = time.monotonic() - began
    lab.settle()
    lab._complete_history()
    seen = list(exchanges(lab.history))
    bad = [one for one in seen if one.request is None]
    figures.add("requests of clients with addresses of their own", float(len(seen)), "requests")
    figures.add("of these without the whole answer of a server that saw it", float(len(bad)), "requests", at_most=0.0)
    figures.add("own client, HAProxy, own servers, capture", len(seen) / took, "requests/s")
    figures.add("packets that the capture lost", float(lab.broker.request("capture_sync")["dropped"]), "packets")
    lab.close()


def to_nginx(figures: Figures, bench: Bench, clients: int, rounds: int) -> None:
    """One client process, and wrk in turns, to nginx behind HAProxy."""
    lab = bench.lab(Unrecorded)
    for server in lab.servers:
        server.running = False
        lab.broker.kill(server.pid)
        server.detach()
        (address, port), *_ = server.listen
        text = CONFIGURATION.format(address=address, port=port).encode()
        lab.broker.put_files(server.host, {"/etc/nginx/origin.conf": (text, 0o644)}, ["/var/lib/nginx", "/var/log/nginx"])
        spawn(lab, server.host, [NGINX, "-c", "/etc/nginx/origin.conf"], bench.folder / f"{server.name}.nginx")
        deadline = patience("ready")
        while [address, port] not in lab.broker.request("listening", host=server.host)["listening"] and not deadline.expired:
            lab.broker.request("tick")
    lab.settle()
    rates, costs, others = [], [], []
    asks = [Ask("/") for _ in range(IN_A_ROW)]
    for _ in range(rounds):
        if Path(WRK).exists():
            others.append(wrk(lab, CLIENT_HOST, lab.vip, bench.folder))
        calls = [dial(lab, "http", source, asks=asks) for source in lab.sources.several(clients)]
        used, began = processor(), time.monotonic()
        made = lab.clients.run(calls, SIDE_BY_SIDE)
        took, used = time.monotonic() - began, processor() - used
        if wrong := {one.outcome for one in made if one.outcome != "anonymous"}:
            raise RuntimeError(f"outcomes other than whole answers: {wrong}")
        rates.append(clients * IN_A_ROW / took)
        costs.append(used / clients / IN_A_ROW * MICRO)
    if others:
        figures.add("wrk, HAProxy, nginx", others, "requests/s")
    figures.add("own client, HAProxy, nginx", rates, "requests/s", at_least=3000.0)
    figures.add("processor time of the own client", costs, "µs/request")
    lab.close()


def mock_alone(figures: Figures, bench: Bench, rounds: int) -> None:
    """wrk on the machine of a mock web server."""
    lab = bench.lab(Unrecorded)
    server = lab.servers[0]
    rates = [wrk(lab, server.host, server.listen[0], bench.folder) for _ in range(rounds)]
    figures.add("wrk -t1 -c64, a mock web server", rates, "requests/s", at_least=4000.0)
    lab.close()


def wrk(lab: Lab, host: str, place: tuple[str, int], folder: Path) -> float:
    """Requests per second by wrk's own count; reports of the servers are read meanwhile."""
    output = folder / "wrk"
    spawn(lab, host, [WRK, "-t1", "-c64", f"-d{SECONDS}", f"http://{place[0]}:{place[1]}/"], output)
    lab.wait("wrk", lambda: b"Requests/sec" in output.read_bytes(), patience("outcome", SECONDS))
    said = output.read_text()
    if "Non-2xx" in said or "Socket errors" in said or not (found := re.search(r"Requests/sec:\s+([\d.]+)", said)):
        raise RuntimeError(f"wrk: {said}")
    return float(found[1])


def spawn(lab: Lab, host: str, argv: list[str], output: Path) -> None:
    with output.open("wb") as file:
        lab.broker.request("spawn", [file.fileno()], host=host, argv=argv)


def main() -> None:
    figures = Figures(__doc__)
    clients, rounds = (CLIENTS // 10, 2) if figures.quick else (CLIENTS, ROUNDS)
    if warning := raise_file_limit():
        figures.note(warning)
    bench = Bench("haproxy:tproxy")
    try:
        crowd(figures, bench, clients)
        if Path(NGINX).exists():
            to_nginx(figures, bench, TO_NGINX // (10 if figures.quick else 1), rounds)
        else:
            figures.note("nginx is not installed: no figures of a client to an nginx origin")
        if shutil.which(WRK):
            mock_alone(figures, bench, rounds)
        else:
            figures.note("wrk is not installed: no figures of a mock web server alone")
    finally:
        bench.close()
    figures.save()


if __name__ == "__main__":
    main()
