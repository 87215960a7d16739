"""What a deployment needs in its DUT host besides the product: its folder, `files` and the `network.setup` script."""

from __future__ import annotations

import os
from pathlib import Path

from ..dut_model import Deployment
from ..security.certificates import ServerCertificate, certificate_for
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from .base import CONFIG_FOLDER, DriverError


LARGEST_FILE = 1 << 22
"""bytes; larger files of a DUT's folder are no configuration and stay outside"""
_NOT_COPIED = ("dut.yaml", "expected.yaml")


def furnish(broker: Broker, deployment: Deployment, folder: Path, output: Path) -> None:
    """Copy the DUT's folder and `files` and run `network.setup` as root of the DUT host; DriverError if that fails."""
    files: dict[str, tuple[str | bytes, int]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in _NOT_COPIED and path.stat().st_size <= LARGEST_FILE:
            content = deployment.edited[path.name].encode() if path.name in deployment.edited else str(path)
            files[f"{CONFIG_FOLDER}/{path.name}"] = (content, 0o755 if os.access(path, os.X_OK) else 0o644)
    for target, source in deployment.files.items():
        if source == "self-signed":
            files[target] = (certificate_of(target).pem.encode(), 0o600)
        else:
            files[target] = (str(folder / source), 0o644)
    setup = deployment.network.get("setup")
    broker.put_files(DUT_HOST, files)
    if setup:
        _run_setup(broker, setup, output)


def certificate_of(target: str) -> ServerCertificate:
    """The certificate that `self-signed` puts in place at `target`."""
    return certificate_for(os.path.basename(target))


def _run_setup(broker: Broker, setup: str, output: Path) -> None:
    try:
        status, text = broker.run(DUT_HOST, ["/bin/sh", f"{CONFIG_FOLDER}/{setup}"], CONFIG_FOLDER)
    except LabError as error:
        raise DriverError(f"network.setup {setup}: {error}") from None
    with output.open("a") as file:
        file.write(text)
    if status:
        raise DriverError(f"network.setup {setup} ended with status {status}: {text.strip()[-1000:]}")
