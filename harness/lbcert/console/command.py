"""The commands `lbcert lab`, `lbcert fault` and `lbcert shell`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..loop import READ, Loop
from ..report.errors import ReportError
from ..run.session import SetupError
from ..topology.channel import ChannelClosed
from . import runtime, table, terminal
from .control import Control, Remote
from .runtime import Place, RuntimeFolderError
from .standing import CLIENT_HOST, Refused, StandingLab, make

DONE, UNUSABLE = 0, 2
_SHELL = ["/bin/bash"]
_ATTENTION = 0.2
"""s until a Ctrl-C in a pipeline is passed on, at the latest"""
_LAB_ENDED = -1


class _Ended(BaseException):
    """A signal asks this process to end."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number, self.status = number, 128 + number


def lab(options: argparse.Namespace) -> int:
    """Make a lab and keep it until Ctrl-C, or until the given program has ended."""
    return _guarded(lambda: _lab(options))


def fault(options: argparse.Namespace) -> int:
    """Do or undo a fault in a running lab; without one, show who is connected where."""
    return _guarded(lambda: _fault(options))


def shell(options: argparse.Namespace) -> int:
    """Run a program in a host of a running lab."""
    return _guarded(lambda: _shell(options))


def _guarded(work: Callable[[], int]) -> int:
    """Known errors are one line; the first signal ends in order and further ones are ignored, so that nothing is left."""

    def end(number: int, _frame: object) -> None:
        for every in handled:
            signal.signal(every, signal.SIG_IGN)
        raise _Ended(number)

    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in handled}
    try:
        return work()
    except (Refused, RuntimeFolderError, SetupError) as error:
        print(f"lbcert: {error}", file=sys.stderr)
        return UNUSABLE
    except _Ended as ended:
        return ended.status
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# -- the lab --------------------------------------------------------------------------------------


def _lab(options: argparse.Namespace) -> int:
    claim = runtime.Claim(options.dut)
    try:
        capture = _writable(options.capture)
        standing = make(options.dut, claim.place.folder / "run", capture)
        try:
            return _attend(standing, claim.place, options)
        finally:
            standing.close()
    finally:
        claim.close()


def _writable(capture: Path | None) -> Path | None:
    if capture is None:
        return None
    try:
        capture.open("wb").close()
    except OSError as error:
        raise ReportError(capture, f"cannot be written: {error.strerror}.", "Name another file for --capture.") from None
    return capture.resolve()


def _attend(standing: StandingLab, place: Place, options: argparse.Namespace) -> int:
    control = Control(standing, place)
    try:
        program = options.program or (_SHELL if options.host else None)
        heading = table.about(standing, place.number)
        if program is None:
            print("\n".join([*heading, *_hints(standing)]), flush=True)
            return _watch(standing, control)
        print("\n".join(heading), file=sys.stderr, flush=True)
        return _here(standing, control, options.host or CLIENT_HOST, program)
    finally:
        control.close()


def _hints(standing: StandingLab) -> list[str]:
    first = standing.seats[0].server.name
    lines = [f"  from another terminal: lbcert fault {first} dark; lbcert shell client; lbcert shell dut -- ss -tn"]
    if len(standing.lab.services) > 2:
        last = list(standing.lab.services.values())[-1][1]
        lines.append(f"                         lbcert fault {first} refuse {last} (this port alone)")
    return [*lines, "  Ctrl-C ends the lab"]


def _watch(standing: StandingLab, control: Control) -> int:
    """Show what happens until Ctrl-C or the end of input."""
    board = table.Board(sys.stdout)
    ended: list[bool] = []
    _watch_input(standing.lab.loop, lambda: ended.append(True))
    try:
        while not ended and standing.over is None:
            board.show(standing)
            _turn(standing, control, table.DRAWN_EVERY)
    except _Ended as ended:
        if ended.number != signal.SIGINT:
            raise
        # Ctrl-C is the way to end it, not an accident.
    finally:
        board.finish(standing)
    if standing.over:
        raise Refused(standing.over)
    return DONE


def _watch_input(loop: Loop, at_end) -> None:
    """Have `at_end` called when standard input ends. A file or /dev/null, which always can be read, says nothing."""
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    fd = 0

    def look(_events: int) -> None:
        try:
            if os.read(fd, 4096):
                return
            at_end()
        except OSError:
            pass  # in the background of a terminal: there is nothing for us to read
        loop.forget(fd)

    try:
        loop.watch(fd, READ, look)
    except OSError:
        pass


