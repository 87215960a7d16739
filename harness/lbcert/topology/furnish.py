"""What a deployment needs in its DUT host besides the product: `files` and the `network.setup` script."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from ..deadlines import PATIENCE
from ..drivers import DriverError
from ..drivers.base import CONFIG_FOLDER
from ..dut_model import Deployment
from .netns import Broker
from .plan import DUT_HOST


def furnish(broker: Broker, deployment: Deployment, folder: Path, output: Path) -> None:
    """Put `files` in place and run `network.setup` as root of the DUT host; DriverError if that fails."""
    with tempfile.TemporaryDirectory(prefix="lbcert-") as scratch:
        files: dict[str, tuple[str, int]] = {}
        for target, source in deployment.files.items():
            path = folder / source
            if source == "self-signed":
                path = _self_signed(Path(scratch), os.path.basename(target))
            files[target] = (str(path), 0o600 if source == "self-signed" else 0o644)
        setup = deployment.network.get("setup")
        if setup:
            files[f"{CONFIG_FOLDER}/{setup}"] = (str(folder / setup), 0o755)
        broker.put_files(DUT_HOST, files)
    if setup:
        _run_setup(broker, setup, output)


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
    exits: dict[int, int] = {}
    before = broker.on_event

    def note(event: dict) -> None:
        if event["event"] == "exit":
            exits[event["pid"]] = event["status"]
        before(event)

    broker.on_event = note
    start = output.stat().st_size if output.exists() else 0
    try:
        with output.open("ab") as file:
            argv = ["/bin/sh", f"{CONFIG_FOLDER}/{setup}"]
            pid = broker.request("spawn", [file.fileno()], host=DUT_HOST, argv=argv, cwd=CONFIG_FOLDER)["pid"]
        deadline = time.monotonic() + PATIENCE["ready"]
        while pid not in exits:
            if time.monotonic() > deadline:
                raise DriverError(f"network.setup {setup} did not end within {PATIENCE['ready']:g} s")
            broker.request("tick")
    finally:
        broker.on_event = before
    if exits[pid]:
        text = output.read_bytes()[start:].decode(errors="replace").strip()
        raise DriverError(f"network.setup {setup} ended with status {exits[pid]}: {text[-1000:]}")
