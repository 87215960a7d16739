"""Whether held sessions are alive: each sends a PDU, which its server returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..evidence.history import History
from ..wire import Data
from .rdp import Connection
from .talk import Talk

WatchFor = Callable[[Callable[[], bool]], object]
"""runs the lab until something holds, or its deadline"""


def echo(sessions: Sequence[Connection], phase: str, history: History, watch: WatchFor) -> None:
    """Have every session echo once; the history gets one `echo` event per session, `ok` or not."""
    waiting: dict[Connection, tuple[int, bytes]] = {}
    for session in sessions:
        if session.alive:
            payload = f"{phase} {session.number}".encode()
            waiting[session] = len(session.echoed), Data(payload).encode()
            session.send(payload)
    good: set[Connection] = set()

    def settled() -> bool:
        for session, (start, expected) in list(waiting.items()):
            if session.echoed[start:] == expected:
                good.add(session)
            elif session.alive:
                continue
            del waiting[session]
        return not waiting

    watch(settled)
    for session in sessions:
        history.add("client", "echo", visit=session.number, phase=phase, ok=session in good)


def ask_again(talks: Sequence[Talk], phase: str, history: History, watch: WatchFor) -> None:
    """Have every held connection ask its server once more; one `echo` event each, `ok` or not, with the time it was answered."""
    waiting: dict[Talk, int] = {}
    for talk in talks:
        if talk.alive:
            waiting[talk] = talk.speech.answers
            talk.send(talk.speech.again())
    good: set[Talk] = set()

    def settled() -> bool:
        for talk, before in list(waiting.items()):
            if talk.speech.answers > before:
                good.add(talk)
            elif talk.alive:
                continue
            del waiting[talk]
        return not waiting

    watch(settled)
    for talk in talks:
        history.add("client", "echo", call=talk.number, phase=phase, ok=talk in good)
