"""What a DUT is: a product, its deployments, and what each declares. Values only; `dut.py` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DETECTION_CEILING = 15.0
"""s: a declared detection beyond this fails the rows that use it; undeclared checks are held to it"""


@dataclass(frozen=True)
class HealthCheck:
    """The product's check of a real server: times in seconds, counts in checks."""

    inter: float
    fall: int
    rise: int
    timeout: float
    kind: str = "tcp"
    """tcp: connects only; anything else (rdp, tls, ...) speaks, and so notices a hung server"""
    declared: bool = True


UNDECLARED_CHECK = HealthCheck(inter=2.5, fall=3, rise=2, timeout=2.5, declared=False)
"""fall x (inter + timeout) is the ceiling"""


@dataclass(frozen=True)
class Declares:
    """The values that checks hold a deployment to."""

    health_check: HealthCheck = UNDECLARED_CHECK
    persistence: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def returns_after_recovery(self) -> bool | None:
        """Whether users go back to their returned server; None where it is not declared."""
        return self.persistence.get("returns_after_recovery")


@dataclass(frozen=True)
class Deployment:
    """One product set up for one profile."""

    id: str
    profile: str
    config: Path
    text: str
    """the configuration as it is run (a mutant's differs from the file's)"""
    claims: tuple[str, ...] = ()
    declares: Declares = Declares()
    services: dict[str, str] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    documents: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Product:
    """A folder with dut.yaml, or a mutant of one."""

    ref: str
    """what was given to --dut"""
    name: str
    vendor: str
    driver: str
    folder: Path
    deployments: tuple[Deployment, ...]
    binary: str | None = None
    mutant: str | None = None

    def deployment(self, name: str) -> Deployment:
        return next(d for d in self.deployments if d.id == name)
