"""What a deployment needs in its DUT host besides the product: its folder, `files` and the `network.setup` script."""

from __future__ import annotations

import os
import re
import ssl
from functools import cache
from pathlib import Path

from ..dut_model import Deployment
from ..security.certificates import ServerCertificate, certificate_for
from ..security.tls import fingerprint
from ..topology.interface import Broker, LabError
from ..topology.plan import DUT_HOST
from .base import CONFIG_FOLDER, DriverError


LARGEST_FILE = 1 << 22
"""bytes; larger files of a DUT's folder are no configuration and stay outside"""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.S)
_NOT_COPIED = ("dut.yaml", "expected.yaml")


def furnish(broker: Broker, deployment: Deployment, folder: Path, output: Path) -> dict[str, list[str]]:
    """Copy the DUT's folder and `files` and run `network.setup` as root of the DUT host; DriverError if that fails.

    Returns the fingerprints of the certificates in `files`, by path, in the order in which they stand there.
    """
    files: dict[str, tuple[str | bytes, int]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in _NOT_COPIED and path.stat().st_size <= LARGEST_FILE:
            content = deployment.edited[path.name].encode() if path.name in deployment.edited else str(path)
            files[f"{CONFIG_FOLDER}/{path.name}"] = (content, 0o755 if os.access(path, os.X_OK) else 0o644)
    certificates = {}
    for target, source in deployment.files.items():
        text = _made(source, target, deployment)
        files[target] = (text, 0o600) if text is not None else (str(folder / source), 0o644)
        if found := fingerprints((folder / source).read_bytes() if text is None else text):
            certificates[target] = found
    setup = deployment.network.get("setup")
    broker.put_files(DUT_HOST, files)
    if setup:
        _run_setup(broker, setup, deployment.edited.get(setup) or (folder / setup).read_text(errors="replace"), output)
    return certificates


def _made(source: str, target: str, deployment: Deployment) -> bytes | None:
    """The content of a file that is made for the lab; None if it is one of the folder."""
    if source == "self-signed":
        return certificate_of(target).pem.encode()
    if source != "authority":
        return None
    return _issued(tuple(text.rpartition(":")[0].strip("[]") for text in deployment.services.values()))


@cache
def _issued(addresses: tuple[str, ...]) -> bytes:
    """Certificate, chain and key for the site, of the lab's authority. RSA, so that no key exchange is impossible."""
    from ..security.authority import SITE, authority

    return authority().vip([SITE], addresses, rsa=True).pem.encode()


def fingerprints(pem: bytes) -> list[str]:
    """SHA-256 of each certificate in a PEM file, in their order."""
    return [fingerprint(ssl.PEM_cert_to_DER_cert(text.decode("ascii"))) for text in _CERTIFICATE.findall(pem)]


def certificate_of(target: str) -> ServerCertificate:
    """The certificate that `self-signed` puts in place at `target`."""
    return certificate_for(os.path.basename(target))


def interpreter(script: str) -> list[str]:
    """What a script is run with: the words of its first line `#!...`, as the kernel would; /bin/sh where it has none."""
    first = script.partition("\n")[0]
    return first[2:].split(maxsplit=1) or ["/bin/sh"] if first.startswith("#!") else ["/bin/sh"]


def _run_setup(broker: Broker, setup: str, script: str, output: Path) -> None:
    try:
        status, text = broker.run(DUT_HOST, [*interpreter(script), f"{CONFIG_FOLDER}/{setup}"], CONFIG_FOLDER)
    except LabError as error:
        raise DriverError(f"network.setup {setup}: {error}") from None
    with output.open("a") as file:
        file.write(text)
    if status:
        raise DriverError(f"network.setup {setup} ended with status {status}: {text.strip()[-1000:]}")
