"""What a DUT is: a product, its deployments, and what each declares. Values only; `dut.py` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

SHORT_LIFETIME = 4.0
"""s that a persistence entry lives in the variant short-lifetime"""
SMALL_TABLE = 100
"""users for whom there is room in the variant small-table"""
LIFETIME_FLOOR = 8 * 3600.0
"""s that a persistence entry should live at least (design 4: ceilings)"""
SHORT_IDLE = 6.0
"""s that a silent session lives in the variant short-idle"""
POOL_LIFETIME_FLOOR = 1800.0
"""s that a persistence entry must live in a pool (design 4: ceilings; the article's `expire 30m`)"""
POOL_CROWD = 1000
"""clients who come before a known one comes again (OCS-AFF-03): a table with room for fewer shows in traffic"""
IDLE_FLOOR = 3600.0
"""s that a silent session should live at least (design 4: ceilings; the article's timeouts)"""
SMALL_PORTS = 200
"""outgoing ports of each address in the variants small-ports and two-addresses"""
SMALL_MAXCONN = 100
"""connections that are admitted in the variant small-maxconn"""
POOL_IDLE_FLOOR = 1800.0
"""s that a silent SIP connection should live at least (design 4: ceilings; the article's timeouts)"""
POOL_CHECK_CEILING = 5.0
"""s between two checks of a Front End at most (design 4: ceilings)"""
VARIANTS = {
    "short-lifetime": f"a persistence entry lives {SHORT_LIFETIME:g} s instead of its usual time",
    "small-table": f"the persistence table has room for {SMALL_TABLE} users",
    "not-transparent": "the servers see the product's own address in place of the client's",
    "proxy-v1": "the servers get a PROXY header of version 1 in place of version 2",
    "short-idle": f"a silent session lives {SHORT_IDLE:g} s instead of its usual time",
    "small-ports": f"connections to servers come from {SMALL_PORTS} ports of one address",
    "two-addresses": f"connections to servers come from {SMALL_PORTS} ports of each of two addresses",
    "small-maxconn": f"{SMALL_MAXCONN} connections are admitted at the same time",
}
"""the variants of a deployment that tests know, and what differs in them"""
LINES_OF = {"proxy-v1": 2, "short-idle": 2, "not-transparent": 3, "two-addresses": 5}
"""variants that change more than one line of a configuration: an idle time is often set for clients and for servers, and some
products have a line for each service, or for each address that a server is reached from"""
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
    """tcp: connects only; rdp, tls, http, sip: speaks, and so notices a hung server; passive: there is none, see `passive`"""
    declared: bool = True

    @property
    def passive(self) -> bool:
        """Whether users find out who is dead, since the product checks nobody.

        Then `fall` is how many users' connections must fail, `timeout` after how long one that is not answered has
        failed, `inter` how long the server is left alone before a user is sent there again, and `rise` how many of
        these must come through.
        """
        return self.kind == "passive"

    @property
    def speaks(self) -> bool:
        """Whether a server that accepts connections and never answers must be noticed."""
        return self.kind not in ("tcp", "passive")


UNDECLARED_CHECK = HealthCheck(inter=2.5, fall=3, rise=2, timeout=2.5, declared=False)
"""fall x (inter + timeout) is the ceiling"""


@dataclass(frozen=True)
class Declares:
    """The values that checks hold a deployment to."""

    health_check: HealthCheck = UNDECLARED_CHECK
    persistence: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, Any]:
        """What may be read in evidence and reports: all but a password."""
        administration = self.raw.get("administration", {})
        if "password" not in administration:
            return self.raw
        return {**self.raw, "administration": {**administration, "password": "(not shown)"}}

    @property
    def returns_after_recovery(self) -> bool | None:
        """Whether users go back to their returned server; None where it is not declared."""
        return self.persistence.get("returns_after_recovery")

    @property
    def timer(self) -> float | str | None:
        """Seconds that a persistence entry lives; "none": for ever; None where it is not declared."""
        return self.persistence.get("timer")

    @property
    def size(self) -> int | str | None:
        """How many users the persistence table has room for; "none": there is no table; None where it is not declared."""
        return self.persistence.get("size")

    @property
    def idle(self) -> float | str | None:
        """Seconds that a session without any byte lives; "none": for ever; None where it is not declared."""
        return self.session.get("idle")

    @property
    def stands_alone(self) -> bool:
        """Whether nobody is to stand in for a pool of which no server is left."""
        return self.raw.get("pool", {}).get("fallback") == "none"

    @property
    def fallback(self) -> str:
        """Where a client without a name goes: "balance", like any new client, or "source", by its address."""
        return self.persistence.get("fallback", "balance")


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
    environment: dict[str, str] = field(default_factory=dict)
    """variables that the product is started with"""
    documents: tuple[dict[str, str], ...] = ()
    edited: dict[str, str] = field(default_factory=dict)
    """other files of the folder whose text a mutant has changed: name -> text"""
    variants: dict[str, Path] = field(default_factory=dict)
    """the same configuration but for one value, by what the value is"""
    texts: dict[str, str] = field(default_factory=dict)
    """the variants as they are run"""
    variant: str | None = None
    """which variant this is; None for the deployment itself"""

    @property
    def name(self) -> str:
        """Deployment and variant, as in names of files."""
        return f"{self.id}.{self.variant}" if self.variant else self.id

    def as_variant(self, name: str) -> Deployment:
        """This deployment with the configuration of one of its variants."""
        return replace(self, config=self.variants[name], text=self.texts[name], variant=name)


@dataclass(frozen=True)
class Mutant:
    """What a mutant's file says of itself."""

    id: str
    base: str
    summary: str
    targets: tuple[str, ...]
    """requirements that must not pass"""
    may_block: tuple[str, ...] = ()
    """requirements that may be blocked by that"""
    tier: str = "ci"
    """ci: tried every day; nightly: it takes too long for that"""


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
    mutant: Mutant | None = None

    def deployment(self, name: str) -> Deployment:
        return next(d for d in self.deployments if d.id == name)
