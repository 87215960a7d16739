"""curl, openssl and impacket's endpoint-mapper client in the client host of a pool, and what our servers and the capture say of them."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from peers_rig import IPV4, PACKAGES, Programs

from lbcert.clients.remoting import CallRemote
from lbcert.deadlines import patience
from lbcert.endpoints.control import MockServer
from lbcert.evidence.flows import packets
from lbcert.evidence.history import Event
from lbcert.scenes.papers import ROOT
from lbcert.scenes.pool import POOL
from lbcert.topology.plan import CLIENT_HOST

CURL, OPENSSL = "/usr/bin/curl", "/usr/bin/openssl"
PACKAGES |= {CURL: "curl", OPENSSL: "openssl"}
PYTHON = os.path.realpath(sys.executable)
FOLDER = "/root/impacket"
"""where the client host has impacket, which in the machine may lie in a home directory"""
REMOTING = f"{FOLDER}/remoting"
"""a request of .NET remoting, for openssl to send"""
TCP = 6
SPOKE = ("bind", "request", "tls", "security-failed", "malformed")
"""kinds of events that a health check, which only connects, does not cause"""

CLOSURE = """
import sys
from impacket.dcerpc.v5 import epm, transport
print(*filter(None, (getattr(module, "__file__", "") for module in list(sys.modules.values()))), sep="\\n")
print(*{line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}, sep="\\n")
"""
"""prints the files that impacket's client consists of, libraries that it loads by other means than `import` among them"""
MAPPER = f"""
import socket, sys
sys.path.insert(0, {FOLDER!r})
from impacket.dcerpc.v5 import epm, transport
from impacket.uuid import uuidtup_to_bin
source, vip = sys.argv[1:]
class Bound(socket.socket):
    def connect(self, to):
        self.bind((source, 0))
        super().connect(to)
socket.socket = Bound
def ask(talk):
    dce = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{{vip}}[135]").get_dce_rpc()
    dce.connect()
    told = talk(dce)
    dce.disconnect()
    return told
rows = ask(lambda dce: epm.hept_lookup(vip, dce=dce))
print(*(row["annotation"] for row in rows), *(epm.PrintStringBinding(row["tower"]["Floors"]) for row in rows))
print(ask(lambda dce: epm.hept_map(vip, uuidtup_to_bin(("000001a0-0000-0000-c000-000000000046", "0.0")), protocol="ncacn_ip_tcp", dce=dce)))
"""


def needs_python() -> pytest.MarkDecorator:
    """Hosts of a lab see /usr and /opt: a Python elsewhere cannot be run in one."""
    return pytest.mark.skipif(not PYTHON.startswith(("/usr/", "/opt/")), reason=f"{PYTHON} is not to be seen from inside a lab")


def put_impacket(programs: Programs) -> None:
    """impacket's client, and what it imports, for the client host."""
    said = subprocess.run([sys.executable, "-c", CLOSURE], capture_output=True, text=True, check=True).stdout
    files = {}
    for path in said.splitlines():
        folder, found, name = path.rpartition("/site-packages/")
        if found:
            files[f"{FOLDER}/{name}"] = (path, 0o644)
            files |= {f"{FOLDER}/{init.relative_to(folder + found)}": (str(init), 0o644) for init in packages(Path(path))}
    files[REMOTING] = (CallRemote("remoting").begin(), 0o644)
    programs.lab.broker.put_files(CLIENT_HOST, files, [])


def packages(module: Path) -> list[Path]:
    """The `__init__` of each package that a module is in."""
    return [init for parent in module.parents if parent.name != "site-packages" and (init := parent / "__init__.py").exists()]


def mapper(source: str, vip: str) -> list[str]:
    return [PYTHON, "-I", "-c", MAPPER, source, vip]


def curl(source: str, port: int, token: str, *options: str) -> list[str]:
    return [CURL, "-sS", "--interface", source, "--cacert", ROOT, *options, f"https://{POOL}:{port}/abs/?token={token}"]


def s_client(source: str, port: int, *options: str, said: str = "/dev/null") -> list[str]:
    """openssl in TLS 1.2, whose certificates pass in the clear; it says what is in a file."""
    line = (f"{OPENSSL} s_client -connect {POOL}:{port} -bind {source} -servername {POOL} -verify_hostname {POOL} -verify_return_error "
            f"-tls1_2 -CAfile {ROOT} {' '.join(options)} < {said}")  # fmt: skip
    return ["/bin/sh", "-c", line]


class Doings:
    """What one client address does, one program after the other, and what comes of it."""

    def __init__(self, programs: Programs, source: str, home: MockServer):
        self.programs, self.source, self.home = programs, source, home
        self.said: dict[str, str] = {}
        """by the name of what was done: what the program printed"""
        self._from = len(programs.lab.history.events)
        self._to: int | None = None

    def run(self, name: str, argv: list[str], port: int, kind: str, count: int, enough: str = "") -> None:
        """Run a program until servers have reported `count` times this kind on this port, and it has ended.

        One that stays until its server leaves is ended when it has printed `enough`.
        """
        self._to = None
        program = self.programs.start(CLIENT_HOST, *argv)

        def reported() -> bool:
            return sum(event["kind"] == kind and self.port(event) == port for event in self.events()) >= count

        self.programs.wait(f"{name}: {kind} on {port}", reported, program)

        def said_all() -> bool:
            return program.status is not None or bool(enough and enough in program.said)

        self.programs.lab.watch(f"{name} has said all", said_all, patience("report"))
        self.programs.stop(program)
        self.said[name] = program.said
        self._to = len(self.programs.lab.history.events)

    def events(self) -> list[Event]:
        """What servers reported of connections on which something was said; nobody else spoke meanwhile."""
        return [event for event in self.programs.lab.history.events[self._from : self._to] if event["kind"] in SPOKE]

    def port(self, event: Event) -> int:
        """At which its server has the connection of an event."""
        accepts = self.programs.lab.history.of("accept", who=event["who"])
        return next(one["local"][1] for one in accepts if one["conn"] == event["conn"])

    def shown(self) -> dict[int, bytes]:
        """The bytes that came to this address in the capture: the VIP's port -> bytes, its connections one after the other."""
        lab = self.programs.lab
        lab.broker.request("capture_sync")
        own = bytes(map(int, self.source.split(".")))
        found: dict[int, bytes] = {}
        for link, _, inbound, data, _ in packets(lab.files.capture):
            if link == f"{CLIENT_HOST}:eth0" and inbound and data[12:14] == IPV4 and data[23] == TCP and data[30:34] == own:
                port, start = int.from_bytes(data[34:36], "big"), 34 + (data[46] >> 4) * 4
                found[port] = found.get(port, b"") + data[start : 14 + int.from_bytes(data[16:18], "big")]
        return found


def certificate(server: MockServer) -> bytes:
    """DER of a Front End's own certificate, the first of its file."""
    first, end, _ = server.extra["certificate"]["pem"].partition("-----END CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(first + end)
