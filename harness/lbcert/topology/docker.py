"""The `docker` provider: each host of a lab is a container, Compose makes them, and the broker connects them.

The broker is PID 1 of a container of its own, whose numbering of processes all others share, so that it can enter them;
it connects to a socket in a folder of ours, over which descriptors pass as in a `netns` lab. No lab has an engine's
network: two labs with the same addresses run side by side, and neither meets the user's networks.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import socket
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from . import engine, probe
from .channel import Channel
from .interface import BUILD_PATIENCE, Broker, LabError, Unavailable
from .plan import Plan

COMPOSE_FILE = Path(__file__).parents[3] / "docker-compose.yml"
_PACKAGE = Path(__file__).parents[2]
_CONTROL = "/run/lbcert-control"
_LAB = "lab"
_SIDE = "/opt/lbcert-needs"
_NEEDED = ("aiosipua", "h11")
"""packages of pure Python that mock servers of pools and web sites use: the distribution has them in other versions, or not at all"""


class Docker:
    """Labs on the Docker engine of this machine."""

    shared: tuple[str, ...] = ()

    def __init__(self, log: int | None = None):
        self.log = log
        self.owner = engine.own_name()
        self.folder = Path(tempfile.mkdtemp(prefix=engine.FOLDER_PREFIX))
        self.compose: list[str] = []
        self.image = ""
        self.count = 0
        self.labs: dict[int, list[str]] = {}
        """number -> its containers"""

    def probe(self) -> None:
        """Look for engine, Compose and image, and remove what labs of ended runs left; raises Unavailable."""
        probe.files()
        try:
            engine.check_engine()
            self.compose = engine.find_compose()
            self.image = _image()
            engine.check_image(self.image)
            engine.sweep()
        except LabError as error:
            raise Unavailable(str(error)) from None

    def start(self, plan: Plan, hosts: dict[str, str] | None = None, modules: Sequence[str] = ()) -> Broker:
        """Build a lab; raises LabError with the engine's reason where that fails."""
        self.count += 1
        number = self.count
        # Of the folder's name a part is random: numbers of processes are not one engine's own.
        project = f"{self.folder.name}-{number}"
        services = self._services(plan, number, _packages() if modules else {})
        self.labs[number] = [f"{project}-{name}" for name in services]
        for name, container in zip(services, self.labs[number], strict=True):
            services[name]["container_name"] = container
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(self.folder / f"{number}"))
            listener.listen(1)
            try:
                self._up(project, services)
                control = self._accept(listener, number)
                control.send({"plan": plan.to_json(), "hosts": hosts or {}, "modules": list(modules)})
                return Broker(self, number, control)
            except BaseException:
                self._abandon(number)
                raise

    def wait_gone(self, number: int) -> None:
        """Remove the containers of lab `number`, which end with its broker; returns when they are gone."""
        containers = self.labs.pop(number, [])
        engine.wait_stopped(containers)
        engine.remove(containers)
        (self.folder / f"{number}").unlink(missing_ok=True)

    def alive(self) -> bool:
        """The engine is nobody's child; whether it still answers, the next lab tells."""
        return True

    def close(self) -> None:
        """Remove every container of this process."""
        try:
            if self.count:
                engine.remove_of(self.owner)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- steps ------------------------------------------------------------------------------------

    def _services(self, plan: Plan, number: int, packages: dict[str, str]) -> dict[str, dict[str, Any]]:
        """The lab as Compose's services: the broker's container with `packages` (name -> folder here), and one for each host."""
        common = {
            "image": self.image,
            "pull_policy": "never",
            "network_mode": "none",
            "stop_grace_period": "0s",
            "labels": {engine.OWNER: self.owner, engine.FOLDER: str(self.folder)},
        }
        _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
        lab = {
            "hostname": _LAB,
            "command": ["python3", "-m", "lbcert.topology.container", f"{_CONTROL}/{number}"],
            # To enter the others and connect them, and to see what a product that has changed user holds. What is started there
            # gives all of it up (container.py).
            "cap_add": ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"],
            "security_opt": ["apparmor=unconfined"],
            "ulimits": {"nofile": {"soft": files, "hard": files}},
            "environment": {"PYTHONPATH": f"/opt/lbcert:{_SIDE}"},
            "volumes": [f"{_PACKAGE}:/opt/lbcert:ro", f"{self.folder}:{_CONTROL}",
                        *(f"{folder}:{_SIDE}/{name}:ro" for name, folder in packages.items())],
        }
        services = {_LAB: {**common, **lab}}
        for host in plan.hosts:
            if host.name == _LAB:
                raise LabError(f"a host of a docker lab cannot be called {_LAB}")
            services[host.name] = {**common, "hostname": host.name, "pid": f"service:{_LAB}",
                                   "environment": {engine.HOST_VARIABLE: host.name}, "command": ["sleep", "infinity"]}  # fmt: skip
        return services

    def _up(self, project: str, services: dict[str, Any]) -> None:
        model = json.dumps({"name": project, "services": services})
        done = engine.run([*self.compose, "--file", "-", "--project-name", project, "up", "--detach", "--no-build"], model)
        if done.status:
            raise LabError(f"the containers of the lab did not start: {done.reason}")

    def _accept(self, listener: socket.socket, number: int) -> Channel:
        """The connection of the lab's broker."""
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        if not poll.poll(BUILD_PATIENCE * 1000):
            said = engine.run(["docker", "logs", self.labs[number][0]])
            raise LabError(f"the lab's container did not connect to {self.folder} within {BUILD_PATIENCE:g} s: "
                           f"{(said.errors.strip() or 'it said nothing').splitlines()[-1]}")  # fmt: skip
        return Channel(listener.accept()[0])

    def _abandon(self, number: int) -> None:
        """Keep what the lab's broker said, end it, and remove what there is of the lab."""
        containers = self.labs.get(number)
        if not containers:
            return
        if self.log is not None:
            said = engine.run(["docker", "logs", containers[0]])
            os.write(self.log, (said.output + said.errors).encode())
        engine.run(["docker", "kill", containers[0]])
        self.wait_gone(number)


def _packages() -> dict[str, str]:
    """Where this Python has what mock servers need besides the image's packages: folder's name -> path, what is said about each with it."""
    found: dict[str, str] = {}
    for name in _NEEDED:
        with contextlib.suppress(metadata.PackageNotFoundError):
            for file in metadata.distribution(name).files or ():
                if file.name in ("METADATA", "__init__.py") and len(file.parts) == 2:
                    folder = Path(file.locate()).parent
                    found[folder.name] = str(folder)
    return found


def _image() -> str:
    """The image that docker-compose.yml builds."""
    try:
        return yaml.safe_load(COMPOSE_FILE.read_text())["x-host"]["image"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise Unavailable(f"{COMPOSE_FILE}: no x-host with an image ({error}); restore the file") from None
