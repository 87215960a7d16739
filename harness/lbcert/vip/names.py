"""Which server a certificate stands for, and whether all servers can be told apart."""

from __future__ import annotations

from collections import Counter
from functools import cache

from ..evidence.history import Event, History


class Names:
    """Servers by the certificates that a history holds."""

    def __init__(self, history: History):
        given = history.events[0]
        self._map: dict[str, str] = given["map"]
        subjects = {event["certificate"]: subject(event["der"]) for event in history.of("certificate")}
        taken = Counter([*subjects.values(), *self._map.values()])
        called = {printed: self._map.get(printed) or _called(name, printed, taken[name]) for printed, name in subjects.items()}
        bearers = Counter(called.values())
        # Two certificates are one server only where the map says so.
        self.by_certificate = {printed: name if printed in self._map or bearers[name] == 1 else printed
                               for printed, name in called.items()}  # fmt: skip
        self.seen = Counter(visit["certificate"] for visit in history.of("visit") if visit["certificate"])
        mapped = list(dict.fromkeys(self._map.values()))
        self.known = mapped + [name for printed, name in self.by_certificate.items() if printed not in self._map]
        self.too_many = not self._map and given["servers"] is not None and len(self.by_certificate) > given["servers"]
        """more certificates than servers: then a server shows several, and a user who sees two has not moved"""
        self.doubt = self._doubt(given["servers"])
        """why it is not known that each server shows a certificate of its own; empty if it is"""

    def server(self, visit: Event) -> str:
        """The server of a visit that was shown a certificate."""
        return self.by_certificate[visit["certificate"]]

    def _doubt(self, servers: int | None) -> str:
        count = len(self.by_certificate)
        if self._map:
            strange = [name for printed, name in self.by_certificate.items() if printed not in self._map]
            return f"the map lacks a certificate that was shown: {strange[0]}" if strange else ""
        if servers is None:
            return (f"{count} certificates were seen, and it is not said how many servers there are; several may share one: give "
                    "--servers N, or --map FILE")  # fmt: skip
        if count < servers:
            return (f"{count} certificates were seen for {servers} servers: some share one, or get no users. Give each server a "
                    "certificate of its own; if they have them, say which with --map FILE")  # fmt: skip
        if self.too_many:
            return f"{count} certificates were seen, more than the {servers} servers: say with --map FILE whose they are"
        return ""


def _called(name: str, printed: str, bearers: int) -> str:
    """What a certificate's server is called: as its subject says, if no other one says so."""
    return name if name and bearers == 1 else f"{name or 'certificate'} {printed[:8]}"


@cache
def subject(der: str) -> str:
    """The name in a certificate, for people; empty if there is none that can be read."""
    # Not above: few commands need it.
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(bytes.fromhex(der)).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ValueError:
        return ""
    text = str(found[0].value) if found else ""
    return "".join(char if char.isprintable() else " " for char in text)[:60]
