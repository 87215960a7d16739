"""The interface between the suite and a product, and what both know of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..dut_model import Deployment, Product
from ..topology.netns import Broker

CONFIG_FOLDER = "/etc/lbcert/dut"
"""where the DUT's folder lies in the lab; the product is started there, so relative paths work"""


class DriverError(Exception):
    """The product could not be used: missing, broken, or not what dut.yaml says. One clear message."""


class ProductRejected(DriverError):
    """The product refuses its configuration; the message holds its own words with file and line."""


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


@dataclass(frozen=True)
class Discovery:
    """What the product says it does, learnt by starting it once where nobody else is."""

    build: Build
    listening: tuple[tuple[str, int], ...]
    servers: tuple[Server, ...]
    lowered_limits: dict[str, str] = field(default_factory=dict)
    check_counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """server name -> (fall, rise), where the product tells"""


class Driver(Protocol):
    """A product under test."""

    product: Product

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        """Start the product in a lab of its own and read what it listens on and sends to."""

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        """Start the product for a test; returns once it was told to start, not when it is ready."""


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
