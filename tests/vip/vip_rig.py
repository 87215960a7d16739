"""Histories of probes, made up: who was shown which certificate."""

from collections.abc import Callable

from lbcert.evidence.history import History

PRINTS = {f"ts{number}": f"{number}" * 64 for number in range(1, 10)}
"""server -> its certificate"""


def history(**given) -> History:
    """One that begins with what the user gave."""
    made = History()
    usual = {"servers": 2, "map": {}, "fallback": "balance", "even": True, "sources": [""], "rounds": 7}
    made.add("harness", "setup", **(usual | given))
    return made


def visit(made: History, phase: str, user: str | None, server: str | None, turn: int = 0, outcome: str | None = None) -> None:
    """One connection; without a server it has that outcome."""
    printed = PRINTS[server] if server else None
    if printed and not any(made.of("certificate", certificate=printed)):
        made.add("client", "certificate", certificate=printed, der="")
    made.add("client", "visit", phase=phase, user=user, turn=turn, certificate=printed, source="",
             outcome=outcome or ("served" if server else "closed"))  # fmt: skip


def farm(users: int, home: Callable[[int, int], str],
         nameless: Callable[[int], str | None] = lambda number: f"ts{1 + number % 2}",
         bare: str = "confirmed", named_bare: str = "confirmed", places: int = 0, **given) -> History:  # fmt: skip
    """All that a probe does; `home(user, turn)` and `nameless(number)` say which server they get."""
    made = history(**given)
    rounds = made.events[0]["rounds"]
    for turn in range(rounds):
        for user in range(users):
            visit(made, "round", f"u{user}", home(user, turn), turn)
    for turn in range(places):
        for user in range(users):
            visit(made, "roaming", f"u{user}", home(user, rounds + turn), turn)
    for number in range(60):
        visit(made, "nameless", None, nameless(number))
        visit(made, "control", "u0", home(0, 0))
    for _ in range(5):
        visit(made, "bare", None, None, outcome=bare)
        visit(made, "named-bare", "u0", None, outcome=named_bare)
    return made


def alternate(user: int, _turn: int) -> str:
    """Two servers, each user always on the same."""
    return f"ts{1 + user % 2}"
