"""RDP handshakes per second through HAProxy, each from a source address and with a user of its own.

A handshake: connect, Connection Request, Connection Confirm, close. The suite's client (one event loop, kernel stamps, a
history on disk) and a client in C that records nothing take turns, with mock servers in C behind HAProxy, so that both meet the
same machine and the same product. Once without the capture of all links and once with it. Then the suite as a test has it: with
its own mock servers. Balancer, servers, capture and clients share this machine's cores: figures of the lab, not of a product.
"""

from __future__ import annotations

import time

import _native
from _figures import Figures
from _labs import Bench, Unrecorded, processor

from lbcert.clients.rdp import Visit
from lbcert.lab import Lab
from lbcert.topology.probe import raise_file_limit

VISITS, AT_ONCE, ROUNDS = 3_000, 100, 5
ENOUGH = 0.5
"""of the C client's rate is what the suite's client must reach"""
MICRO = 1e6


def visitors(lab: Lab, count: int) -> list[tuple[str, str]]:
    """Source addresses and users that this lab has not seen yet."""
    sources = lab.sources.several(count)
    return [(source, f"user{source.replace('.', '')}") for source in sources]


def ours(lab: Lab, count: int) -> tuple[float, float]:
    """(handshakes per second, processor microseconds of the client for each) of the suite's client; all must be answered."""
    wanted = [Visit(source, user) for source, user in visitors(lab, count)]
    used, began = processor(), time.monotonic()
    made = lab.clients.run(wanted, AT_ONCE)
    took, used = time.monotonic() - began, processor() - used
    if any(one.outcome != "answered" for one in made):
        raise RuntimeError(f"outcomes other than answered: { {one.outcome for one in made} }")
    return count / took, used / count * MICRO


def theirs(lab: Lab, program, count: int) -> tuple[float, float]:
    """The same of the C client."""
    said = _native.run_client(lab, program, visitors(lab, count), AT_ONCE)
    return count / said["seconds"], said["processor"] / count * MICRO


def beside(figures: Figures, bench: Bench, programs, kind: type[Lab], what: str, count: int, rounds: int) -> list[float]:
    """Both clients in turns; returns the C client's rates."""
    lab = bench.lab(kind)
    _native.replace_servers(lab, programs["server"])
    pairs = [(theirs(lab, programs["client"], count), ours(lab, count)) for _ in range(rounds)]
    figures.add(f"C client, C servers, {what}", [c[0] for c, _ in pairs], "handshakes/s")
    figures.add(f"the suite's client, C servers, {what}", [own[0] for _, own in pairs], "handshakes/s")
    figures.add(f"share of the C client's rate, {what}", [own[0] / c[0] for c, own in pairs], "", at_least=ENOUGH)
    figures.add(f"processor time of the C client, {what}", [c[1] for c, _ in pairs], "µs/handshake")
    figures.add(f"processor time of the suite's client, {what}", [own[1] for _, own in pairs], "µs/handshake")
    if kind is Lab:
        figures.add("packets that the capture lost", float(lab.broker.request("capture_sync")["dropped"]), "packets")
    lab.close()
    return [c[0] for c, _ in pairs]


def main() -> None:
    figures = Figures(__doc__)
    count, rounds = (VISITS // 10, 2) if figures.quick else (VISITS, ROUNDS)
    if warning := raise_file_limit():
        figures.note(warning)
    bench = Bench("haproxy:rdp-sticktable")
    try:
        try:
            programs = _native.compiled(bench.folder)
            beside(figures, bench, programs, Unrecorded, "without capture", count, rounds)
            beside(figures, bench, programs, Lab, "with capture", count, rounds)
        except _native.NoCompiler as error:
            figures.note(str(error))
        lab = bench.lab()
        pairs = [ours(lab, count) for _ in range(rounds)]
        figures.add("the suite as a test has it: own client, own servers, capture", [rate for rate, _ in pairs], "handshakes/s")
        lab.close()
    finally:
        bench.close()
    figures.save()


if __name__ == "__main__":
    main()
