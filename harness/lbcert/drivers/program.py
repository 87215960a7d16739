"""A product that is a program of this machine with a configuration file: found, put into a lab, run, and quoted."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..dut_model import Deployment, Product
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from .base import CONFIG_FOLDER, DriverError

_FOLDER = "/run/lbcert/product"
_SHOWN = 12
"""lines of a program's complaint that are quoted"""


def binary_of(product: Product) -> tuple[Path, str] | None:
    """The program that `binary` in dut.yaml names, and its origin in words; None where it names none."""
    if not product.binary:
        return None
    path = Path(product.binary)
    path = path if path.is_absolute() else product.folder / path
    where = f"{product.folder / 'dut.yaml'}, binary: {path}"
    if not path.is_file():
        raise DriverError(f"{where} does not exist; install it or correct the path")
    if not os.access(path, os.X_OK):
        raise DriverError(f"{where} is not executable; chmod +x it")
    return path.resolve(), f"binary: {path}"


def config_path(deployment: Deployment) -> str:
    """Where the deployment's configuration lies in the lab."""
    return f"{CONFIG_FOLDER}/{deployment.config.name}"


@dataclass(frozen=True)
class Program:
    """One program; `name` is the product's, for messages."""

    name: str
    binary: Path

    def inside(self, lab: Broker) -> str:
        """Its path in the lab; one that the DUT host does not see is copied in, with the lib folder beside it."""
        return str(self.binary) if lab.sees(self.binary) else f"{_FOLDER}/{self.binary.name}"

    def put(self, lab: Broker, deployment: Deployment, more: Mapping[str, bytes], directories: Sequence[str]) -> None:
        """Copy the program (if need be), its configuration and `more` files into the DUT host."""
        files: dict[str, tuple[str | bytes, int]] = {path: (content, 0o644) for path, content in more.items()}
        files[config_path(deployment)] = (deployment.text.encode(), 0o644)
        if not lab.sees(self.binary):
            files[self.inside(lab)] = (str(self.binary), 0o755)
            libraries = self.binary.parent / "lib"
            for library in (path for path in libraries.iterdir() if path.is_file()) if libraries.is_dir() else ():
                files[f"{_FOLDER}/lib/{library.name}"] = (str(library), 0o755)
        lab.put_files(DUT_HOST, files, list(directories))

    def spawn(self, lab: Broker, output: Path, arguments: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})) -> int:
        """Start it; returns its pid in the lab."""
        with output.open("ab") as file:
            argv, env = [self.inside(lab), *arguments], dict(environment)
            return lab.request("spawn", [file.fileno()], host=DUT_HOST, argv=argv, cwd=CONFIG_FOLDER, env=env)["pid"]

    def run(self, lab: Broker, output: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run it to its end; returns status and output."""
        try:
            status, text = lab.run(DUT_HOST, [self.inside(lab), *arguments], CONFIG_FOLDER, dict(environment or {}))
        except LabError as error:
            raise DriverError(f"{self.binary} {arguments[0]}: {error}") from None
        with output.open("a") as file:
            file.write(text)
        return status, text

    def readable(self, text: str, deployment: Deployment) -> str:
        """The program's own complaints, with the user's file in place of the lab's copy."""
        complaints = [line for line in text.splitlines() if re.search(r"alert|emerg|error|warn", line, re.I)]
        shown = "\n".join((complaints or text.splitlines())[:_SHOWN])
        return shown.replace(f"{CONFIG_FOLDER}/", f"{deployment.config.parent}/")
