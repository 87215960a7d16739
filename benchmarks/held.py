"""RDP sessions held at once through HAProxy, and the memory that both ends need for each.

Memory is what the client's process and the three mock servers have for themselves (private pages) with all sessions held, less
what they had before, over the number of sessions: sockets in Python, what the history keeps of each visit, the servers' sessions.
The kernel's buffers are not in it. At the end each session proves with an echo that it lives.
"""

from __future__ import annotations

import os
import resource
import time

from _figures import Figures
from _labs import Bench, below, memory_of

from lbcert.clients.rdp import Visit
from lbcert.deadlines import patience
from lbcert.lab import Lab
from lbcert.topology.probe import raise_file_limit

HELD, AT_ONCE = 9_000, 100
ROOM = 16.0
"""KiB of both ends that one held connection may take"""
SPARE = 300
"""descriptors that a process needs besides its connections"""


def possible(figures: Figures) -> int:
    """How many sessions the limit of open files allows: the balancer has two descriptors for each."""
    if warning := raise_file_limit():
        figures.note(warning)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = HELD // 10 if figures.quick else HELD
    most = max(1, (hard - SPARE) // 2)
    if most >= wanted:
        return wanted
    figures.note(f"the hard limit of open files is {hard}, and HAProxy has two for each session: {most} sessions are held, not "
                 f"{wanted}; for all of them raise it to {2 * wanted + SPARE} (ulimit -Hn, limits.conf)")  # fmt: skip
    return most


def hold(figures: Figures, bench: Bench, lab: Lab, count: int) -> None:
    names = {pid: name for pid, name in below(bench.zygote.process.pid).items() if "-ts" in name or name == "haproxy"}
    processes = {os.getpid(): "clients", **names}
    before = {pid: memory_of(pid) for pid in processes}
    began = time.monotonic()
    made = lab.clients.run([Visit(source, f"user{n}", hold=True) for n, source in enumerate(lab.sources.several(count))], AT_ONCE)
    took = time.monotonic() - began
    grown = {pid: (memory_of(pid) - before[pid]) / count for pid in processes}
    clients = grown[os.getpid()]
    servers = sum(size for pid, size in grown.items() if "-ts" in processes[pid])
    for one in made:
        one.send(b"alive?")
    lab.loop.run_until(lambda: all(one.echoed or not one.alive for one in made), patience("outcome"))
    alive = sum(1 for one in made if one.alive and one.echoed)
    figures.add(f"sessions alive at the same time, of {count}", float(alive), "sessions", at_least=float(count))
    figures.add("sessions opened", count / took, "sessions/s")
    figures.add("memory of both ends", clients + servers, "KiB/session", at_most=ROOM)
    figures.add("memory of the clients, and of what the history keeps", clients, "KiB/session")
    figures.add("memory of the mock servers", servers, "KiB/session")
    figures.add("memory of HAProxy", sum(size for pid, size in grown.items() if processes[pid] == "haproxy"), "KiB/session")


def main() -> None:
    figures = Figures(__doc__)
    count = possible(figures)
    bench = Bench("haproxy:rdp-sticktable")
    try:
        lab = bench.lab()
        hold(figures, bench, lab, count)
        lab.close()
    finally:
        bench.close()
    figures.save()


if __name__ == "__main__":
    main()
