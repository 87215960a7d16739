"""Users of a web site: a cookie jar each, and as many connections as it takes to see a number of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..wire.cookies import Jar
from ..wire.http import Ask
from .calling import dial

if TYPE_CHECKING:
    from ..lab import Lab


@dataclass(eq=False)
class Browser:
    """One user. `name` is the `client` of its calls in the history."""

    name: str
    service: str
    jar: Jar = field(default_factory=Jar)
    headers: list[tuple[str, str]] = field(default_factory=list)
    """that every request has besides the usual ones"""


def browse(lab: Lab, browsers: Sequence[Browser], pages: int, label: str = "", pipelined: bool = False,
           **ask: Any) -> list[list[Any]]:  # fmt: skip
    """Have every user see so many pages, `/page1` and so on; returns the answers (`Reply`) that each got.

    The pages are asked for on one connection, and where that ends with an answer the rest on further ones, each from a new
    address. A user whose connection brings no whole answer stops. `ask`: fields of `Ask`.
    """
    seen: dict[Browser, list[Any]] = {browser: [] for browser in browsers}
    left = lab.shuffled(browsers)
    while left:
        calls = []
        for browser in left:
            numbers = range(len(seen[browser]) + 1, pages + 1)
            asks = [Ask(f"/page{number}", headers=list(browser.headers), **ask) for number in numbers]
            calls.append(dial(lab, browser.service, asks=asks, jar=browser.jar, pipelined=pipelined, client=browser.name, label=label))
        going_on = []
        for browser, talk in zip(left, lab.visit(calls), strict=True):
            seen[browser] += talk.speech.replies
            if talk.speech.replies and len(seen[browser]) < pages:
                going_on.append(browser)
        left = going_on
    return [seen[browser] for browser in browsers]
