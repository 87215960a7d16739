"""A balancer with several ports before a pool of three Front Ends, each on an address of its own; all on loopback.

A Front End greets on each port with its name and the port, then echoes. Clients come from addresses of their own.
"""

from __future__ import annotations

import base64
import random
import socket
from typing import Any

from balancer_rig import PATIENCE, RealServer, Rig, Session, address, free_ports

OWN_PORTS = range(30_100, 30_200)
"""of an address of a pool: for whatever else than its services, free because `free_ports` stays below"""


class Pool(Rig):
    """`ports` are as many free ports; the second last is that of the check, the last that of SIP."""

    DEFAULTS = {
        "mode": "ideal",
        "persistence": {"key": "source"},
        "balance": "leastconn",
        "connect_timeout": 0.5,
    }

    def __init__(self, zygote: socket.socket, count: int = 4, fallback: bool = False, **config: Any) -> None:
        net = f"127.{random.randrange(1, 250)}.{random.randrange(250)}"
        self.prepare(f"{net}.20")
        self.net = net
        self.ports = free_ports([f"{net}.{last}" for last in (4, 5, 6, 20)], count)
        self.servers = {}
        for index, name in enumerate(("fe1", "fe2", "fe3")):
            for port in self.ports:
                self._serve(name, f"{net}.{4 + index}", port)
        if fallback:
            self._serve("fallback", f"{net}.9", self.ports[0])
        check = {"inter": 0.03, "fall": 2, "rise": 2, "timeout": 0.5, "port": self.ports[-2]}
        own_check = config.pop("health_check", {})
        if own_check.get("kind") == "sip":
            check["sip_port"] = self.ports[-1]
            # Who speaks SIP waits to be asked.
            for name in ("fe1", "fe2", "fe3"):
                self.servers[f"{name}:{self.ports[-1]}"].greeting = b""
        self.config = {
            **self.DEFAULTS,
            "listen": [address(self.host, port) for port in self.ports],
            "servers": {f"fe{n}": f"{net}.{3 + n}" for n in (1, 2, 3)},
            "health_check": check | own_check,
            **({"backup": {"fallback": address(f"{net}.9", self.ports[0])}} if fallback else {}),
            **{key: self._filled(value) for key, value in config.items()},
        }
        self.launch(zygote)

    def _serve(self, name: str, host: str, port: int) -> None:
        server = self.servers[f"{name}:{port}"] = RealServer(self, name, 0, host)
        server.port = port
        server.answer = "sip"
        server.greeting = f"{name}:{port}\n".encode()
        server.start()

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        return value.replace("NET", self.net) if isinstance(value, str) else value

    def front_end(self, name: str) -> list[RealServer]:
        return [server for key, server in self.servers.items() if key.startswith(f"{name}:")]

    def kill(self, name: str, *ports: int) -> None:
        """Ends a Front End, or only some of its ports."""
        for server in self.front_end(name):
            if not ports or server.port in ports:
                server.kill()

    def revive(self, name: str, *ports: int) -> None:
        for server in self.front_end(name):
            if not ports or server.port in ports:
                server.start()

    def at(self, client: int, port: int | None = None) -> Session:
        """A session of the client with this number: greeted, and alive."""
        port = port or self.ports[0]
        sock = self.begin(client, port)
        try:
            greeting = b""
            while not greeting.endswith(b"\n"):
                greeting += sock.recv(1) or _closed()
        except BaseException:
            sock.close()
            raise
        name, _, its_port = greeting.decode().strip().partition(":")
        session = Session(sock, name, source=sock.getsockname()[:2])
        session.port = int(its_port)
        return session

    def begin(self, client: int, port: int | None = None) -> socket.socket:
        source = f"{self.net}.{100 + client}"
        return socket.create_connection((self.host, port or self.ports[0]), PATIENCE, (source, 0))

    def home(self, client: int, port: int | None = None) -> str:
        session = self.at(client, port)
        session.close()
        return session.server


def _closed():
    raise ConnectionError("closed before a greeting")


def ask_page(host: str, port: int, credentials: str | None = None, line: str = "GET / HTTP/1.1") -> tuple[int, str]:
    """The status and the text that the statistics page answers with."""
    lines = [line, f"Host: {host}"]
    if credentials is not None:
        lines.append("Authorization: Basic " + base64.b64encode(credentials.encode()).decode())
    with socket.create_connection((host, port), PATIENCE) as sock:
        sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        text = sock.makefile("r", newline="").read()
    return int(text.split(" ")[1]), text
