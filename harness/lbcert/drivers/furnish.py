"""What a deployment needs in its DUT host besides the product: its folder, `files` and the `network.setup` script."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

from ..dut_model import Deployment
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from .base import CONFIG_FOLDER, DriverError


LARGEST_FILE = 1 << 22
"""bytes; larger files of a DUT's folder are no configuration and stay outside"""
MADE = ("self-signed", "authority")
"""sources of `files` that are no file of the folder"""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.S)
_NOT_COPIED = ("dut.yaml", "expected.yaml")


def furnish(broker: Broker, deployment: Deployment, folder: Path, output: Path) -> dict[str, list[str]]:
    """Copy the DUT's folder and `files` and run `network.setup` as root of the DUT host; DriverError if that fails.

    Returns the fingerprints of the certificates in `files`, by path, in the order in which they stand there.
    """
    with tempfile.TemporaryDirectory(prefix="lbcert-") as scratch:
        files: dict[str, tuple[str | bytes, int]] = {}
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name not in _NOT_COPIED and path.stat().st_size <= LARGEST_FILE:
                content = deployment.edited[path.name].encode() if path.name in deployment.edited else str(path)
                files[f"{CONFIG_FOLDER}/{path.name}"] = (content, 0o755 if os.access(path, os.X_OK) else 0o644)
        for target, source in deployment.files.items():
            path = folder / source
            if source == "self-signed":
                path = _self_signed(Path(scratch), os.path.basename(target))
            elif source == "authority":
                path = _issued(Path(scratch), os.path.basename(target), deployment)
            files[target] = (str(path), 0o600 if source in MADE else 0o644)
        certificates = {target: found for target in deployment.files if (found := _fingerprints(Path(str(files[target][0]))))}
        setup = deployment.network.get("setup")
        broker.put_files(DUT_HOST, files)
    if setup:
        _run_setup(broker, setup, output)
    return certificates


def _fingerprints(path: Path) -> list[str]:
    """SHA-256 of each certificate in a PEM file."""
    from ..security.tls import fingerprint

    found = _CERTIFICATE.findall(path.read_bytes())
    return [fingerprint(ssl.PEM_cert_to_DER_cert(text.decode("ascii"))) for text in found]


def _issued(scratch: Path, name: str, deployment: Deployment) -> Path:
    """A certificate of the lab's authority for the site, with the chain to its root and the key, as terminators want it."""
    from ..security.authority import SITE, authority

    addresses = [text.rpartition(":")[0].strip("[]") for text in deployment.services.values()]
    path = scratch / name
    path.write_text(authority().vip([SITE], addresses).pem)
    return path


def _self_signed(scratch: Path, name: str) -> Path:
    """A fresh key and certificate in one PEM file, as terminators want it."""
    if not shutil.which("openssl"):
        raise DriverError("files: self-signed needs the program openssl; install it (apt-get install openssl)")
    key, certificate, both = (scratch / f"{name}.{part}" for part in ("key", "crt", "pem"))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=lbcert test"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return both


def _run_setup(broker: Broker, setup: str, output: Path) -> None:
    try:
        status, text = broker.run(DUT_HOST, ["/bin/sh", f"{CONFIG_FOLDER}/{setup}"], CONFIG_FOLDER)
    except LabError as error:
        raise DriverError(f"network.setup {setup}: {error}") from None
    with output.open("a") as file:
        file.write(text)
    if status:
        raise DriverError(f"network.setup {setup} ended with status {status}: {text.strip()[-1000:]}")
