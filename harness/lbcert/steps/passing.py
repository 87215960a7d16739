"""Letting long times pass on the product's own clock, whatever its rate (see `pace`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..clients.rdp import Connection
from ..clients.silent import Silent
from ..deadlines import IDLE_SHARES, MARGIN, patience
from ..deadlines import requirement as requirement_deadline
from ..topology.plan import CLIENT_HOST

if TYPE_CHECKING:
    from ..lab import Lab

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
    what = f"{len(sessions)} sessions are silent for {span_text(longest)}"
    if lab.clock is None:
        lab.watch(what, all_ended, requirement_deadline("idle time", longest))
    else:
        run_clock(lab, f"{what} of the product's clock")
    lab.watch("both ends are told", all_ended, requirement_deadline("told", MARGIN))
    lab.mark("over")


def be_silent_late(lab: Lab, sessions: Sequence[Connection], late: Callable[[], None]) -> None:
    """As `be_silent`, but for what `late` does when 95 % of the judged span have passed on the product's clock (mark `late`)."""

    def at_last() -> None:
        lab.mark("late")
        late()

    def all_ended() -> bool:
        return not any(session.alive or lab.is_connected(session) for session in sessions)

    lab.mark("silence")
    shares = [share * lab.pace.span for share in IDLE_SHARES]
    what = f"{len(sessions)} connections are silent for "
    if lab.clock is None:
        end = requirement_deadline("idle time", shares[1])
        lab.watch(what + span_text(shares[0]), lambda: False, requirement_deadline("idle time", shares[0]))
        at_last()
        lab.watch(what + span_text(shares[1]), all_ended, end)
    else:
        run_clock(lab, f"{what}{span_text(shares[1])} of the product's clock", at_last)
    lab.watch("both ends are told", all_ended, requirement_deadline("told", MARGIN))
    lab.mark("over")


def span_text(seconds: float) -> str:
    return f"{seconds / 60:.3g} min" if seconds >= 120 else f"{seconds:.3g} s"


def run_clock(lab: Lab, what: str, late: Callable[[], None] | None = None) -> None:
    """Connect to each control listener of the product, and wait until it has ended all of these connections.

    `late` is called when the first of them has ended.
    """
    from ..lab import HarnessError

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
    first = silent[controls.index(min(controls, key=lambda control: control.seconds))]
    try:
        if late is not None:
            lab.wait(f"{what}, at ×{lab.clock.rate}", lambda: first.ended,
                     patience("faster clock", SLOWEST * longest / lab.clock.rate))  # fmt: skip
            late()
        lab.wait(f"{what}, at ×{lab.clock.rate}", lambda: all(one.ended for one in silent),
                 patience("faster clock", SLOWEST * longest / lab.clock.rate))  # fmt: skip
    finally:
        for one in silent:
            one.close()
