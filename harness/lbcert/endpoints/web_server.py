"""A mock web server: the same site on every port that the product sends to, with or without PROXY protocol in front."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, NoReturn

from ..wire.talk import MakeService, Place, Report, Service
from .desk import Counter, Desk
from .http import Web
from .mock import run
from .proxied import Proxied


class WebServer(Desk):
    """One web server."""

    def make_counters(self, config: dict[str, Any]) -> Mapping[int, Counter]:
        return {port: Counter("web", self._make()) for _, port in self.addresses}

    def _make(self) -> MakeService:
        def make(place: Place, report: Report) -> Service:
            # Read for each connection: a test may change it (order `options`).
            plain = place.options.get("proxy_protocol", "refuse") == "refuse"
            return Web(place, report) if plain else Proxied(Web, place, report)

        return make


def serve(control: socket.socket, config: dict[str, Any]) -> NoReturn:
    """Be the web server until the control stream ends.

    `config`: what every desk has. Options: `web` (how it answers: `http_answer.Answer`), `proxy_protocol` (accept, demand;
    refuse: a header is what a request is not) and `proxy_senders`, see `proxied.Proxied`.
    """
    run(WebServer, control, config)
