"""`ideal` and `null`: our own scripted balancer, the positive and the negative control."""

from __future__ import annotations

from pathlib import Path

from .. import __version__
from ..balancer import config as balancer_config
from ..dut_model import Deployment, Product
from ..topology.netns import Broker
from ..topology.plan import DUT_HOST
from .base import Build, Discovery, ProductRejected, Server, sha256


class Scripted:
    """The driver of our balancer; it needs no start to tell what it does."""

    def __init__(self, product: Product):
        self.product = product

    def discover(self, scratch: Broker, deployment: Deployment, output: Path) -> Discovery:
        parsed = self._parse(deployment)
        source = Path(balancer_config.__file__)
        return Discovery(
            Build(__version__, "part of this suite", sha256(source), "scripted balancer"),
            tuple((address.host, address.port) for address in parsed.listen),
            tuple(Server(name, address.host, address.port) for name, address in parsed.servers.items()),
        )

    def start(self, lab: Broker, deployment: Deployment, output: Path) -> None:
        self._parse(deployment)
        with output.open("ab") as file:
            lab.request("balancer", [file.fileno()], host=DUT_HOST, config=deployment.text, source=str(deployment.config))

    def _parse(self, deployment: Deployment):
        try:
            return balancer_config.parse(deployment.text, str(deployment.config))
        except balancer_config.ConfigError as error:
            raise ProductRejected(str(error)) from None
