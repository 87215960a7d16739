"""Direct routing: a product that is a script with rules for the kernel, which passes packets on and ends no connection.

There is no socket to find and nobody to ask. After the script has run, the kernel is asked: the set `services` of the table
`lb` says which address and port belong to the VIP, and the routing rules for marks say to whom packets are passed on. Sources: nft(8),
`-j`; ip-rule(8), ip-route(8), `-json`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ..deadlines import PATIENCE
from ..dut_model import Deployment, Product
from ..topology.interface import Broker
from ..topology.plan import DUT_HOST
from .base import Build, Discovery, DriverError, Server, sha256
from .program import Program, config_path

_BASH, _NFT, _IP = "/bin/bash", "/usr/sbin/nft", "/usr/sbin/ip"
_SERVICES = [_NFT, "-j", "list", "set", "ip", "lb", "services"]


class DirectReturn:
    """The driver of a script of rules."""

    def __init__(self, product: Product):
        self.product = product
        self.program = Program("direct routing", Path(_BASH))

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        status, version = scratch.run(DUT_HOST, [_NFT, "--version"])
        if status:
            raise DriverError(f"{_NFT} is no working nft: {version.strip()[:300]}")
        if not deployment.network.get("addresses"):
            raise DriverError("dut.yaml: network.addresses is missing: name an address of the machine and the VIP, as 10.10.2.2/24, 10.10.2.20/24")
        # Alone, the machine has no network: its own addresses make routes to the Front Ends possible.
        for command in (["link", "add", "lbcert0", "type", "bridge"], ["link", "set", "lbcert0", "up"],
                        *(["address", "add", text, "dev", "lbcert0"] for text in deployment.network["addresses"])):  # fmt: skip
            scratch.run(DUT_HOST, [_IP, *command])
        self.start(scratch, deployment, output)
        listening = self._services(scratch, deployment, output)
        servers = _servers(scratch)
        if not servers:
            raise DriverError(f"{deployment.config}: no routing rule passes a mark on to anybody (`ip rule`, fwmark)")
        build = Build(version.split()[1].lstrip("v"), "this machine's kernel and nft", sha256(deployment.config), version.strip())
        return Discovery(build, listening, servers, sockets=False)

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        self.program.put(lab, deployment, {}, [])
        self.program.spawn(lab, output, [config_path(deployment)], deployment.environment)

    def ready(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        """Wait until the rules stand."""
        self._services(lab, deployment, output)

    def _services(self, lab: Broker, deployment: Deployment, output: Path) -> tuple[tuple[str, int], ...]:
        deadline = time.monotonic() + PATIENCE["ready"]
        while True:
            status, text = lab.run(DUT_HOST, _SERVICES)
            if not status:
                elements = [entry["set"] for entry in json.loads(text)["nftables"] if "set" in entry][0].get("elem", [])
                if elements:
                    return tuple((one["concat"][0], one["concat"][1]) for one in elements)
            if time.monotonic() > deadline:
                said = output.read_text(errors="replace").strip()[-1000:]
                raise DriverError(f"{deployment.config}: no set `services` in the table `ip lb` after {PATIENCE['ready']:g} s: {said}")


def _servers(lab: Broker) -> tuple[Server, ...]:
    """Next hops of the tables that marks are looked up in, in the order of the rules."""
    found: dict[str, Server] = {}
    for rule in _ask(lab, ["-json", "rule"]):
        if "fwmark" not in rule:
            continue
        for route in _ask(lab, ["-json", "route", "show", "table", str(rule["table"])]):
            if hop := route.get("gateway"):
                found.setdefault(hop, Server(hop, hop, 0))
    return tuple(found.values())


def _ask(lab: Broker, arguments: list[str]) -> list[dict[str, Any]]:
    status, text = lab.run(DUT_HOST, [_IP, *arguments])
    return json.loads(text or "[]") if not status else []
