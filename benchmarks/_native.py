"""The yardstick in C: an epoll client and mock server, compiled here and now, run inside a lab in place of ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from lbcert.deadlines import patience
from lbcert.lab import Lab
from lbcert.topology.plan import CLIENT_HOST

_SOURCES = Path(__file__).parent / "c"
_IN_THE_LAB = "/tmp/lbcert-bench"


class NoCompiler(Exception):
    """There is no C compiler, or it does not compile these; one sentence."""


def compiled(folder: Path) -> dict[str, Path]:
    """The programs `client` and `server`, made in `folder`."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("no C compiler (cc): nothing to measure the clients against; as root: apt-get install gcc libc6-dev")
    programs = {name: folder / name for name in ("client", "server")}
    for name, program in programs.items():
        command = [compiler, "-O2", "-o", program, _SOURCES / f"{name}.c"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
            raise NoCompiler(f"{compiler} does not compile benchmarks/c/{name}.c: {last[0]}")
    return programs


def replace_servers(lab: Lab, program: Path) -> None:
    """Put a mock server in C in the place of each of the lab's own."""
    for server in lab.servers:
        server.running = False
        lab.broker.kill(server.pid)
        server.detach()
        host = server.host
        lab.broker.put_files(host, {_IN_THE_LAB: (str(program), 0o755)})
        for address, port in server.listen:
            _spawn(lab, host, [_IN_THE_LAB, address, str(port), str(server.index)], lab.files.output.with_suffix(f".{host}"))
            deadline = patience("ready")
            while [address, port] not in lab.broker.request("listening", host=host)["listening"]:
                if deadline.expired:
                    raise RuntimeError(f"the C mock server does not listen on {address} port {port}")
                lab.broker.request("tick")


def run_client(lab: Lab, program: Path, visits: list[tuple[str, str]], at_once: int) -> dict[str, Any]:
    """Have the C client make `visits` (source address, user); what it says of itself."""
    listed = "".join(f"{source} {user}\n" for source, user in visits).encode()
    lab.broker.put_files(CLIENT_HOST, {_IN_THE_LAB: (str(program), 0o755), f"{_IN_THE_LAB}.visits": (listed, 0o644)})
    output = lab.files.output.with_suffix(".client")
    before = sum(1 for _ in lab.history.of("exit"))
    address, port = lab.vip
    _spawn(lab, CLIENT_HOST, [_IN_THE_LAB, address, str(port), str(at_once), f"{_IN_THE_LAB}.visits"], output)
    lab.wait("the C client", lambda: sum(1 for _ in lab.history.of("exit")) > before, patience("outcome", 100.0))
    said = json.loads(output.read_text())
    if said["answered"] != said["visits"]:
        raise RuntimeError(f"the C client was answered {said['answered']} times of {said['visits']}")
    return said


def _spawn(lab: Lab, host: str, argv: list[str], output: Path) -> None:
    with output.open("wb") as file:
        lab.broker.request("spawn", [file.fileno()], host=host, argv=argv)
