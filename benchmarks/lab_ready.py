"""How long until a lab is ready: `duts/ideal` with three mock servers, capture running, VIP accepting.

Targets (idle cores): median 300 ms, 95 % 600 ms, over 50 labs; eight at once, each in a process of its own as with
`pytest -n 8`, within 2 s.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time

from _labs import Bench, arguments, figure

LABS, AT_ONCE = 50, 8
MEDIAN, NINETY_FIFTH, TOGETHER = 300.0, 600.0, 2.0


def one_after_the_other(count: int) -> None:
    began = time.monotonic()
    bench = Bench("ideal")
    figure("start of the process that labs are forked from, and discovery", (time.monotonic() - began) * 1000, "ms")
    ready, gone = [], []
    for _ in range(count):
        began = time.monotonic()
        lab = bench.lab()
        ready.append((time.monotonic() - began) * 1000)
        began = time.monotonic()
        lab.close()
        gone.append((time.monotonic() - began) * 1000)
    bench.close()
    figure(f"lab ready, median of {count}", statistics.median(ready), "ms", MEDIAN)
    figure(f"lab ready, 95 % of {count}", sorted(ready)[max(0, -(-count * 95 // 100) - 1)], "ms", NINETY_FIFTH)
    figure(f"lab ready, slowest of {count}", max(ready), "ms")
    figure(f"lab gone, median of {count}", statistics.median(gone), "ms")
    figure(f"lab gone, slowest of {count}", max(gone), "ms")


def _worker(start, end, ready) -> None:
    bench = Bench("ideal")
    start.wait()
    lab = bench.lab()
    ready.put(time.monotonic())
    end.wait()
    lab.close()
    bench.close()


def together(count: int) -> None:
    context = multiprocessing.get_context("fork")
    start, end, ready = context.Barrier(count + 1), context.Barrier(count + 1), context.Queue()
    workers = [context.Process(target=_worker, args=(start, end, ready)) for _ in range(count)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.monotonic()
    last = max(ready.get(timeout=60) for _ in workers)
    figure(f"{count} labs at once, until the last is ready", last - began, "s", TOGETHER)
    end.wait()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    quick = arguments(__doc__).quick
    one_after_the_other(LABS // 10 if quick else LABS)
    for _ in range(1 if quick else 3):
        together(AT_ONCE)
