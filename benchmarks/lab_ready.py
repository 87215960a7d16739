"""How long until a lab is ready: `duts/ideal` with three mock servers, capture running, VIP accepting.

Targets (idle cores): median 300 ms, 95 % 600 ms, over 50 labs; eight at once, each in a process of its own as with
`pytest -n 8`, within 2 s. Processor time is that of all processes of a lab, from its start until it is gone, and of this one; it
says what a machine with other work cannot.
"""

from __future__ import annotations

import multiprocessing
import time

from _figures import Figures
from _labs import Bench, processor, processor_of

LABS, AT_ONCE = 50, 8
MEDIAN, NINETY_FIFTH, TOGETHER = 300.0, 600.0, 2.0


def one_after_the_other(figures: Figures, count: int) -> None:
    began = time.monotonic()
    bench = Bench("ideal")
    figures.add("start of the process that labs are forked from, and discovery", (time.monotonic() - began) * 1000, "ms")
    ready, gone = [], []
    used = processor() + processor_of(bench.zygote.process.pid)
    for _ in range(count):
        began = time.monotonic()
        lab = bench.lab()
        ready.append((time.monotonic() - began) * 1000)
        began = time.monotonic()
        lab.close()
        gone.append((time.monotonic() - began) * 1000)
    used = processor() + processor_of(bench.zygote.process.pid) - used
    bench.close()
    figures.add("lab ready", ready, "ms", at_most=MEDIAN)
    figures.add(f"lab ready, 95 % of {count}", sorted(ready)[max(0, -(-count * 95 // 100) - 1)], "ms", at_most=NINETY_FIFTH)
    figures.add("lab gone", gone, "ms")
    figures.add("processor time of a lab, start and end", used / count * 1000, "ms")


def _worker(start, end, ready) -> None:
    bench = Bench("ideal")
    start.wait()
    lab = bench.lab()
    ready.put(time.monotonic())
    end.wait()
    lab.close()
    bench.close()


def together(count: int) -> float:
    """Seconds until the last of `count` labs is ready that were started at the same time."""
    context = multiprocessing.get_context("fork")
    start, end, ready = context.Barrier(count + 1), context.Barrier(count + 1), context.Queue()
    workers = [context.Process(target=_worker, args=(start, end, ready)) for _ in range(count)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.monotonic()
    last = max(ready.get(timeout=60) for _ in workers)
    end.wait()
    for worker in workers:
        worker.join()
    return last - began


def main() -> None:
    figures = Figures(__doc__)
    one_after_the_other(figures, LABS // 10 if figures.quick else LABS)
    several = [together(AT_ONCE) for _ in range(1 if figures.quick else 5)]
    figures.add(f"{AT_ONCE} labs at once, until the last is ready", several, "s", at_most=TOGETHER)
    figures.save()


if __name__ == "__main__":
    main()
