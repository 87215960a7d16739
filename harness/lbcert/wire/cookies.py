"""A client's cookies (RFC 6265 sections 5.2 to 5.4), as far as a load balancer's cookie goes.

Domain decides whether a client takes a cookie at all, and is not kept: all of its requests go to one host. Of SameSite only `None` counts, which is taken with Secure only
(draft-ietf-httpbis-rfc6265bis, 5.7; so are names that begin with __Secure- or __Host-, 4.1.3). Expires is read as one thing only: whether it lies
in the past of the date that the server gave, or, without one, in the year 1970 that servers use to delete.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as a server set it."""

    name: str
    value: str
    path: str
    secure: bool = False
    http_only: bool = False
    max_age: int | None = None
    """s; None: as long as the client lives, or until `expires`"""
    expires: str | None = None
    domain: str = ""
    """for which it is, in lower case and without a dot in front; empty: for the host that set it"""
    same_site: str = ""
    """in lower case"""

    @property
    def lasting(self) -> bool:
        """Whether it outlasts the client's session."""
        return self.max_age is not None or self.expires is not None


def read(line: str, target: str) -> Cookie | None:
    """The cookie of a Set-Cookie line that answered a request for `target`; None where section 5.2 drops it."""
    pair, *attributes = line.split(";")
    name, equals, value = pair.partition("=")
    name = name.strip(" \t")
    if not equals or not name:
        return None
    found: dict[str, str] = {}
    for attribute in attributes:
        key, _, content = attribute.partition("=")
        found[key.strip(" \t").lower()] = content.strip(" \t")
    path = found.get("path", "")
    return Cookie(
        name, value.strip(" \t"), path if path.startswith("/") else default_path(target), "secure" in found,
        "httponly" in found, _number(found.get("max-age")), found.get("expires"), found.get("domain", "").removeprefix(".").lower(),
        found.get("samesite", "").lower(),
    )  # fmt: skip


def default_path(target: str) -> str:
    """The path of a cookie that names none (5.1.4)."""
    path = target.split("?", 1)[0]
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def matches(target: str, path: str) -> bool:
    """Whether a cookie for `path` goes with a request for `target` (5.1.4)."""
    asked = target.split("?", 1)[0] or "/"
    return asked == path or (asked.startswith(path) and (path.endswith("/") or asked[len(path)] == "/"))


def is_within(host: str, domain: str) -> bool:
    """Whether a cookie for `domain` (empty: for no domain) may be set by `host` (5.1.3); an address is in no domain but itself."""
    host = host.lower()
    is_address = ":" in host or host.replace(".", "").isdigit()
    return domain in ("", host) or (not is_address and host.endswith(f".{domain}"))


def is_consistent(cookie: Cookie) -> bool:
    """Whether clients take a cookie with these attributes (draft-ietf-httpbis-rfc6265bis, 4.1.3 and 5.7)."""
    name = cookie.name.lower()
    if name.startswith("__host-") and not (cookie.path == "/" and not cookie.domain):
        return False
    return cookie.secure or not (cookie.same_site == "none" or name.startswith(("__secure-", "__host-")))


class Jar:
    """The cookies of one client, shared by its connections."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str], Cookie] = {}

    def __iter__(self):
        return iter(self._cookies.values())

    def __len__(self) -> int:
        return len(self._cookies)

    def take(self, line: str, target: str, now: str | None = None, host: str = "") -> Cookie | None:
        """Keep what a Set-Cookie line says, or forget what it expires; `now`: the Date of the response; `host`: who was asked.

        A cookie for a domain that `host` is not in is left alone, and so is any by an unknown host that is for a domain (5.3, step 6), and
        one that says of itself that it is Secure and is not.
        """
        cookie = read(line, target)
        if cookie is None or not is_within(host, cookie.domain) or not is_consistent(cookie):
            return None
        place = (cookie.name, cookie.path)
        if _over(cookie, now):
            self._cookies.pop(place, None)
        else:
            self._cookies[place] = cookie
        return cookie

    def header(self, target: str, secure: bool) -> str:
        """The value of the Cookie header for a request, longest path first; empty if there is nothing to send."""
        rows = [one for one in self._cookies.values() if matches(target, one.path) and (secure or not one.secure)]
        rows.sort(key=lambda one: -len(one.path))
        return "; ".join(f"{one.name}={one.value}" for one in rows)


def _number(text: str | None) -> int | None:
    sound = text is not None and 0 < len(text) <= 12 and text.lstrip("-").isascii() and text.removeprefix("-").isdigit()
    return int(text) if sound and text is not None else None


def _over(cookie: Cookie, now: str | None) -> bool:
    if cookie.max_age is not None:
        return cookie.max_age <= 0
    end = _date(cookie.expires)
    if end is None:
        return False
    start = _date(now)
    return end.year <= 1970 if start is None else end <= start


def _date(text: str | None) -> datetime | None:
    from email.utils import parsedate_to_datetime  # dear to load, and few cookies have a date

    try:
        return None if text is None else parsedate_to_datetime(text.replace("-", " ")).replace(tzinfo=None)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
