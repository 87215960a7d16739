"""What tests find out about the pages by which a product is administered: who is shown them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..addresses import endpoint
from ..clients.knock import Knock, basic
from ..clients.talk import Call
from ..evidence.checks.pool_admin import DEFAULTS
from ..topology.plan import DUT_HOST

if TYPE_CHECKING:
    from ..lab import Lab

_WRONG = ("nobody", "Wrong-Pass-4711")
_BROKEN = "Basic ====="
PATHS = ("/", "/haproxy?stats", "/stats", "/admin?stats", "/haproxy-status", "/status")
"""where products and guides have their pages; the second is HAProxy's own choice (configuration manual, `stats uri`)"""


def declared_page(lab: Lab) -> str | None:
    """Where `administration` of dut.yaml says that the statistics page is: address and port."""
    return lab.declares.raw.get("administration", {}).get("statistics")


def page_to_open(lab: Lab) -> str | None:
    """The declared page, where it is declared with whom it opens to."""
    return declared_page(lab) if "user" in lab.declares.raw.get("administration", {}) else None


def page_places(lab: Lab) -> list[str]:
    """Where pages may be: the declared place, and every socket of the product that clients can reach and that is no service's."""
    services = {(address, port) for address, port in lab.services.values()}
    ports = {port for _, port in services} | {port for server in lab.fallbacks for _, port in server.listen}
    vip = lab.vip[0]
    product = {text.partition("/")[0] for link in lab.plan.host(DUT_HOST).links for text in link.addresses}
    found = [declared_page(lab)] if declared_page(lab) else []
    for address, port in lab.broker.request("listening", host=DUT_HOST)["listening"]:
        if address in ("0.0.0.0", "::"):
            address = vip
        if port not in ports and address in product:
            found.append(endpoint(address, port))
    return list(dict.fromkeys(found))


def ask_pages(lab: Lab) -> None:
    """Ask each place for its page without credentials, with wrong and broken ones, and the declared one with half right and right ones."""
    declared = lab.declares.raw.get("administration", {})
    places = page_places(lab)
    lab.history.add("client", "places", places=places)
    for place in places:
        asked = {"none": None, "wrong": basic(*_WRONG), "broken": _BROKEN}
        if place == declared.get("statistics") and "user" in declared:
            user, password = declared["user"], declared.get("password", "")
            asked |= {"other password": basic(user, f"{password}1"), "no password": basic(user, ""), "other user": basic(f"{user}1", password),
                      "right": basic(user, password)}  # fmt: skip
        asks = [(path, what) for path in PATHS for what in asked]
        for (path, what), status in zip(asks, _statuses(lab, place, [(path, asked[what]) for path, what in asks]), strict=True):
            lab.history.add("client", "page", place=place, path=path, status=status, **{"with": what})


def try_defaults(lab: Lab) -> None:
    """Try the credentials that products ship with where a page asks for some."""
    places = page_places(lab)
    lab.history.add("client", "places", places=places)
    for place in places:
        without = dict(zip(PATHS, _statuses(lab, place, [(path, None) for path in PATHS]), strict=True))
        path = next((path for path, status in without.items() if status == 401), None)
        if path is None:
            continue
        statuses = _statuses(lab, place, [(path, basic(*pair)) for pair in DEFAULTS])
        for (user, password), status in zip(DEFAULTS, statuses, strict=True):
            lab.history.add("client", "page", place=place, path=path, status=status, user=user, password=password, **{"with": "default"})


def _statuses(lab: Lab, place: str, asks: list[tuple[str, str | None]]) -> list[int | None]:
    """What a place answers to each of these paths and values of Authorization, all asked at once."""
    host, _, port = place.rpartition(":")
    address = host.strip("[]"), int(port)
    talks = lab.visit([Call(lab.sources.one(), "page", Knock(place, value, path), address=address) for path, value in asks])
    return [talk.speech.status for talk in talks]
