"""The interface between the suite and a product, and what both know of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..dut_model import Deployment, Product
from ..offers import offer_of
from ..topology.interface import Broker

RDP_PORT = 3389
CONFIG_FOLDER = "/etc/lbcert/dut"
"""where the DUT's folder lies in the lab; the product is started there, so relative paths work"""


class DriverError(Exception):
    """The product could not be used: missing, broken, or not what dut.yaml says. One clear message."""


class ProductRejected(DriverError):
    """The product refuses its configuration; the message holds its own words with file and line."""

    words: str = ""
    """all that it said"""


@dataclass(frozen=True)
class Build:
    """Which product this is."""

    version: str
    origin: str
    """where its binary comes from"""
    sha256: str
    details: str = ""


@dataclass(frozen=True)
class Server:
    """A real server as the product knows it."""

    name: str
    address: str
    port: int
    active: bool = True
    """whether new users are sent to it while all servers are well; a backup server's are not"""
    resting: bool = False
    """whether it is no backup and gets nobody all the same: weight 0, or maintenance"""


@dataclass(frozen=True)
class Memory:
    """What a persistence table of the product can hold."""

    lifetime: float | None
    """s that an entry lives when its user does not come back; None for ever"""
    size: int
    """users"""


@dataclass(frozen=True)
class Discovery:
    """What the product says it does, learnt by starting it once where nobody else is."""

    build: Build
    listening: tuple[tuple[str, int], ...]
    servers: tuple[Server, ...]
    """those behind the listener of the deployment's profile"""
    lowered_limits: dict[str, str] = field(default_factory=dict)
    check_counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """server name -> (fall, rise), where the product tells"""
    memories: dict[str, Memory] = field(default_factory=dict)
    """persistence table -> what it can hold, where the product tells"""
    sockets: bool = True
    """whether the product accepts connections itself; one that passes packets on has a method `ready` in its driver"""


class NotAble(DriverError):
    """The product has no such ability, or the driver no way to ask for it; the message says which."""


class Driver(Protocol):
    """A product under test. What programs with a configuration file have in common is in `program`.

    `discover` finds listeners in the kernel's tables, and real servers by asking the product (`haproxy_admin`) or, where it
    tells nobody, by sending users through it (`destinations`). A product that tells less leaves the rest of a Discovery empty.

    A driver may have further methods, for what an administrator can ask of the product. They return when the product
    has confirmed it, and raise NotAble where this deployment does not offer it. A driver without one lacks the ability:

        drain(lab, deployment, address)    no new users for the real server at `address`
        ready(lab, deployment, address)    back into the pool
        reload(lab, deployment, output)    read the same configuration again, the way the product's manual says
        restart(lab, deployment, output, part)   end one of its programs (`parts`, in the order of their start), and start it again

    A driver that starts a program may offer it on a faster clock (module `faster`). It then has `faster_clock = True`,
    `start` takes a `clock`, to be in the program's environment and to add its control listeners, and

        rest_checks(lab)                   take all servers for well and check them no more
    """

    product: Product

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        """Start the product in a lab of its own and read what it listens on and sends to."""

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        """Start the product for a test; returns once it was told to start, not when it is ready."""


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def choose_services(deployment: Deployment, listening: Sequence[tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """Where clients find each service of the deployment's profile, the main one first; DriverError if that is not clear.

    The main service is found by its usual port, and the others on the same address; `services` in dut.yaml may say otherwise.
    One that the product does not listen for is left out, unless dut.yaml names it.
    """
    offer = offer_of(deployment.profile)
    given = {name: _pair(text) for name, text in deployment.services.items()}
    vip = given.get(offer.main) or _main(deployment, listening, offer.main, offer.services[offer.main])
    found = {offer.main: vip}
    for name, port in offer.services.items():
        if name in given:
            found[name] = given[name]
        elif {(vip[0], port), ("0.0.0.0", port), ("::", port)} & set(listening):
            found.setdefault(name, (vip[0], port))
    return found


def choose_vip(deployment: Deployment, listening: Sequence[tuple[str, int]]) -> tuple[str, int]:
    """Where clients of the deployment's main service connect to; DriverError if that is not clear."""
    return next(iter(choose_services(deployment, listening).values()))


def _pair(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _main(deployment: Deployment, listening: Sequence[tuple[str, int]], name: str, port: int) -> tuple[str, int]:
    found = sorted({pair for pair in listening if pair[1] == port})
    known = ", ".join(f"{ip}:{port}" for ip, port in listening) or "none"
    if len(found) != 1:
        which = "no listener" if not found else "more than one listener"
        raise DriverError(f"{deployment.config}: {which} on port {port} (found: {known}); "
                          f'name it in dut.yaml: services: {{{name}: "ADDRESS:PORT"}}')  # fmt: skip
    if found[0][0] in ("0.0.0.0", "::"):
        raise DriverError(f"{deployment.config}: the listener on port {port} is bound to every address; "
                          f'name its VIP in dut.yaml: services: {{{name}: "ADDRESS:{port}"}}')  # fmt: skip
    return found[0]
