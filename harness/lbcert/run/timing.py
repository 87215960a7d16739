"""Slots, machine-wide, for tests whose bounds are tight: four for each core.

Such a test waits most of its time (a tenth of a core, measured), so four per core leave half of the machine idle.

A slot is a name in the kernel's abstract socket namespace: no file, no permission between users, and free
again the moment its holder dies.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

SLOTS = 4 * (os.cpu_count() or 1)
TIGHT_SLOTS = os.cpu_count() or 1
"""those that are free to tests of products whose timers are tenths of a second: one for each core"""
TIGHT = 0.5
"""s between two health checks, below which a product's timers are that short"""
_TRY_EVERY = 0.1


@contextlib.contextmanager
def slot(waiting: Callable[[], None] = lambda: None, inter: float = 1.0) -> Iterator[int]:
    """Hold one of the machine's slots; `waiting` is called once if none is free at first.

    `inter` (s) is the time between two health checks of the product.
    """
    pause = threading.Event()
    told = False
    while True:
        for number in range(SLOTS if inter >= TIGHT else TIGHT_SLOTS):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                sock.bind(f"\0lbcert-timing-{number}")
            except OSError:
                sock.close()
                continue
            try:
                yield number
            finally:
                sock.close()
            return
        if not told:
            waiting()
            told = True
        pause.wait(_TRY_EVERY)
