"""OCS-ADMIN-01, -02: who is shown the pages by which a product is administered."""

from __future__ import annotations

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History

DEFAULTS = (
    ("loadbalancer", "loadbalancer"), ("admin", "admin"), ("admin", "password"), ("admin", ""), ("haproxy", "haproxy"),
    ("admin", "haproxy"), ("stats", "stats"), ("root", "root"), ("user", "user"), ("test", "test"), ("admin", "1234"),
    ("bal", "1fourall"), ("admin", "adminpwd"),
)  # fmt: skip
"""users and passwords that guides, articles and products ship with"""


def page_asks_who_you_are(history: History, declared: str | None) -> Finding:
    """OCS-ADMIN-01: no page without credentials or with wrong ones; the right ones open the page at `declared`.

    Events: `page` {place, path, with: none|wrong|broken|other password|no password|other user|right, status}, status None where no HTTP answer came. Which path a page has
    is not declared: the right credentials must open one of them.
    """
    tally = Tally("A page of the product is shown to those who know the password, and to nobody else.")
    asked = list(history.of("page"))
    if not any(True for _ in history.of("places")):
        raise ValueError("nobody looked where pages are")
    places = sorted({page["place"] for page in asked})
    right = [page for page in asked if page["with"] == "right"]
    for page in asked:
        if page["with"] != "right" and _opened(page):
            tally.faults.append(f"{_where(page)}: opened {_WORDS[page['with']]} ({_status(page)})")
    if right and not any(map(_opened, right)):
        tally.faults.append(f"{right[0]['place']}: the declared credentials do not open it ({_status(right[0])})")
    if declared is not None and not any(page["place"] == declared and page["with"] == "right" for page in asked):
        raise ValueError(f"the declared page {declared} was not asked for")
    seen = "; ".join(f"{place}: " + ", ".join(dict.fromkeys(f"{page['with']} {_status(page)}" for page in asked if page["place"] == place))
                     for place in places)  # fmt: skip
    return tally.finding(seen or "the product listens nowhere but for the pool's services, so there is no page to open")


def defaults_open_nothing(history: History) -> Finding:
    """OCS-ADMIN-02: `page` events with {with: default, user, password, status}; pairs that open a page are named."""
    tally = Tally("No pair of credentials that products and guides ship with opens a page.")
    tried = list(history.of("page", **{"with": "default"}))
    if not any(True for _ in history.of("places")):
        raise ValueError("nobody looked where pages are")
    for page in tried:
        if _opened(page):
            tally.faults.append(f"{_where(page)} opens with {page['user']}:{page['password']}")
    places = {page["place"] for page in tried}
    if places and len(tried) < len(places) * len(DEFAULTS):
        raise ValueError(f"only {len(tried)} pairs were tried at {len(places)} places")
    observed = f"{len(tried)} attempts at {', '.join(sorted(places)) or 'no page'}"
    return tally.finding(observed, Verdict.NON_STRICT)


_WORDS = {"other password": "with another password", "no password": "without a password", "other user": "for another user",
          "none": "without credentials", "wrong": "with wrong credentials", "broken": "with a broken header",
          "default": "with default credentials"}  # fmt: skip


def _opened(page: Event) -> bool:
    return page["status"] is not None and page["status"] < 400


def _where(page: Event) -> str:
    path = page.get("path", "/")
    return page["place"] + (path if path != "/" else "")


def _status(page: Event) -> str:
    return "no answer" if page["status"] is None else f"status {page['status']}"
