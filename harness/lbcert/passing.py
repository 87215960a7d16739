"""Letting long times pass on the product's own clock, whatever its rate (see `pace`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .clients.rdp import Connection
from .clients.silent import Silent
from .deadlines import IDLE_SHARES, MARGIN, patience
from .deadlines import requirement as requirement_deadline
from .topology.plan import CLIENT_HOST

if TYPE_CHECKING:
    from .lab import Lab

SLOWEST = 1.15
"""times what a timeout takes at the nominal rate is waited for; a clock that is slower yet is not believed (checks.idle)"""


def be_silent(lab: Lab, sessions: Sequence[Connection]) -> None:
    """Leave held sessions alone until 105 % of the judged span have passed, and until both ends know where one was ended.

    The history gets the marks `silence` and `over`; on a faster clock also a `control` event for each control listener. In
    real time it ends as soon as every session has: there is no clock to be measured.
    """

    def all_ended() -> bool:
        return not any(session.alive or lab.is_connected(session) for session in sessions)

    lab.mark("silence")
    longest = IDLE_SHARES[1] * lab.pace.span
    what = f"{len(sessions)} sessions are silent for " + (f"{longest / 60:.3g} min" if longest >= 120 else f"{longest:.3g} s")
    if lab.clock is None:
        lab.watch(what, all_ended, requirement_deadline("idle time", longest))
    else:
        run_clock(lab, f"{what} of the product's clock")
    lab.watch("both ends are told", all_ended, requirement_deadline("told", MARGIN))
    lab.mark("over")


def run_clock(lab: Lab, what: str) -> None:
    """Connect to each control listener of the product, and wait until it has ended all of these connections."""
    from .lab import HarnessError

    assert lab.clock is not None
    controls = list(lab.clock.controls)
    sources = [lab.sources.one() for _ in controls]
    silent = [Silent(lab.loop, sock, (control.address, control.port))
              for control, sock in zip(controls, lab.broker.sockets(CLIENT_HOST, sources), strict=True)]  # fmt: skip
    lab.wait("control connections stand", lambda: all(one.port or one.failed for one in silent), patience("answer"))
    for control, source, one in zip(controls, sources, silent, strict=True):
        if one.failed:
            raise HarnessError(f"the control listener of {control.seconds:g} s accepts no connection: {one.failed}")
        lab.history.add("harness", "control", port=control.port, seconds=control.seconds, source=source, cport=one.port)
    longest = max(control.seconds for control in controls)
    try:
        lab.wait(f"{what}, at ×{lab.clock.rate}", lambda: all(one.ended for one in silent),
                 patience("faster clock", SLOWEST * longest / lab.clock.rate))  # fmt: skip
    finally:
        for one in silent:
            one.close()
