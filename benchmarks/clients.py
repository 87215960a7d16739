"""What the RDP clients can do: connections per second (connect, request, Confirm, leave) and sessions held at once.

Straight to a mock server, through the scripted balancer, and through HAProxy. Balancer, servers, capture and clients share this
machine's cores, so these are figures of the lab, not of a product.
"""

from __future__ import annotations

import time

from _labs import Bench, arguments, figure

from lbcert.clients.rdp import RdpClients, Visit
from lbcert.deadlines import patience
from lbcert.lab import Lab
from lbcert.topology.probe import raise_file_limit

VISITS, AT_ONCE = 10_000, 100
HELD, STEP = 8_000, 1_000


def rate(lab: Lab, clients: RdpClients, visits: int) -> float:
    """Visits per second; all of them must be answered."""
    wanted = [Visit(source, f"user{number % 500}") for number, source in enumerate(lab.sources.several(visits))]
    began = time.monotonic()
    made = clients.run(wanted, AT_ONCE)
    took = time.monotonic() - began
    assert all(one.outcome == "answered" for one in made), {one.outcome for one in made}
    return visits / took


def held(lab: Lab, clients: RdpClients, most: int, step: int) -> int:
    """Sessions that are alive at the same time, each proved by an echo; at most `most`."""
    alive = []
    while len(alive) < most:
        more = clients.run([Visit(source, f"user{n}", hold=True) for n, source in enumerate(lab.sources.several(step))], AT_ONCE)
        alive += [one for one in more if one.alive]
        if not all(one.alive for one in more):
            break
    for one in alive:
        one.send(b"alive?")
    lab.loop.run_until(lambda: all(one.echoed for one in alive), patience("outcome"))
    return sum(1 for one in alive if one.echoed and one.alive)


def direct(lab: Lab) -> RdpClients:
    server = lab.servers[0]
    return RdpClients(lab.loop, lab.history, server.listen[0], lab.clients._open, {server.index: server.name})


def measure(name: str, reference: str, choose, quick: bool) -> None:
    bench = Bench(reference)
    try:
        lab = bench.lab()
        figure(f"{name}, connections", rate(lab, choose(lab), VISITS // 10 if quick else VISITS), "1/s")
        lab.close()
        lab = bench.lab()
        count = held(lab, choose(lab), HELD // 8 if quick else HELD, STEP)
        figure(f"{name}, sessions held at once (tried up to {HELD // 8 if quick else HELD})", count, "sessions")
        lab.close()
    finally:
        bench.close()


if __name__ == "__main__":
    hurry = arguments(__doc__).quick
    if warning := raise_file_limit():
        print(warning)
    measure("straight to a mock server", "ideal", direct, hurry)
    measure("through the scripted balancer", "ideal", lambda lab: lab.clients, hurry)
    measure("through HAProxy (rdp-sticktable)", "haproxy:rdp-sticktable", lambda lab: lab.clients, hurry)
