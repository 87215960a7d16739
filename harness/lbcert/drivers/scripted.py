"""`ideal` and `null`: our own scripted balancer, the positive and the negative control."""

from __future__ import annotations

from pathlib import Path

from .. import __version__
from ..balancer import config as balancer_config
from ..balancer.control import DONE
from ..balancer.defects import policy_for
from ..deadlines import PATIENCE
from ..dut_model import Deployment, Product
from ..topology.interface import Broker
from ..topology.plan import DUT_HOST
from .base import Build, Discovery, DriverError, NotAble, ProductRejected, Server, sha256


class Scripted:
    """The driver of our balancer; it needs no start to tell what it does."""

    def __init__(self, product: Product):
        self.product = product

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        parsed = self._parse(deployment)
        source = Path(balancer_config.__file__)
        # What it really listens on: a product is asked the same, and a defect may be about just that.
        policy = policy_for(parsed, (), lambda: 0.0)
        return Discovery(
            Build(__version__, "part of this suite", sha256(source), "scripted balancer"),
            tuple((address.host, address.port) for address in (*policy.listens(), *policy.shows_statistics())),
            tuple(Server(name, address.host, address.port) for name, address in parsed.servers.items())
            + tuple(Server(name, address.host, address.port, active=False) for name, address in parsed.backup.items()),
        )

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        self._parse(deployment)
        with output.open("ab") as file:
            lab.request("balancer", [file.fileno()], host=DUT_HOST, config=deployment.text, source=str(deployment.config))

    # -- the administrator

    def drain(self, lab: Broker, deployment: Deployment, address: str) -> None:
        self._order(lab, deployment, f"drain {self._named(deployment, address)}")

    def ready(self, lab: Broker, deployment: Deployment, address: str) -> None:
        self._order(lab, deployment, f"ready {self._named(deployment, address)}")

    def reload(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        self._order(lab, deployment, "reload")

    def _named(self, deployment: Deployment, address: str) -> str:
        return next(name for name, there in self._parse(deployment).servers.items() if there.host == address)

    def _order(self, lab: Broker, deployment: Deployment, order: str) -> None:
        path = self._parse(deployment).control
        if path is None:
            raise NotAble(f"{deployment.config.name} has no control socket")
        with lab.unix(DUT_HOST, path) as sock:
            sock.settimeout(PATIENCE["report"])
            sock.sendall(order.encode() + b"\n")
            answer = sock.makefile().readline().strip()
        if answer != DONE:
            raise DriverError(f"{order}: {answer}")

    def _parse(self, deployment: Deployment):
        try:
            return balancer_config.parse(deployment.text, str(deployment.config))
        except balancer_config.ConfigError as error:
            raise ProductRejected(str(error)) from None