def _turn(standing: StandingLab, control: Control, longest: float) -> None:
    standing.step(longest)
    if standing.over is None:
        control.serve()
        standing.take_in()


def _here(standing: StandingLab, control: Control, host: str, argv: list[str]) -> int:
    """Run a program on this terminal, or in this pipeline; the lab ends with it."""
    on_terminal = terminal.interactive()
    pid, end = standing.start(host, argv, *_surroundings(on_terminal))
    status: int | None = None
    with _bridged(standing.lab.loop, end) as bridge, _interrupts(on_terminal) as interrupts:
        while status is None and standing.over is None:
            _turn(standing, control, _ATTENTION)
            standing.news.clear()
            if bridge is not None and bridge.hung_up:
                standing.hang_up(pid)
            while interrupts:
                standing.signal(pid, interrupts.pop())
            status = standing.ended(pid)
    if status is None:
        raise Refused(standing.over)
    return status


def _surroundings(on_terminal: bool) -> tuple[dict[str, str], list[int] | None, list[int]]:
    """Environment, size of the terminal, and streams of a program."""
    if on_terminal:
        return terminal.environment(), terminal.size(), []
    return {}, None, [0, 1, 2]


@contextmanager
def _bridged(loop: Loop, end: int | None) -> Iterator[terminal.Bridge | None]:
    if end is None:
        yield None
        return
    bridge = terminal.Bridge(loop, end)
    try:
        yield bridge
    finally:
        bridge.close()


@contextmanager
def _interrupts(on_terminal: bool) -> Iterator[list[int]]:
    """Ctrl-C is for the program: a raw terminal sends it as a byte, while in a pipeline the signal comes to us."""
    came: list[int] = []
    if on_terminal:
        yield came
        return
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


# -- from another terminal ------------------------------------------------------------------------


def _place(number: int | None) -> Place:
    """The running lab that is meant."""
    places = runtime.running()
    known = ", ".join(f"{place.number} ({place.about})" for place in places)
    if not places:
        raise Refused("no lab of this user is running; start one: lbcert lab DUT")
    if number is None:
        if len(places) > 1:
            raise Refused(f"several labs are running: {known}; choose one with --lab NUMBER")
        return places[0]
    found = next((place for place in places if place.number == number), None)
    if found is None:
        raise Refused(f"no lab {number} is running; running: {known}")
    return found


def _fault(options: argparse.Namespace) -> int:
    if options.server is not None and options.fault is None:
        raise Refused(f"what is to happen to {options.server}? dark, hang, crash, refuse or restore")
    remote = Remote(_place(options.lab))
    try:
        if options.server is None:
            print(remote.ask("state")[0])
        else:
            print(remote.ask("fault", server=options.server, fault=options.fault, ports=options.ports)[0])
        return DONE
    finally:
        remote.close()


def _shell(options: argparse.Namespace) -> int:
    remote = Remote(_place(options.lab))
    try:
        on_terminal = terminal.interactive()
        env, size, streams = _surroundings(on_terminal)
        argv = options.program or _SHELL
        pid, ends = remote.ask("program", streams, host=options.host, argv=argv, env=env, terminal=size)
        return _attached(remote, pid, ends[0] if ends else None)
    finally:
        # The lab hangs up a program whose terminal is gone.
        remote.close()


def _attached(remote: Remote, pid: int, end: int | None) -> int:
    """Stay until the program has ended; returns its status."""
    loop, told = Loop(), []

    def listen(_events: int) -> None:
        try:
            told.append(remote.channel.receive()[0].get("ended"))
        except (ChannelClosed, OSError):
            told.append(_LAB_ENDED)

    loop.watch(remote.channel.fileno(), READ, listen)
    with _bridged(loop, end) as bridge, _interrupts(end is not None) as interrupts:
        while not any(one is not None for one in told) and not (bridge is not None and bridge.hung_up):
            loop.step(_ATTENTION)
            while interrupts:
                remote.channel.send({"do": "signal", "pid": pid, "number": interrupts.pop()})
    status = next((one for one in told if one is not None), 128 + signal.SIGHUP)
    if status == _LAB_ENDED:
        raise Refused("the lab has ended")
    return status
