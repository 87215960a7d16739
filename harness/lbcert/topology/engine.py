"""A Docker engine as the command line reaches it: is it there, can it be used, and what of ours is left on it.

Containers of labs carry labels that say whose they are. Only what carries them is ever removed, and only when the
pytest process that made it has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .interface import LabError, Unavailable

OLDEST_ENGINE = (20, 10)
OLDEST_COMPOSE = (2, 0)
OWNER = "lbcert.owner"
"""label: the pytest process that a container belongs to"""
FOLDER = "lbcert.folder"
"""label: that process's folder of sockets"""
HOST_VARIABLE = "LBCERT_HOST"
"""environment variable of a container's first process: which host of the plan it is"""
FOLDER_PREFIX = "lbcert-docker-"
PATIENCE = 60.0
"""s until the engine must have done what it was asked"""


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    status: int
    output: str
    errors: str

    @property
    def reason(self) -> str:
        """The last line of what it complained about."""
        return (self.errors.strip() or self.output.strip() or f"status {self.status}").splitlines()[-1]


def run(command: list[str], text: str = "") -> Done:
    """Run a command of the engine's to its end, out of reach of Ctrl-C; LabError if it does not end."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, errors="replace", timeout=PATIENCE,
                              check=False, start_new_session=True)  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LabError(f"`{' '.join(command[:3])}` did not end within {PATIENCE:g} s") from None
    except OSError as error:
        return Done(127, "", f"{command[0]}: {error.strerror}")
    return Done(done.returncode, done.stdout, done.stderr)


def check_engine() -> None:
    """Raise Unavailable unless an engine of this very machine answers and is new enough."""
    if not shutil.which("docker"):
        raise Unavailable("the program docker is not installed; as root: apt-get install docker.io "
                          "(or leave out --topology docker: labs need no container)")  # fmt: skip
    done = run(["docker", "version", "--format", "{{json .Server}}"])
    if done.status or not done.output.strip().startswith("{"):
        denied = "permission denied" in done.errors
        remedy = "add yourself to the group docker, or run as root" if denied else \
            "start it (systemctl start docker), or name the right one in DOCKER_HOST"
        raise Unavailable(f"no Docker engine answers: {done.reason} ({remedy})")
    server = json.loads(done.output)
    version = str(server.get("Version", ""))
    if _version(version) < OLDEST_ENGINE:
        raise Unavailable(f"the Docker engine is version {version or 'unknown'}; "
                          f"labs need {'.'.join(map(str, OLDEST_ENGINE))} or later")  # fmt: skip
    if server.get("KernelVersion") != platform.release():
        raise Unavailable(f"the Docker engine runs on another machine, or in a virtual one (its kernel is "
                          f"{server.get('KernelVersion')}, here {platform.release()}); labs hand sockets to pytest, so both "
                          "must be on one kernel: run the suite where the engine runs")  # fmt: skip


def find_compose() -> list[str]:
    """How Compose v2 is called here: the pinned one, else the engine's plugin, else a program of its own."""
    pinned = str(Path(sys.executable).parent / "docker-compose")
    seen = []
    for command in ([pinned], ["docker", "compose"], ["docker-compose"]):
        done = run([*command, "version", "--short"])
        if not done.status and _version(done.output) >= OLDEST_COMPOSE:
            return command
        if not done.status:
            seen.append(f"; `{' '.join(command)}` is version {done.output.strip()}")
    raise Unavailable(f"Docker Compose v2 is not installed{''.join(seen)}: run `make docker`")


def check_image(image: str) -> None:
    """Raise Unavailable unless the image of the labs' hosts is there."""
    if run(["docker", "image", "inspect", "--format", "{{.Id}}", image]).status:
        raise Unavailable(f"the image {image} has not been built: run `make docker`")


def _version(text: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2])) if found else (0, 0)


# -- whose is what --------------------------------------------------------------------------------


def own_name(pid: int | str = "self") -> str:
    """A name for a process that no other has, before or after it: boot, numbering, number, time of its start."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    numbering = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    return f"{boot}/{numbering}/{os.getpid() if pid == 'self' else pid}/{fields[19]}"


def has_ended(name: str) -> bool:
    """Whether the process with this name is gone; one that cannot be seen from here counts as alive."""
    parts, own = name.split("/"), own_name().split("/")
    if len(parts) != 4 or not parts[2].isdigit():
        return False
    if parts[0] != own[0]:
        return True
    if parts[1] != own[1]:
        return False
    try:
        return own_name(parts[2]) != name
    except OSError:
        return True


def sweep() -> None:
    """Remove what labs of ended pytest processes left on the engine."""
    format_ = f'{{{{.ID}}}}\t{{{{.Label "{OWNER}"}}}}\t{{{{.Label "{FOLDER}"}}}}'
    done = run(["docker", "ps", "--all", "--filter", f"label={OWNER}", "--format", format_])
    rows = [line.split("\t") for line in done.output.splitlines() if line.count("\t") == 2]
    left = [(container, folder) for container, owner, folder in rows if has_ended(owner)]
    remove([container for container, _ in left])
    for folder in {folder for _, folder in left}:
        path = Path(folder)
        if path.parent == Path(tempfile.gettempdir()) and path.name.startswith(FOLDER_PREFIX):
            with contextlib.suppress(OSError):
                shutil.rmtree(path)


def remove_of(owner: str) -> None:
    """Remove every container of one pytest process."""
    done = run(["docker", "ps", "--all", "--quiet", "--filter", f"label={OWNER}={owner}"])
    remove(done.output.split())


def wait_stopped(containers: list[str]) -> None:
    """Wait until none of them runs. Engines were seen to keep a nameless trace of one that was removed while it was dying."""
    if containers:
        run(["docker", "wait", *containers])


def remove(containers: list[str]) -> None:
    """Remove containers with what runs in them; that one is gone already, or going, is no error."""
    if not containers:
        return
    done = run(["docker", "rm", "--force", "--volumes", *containers])
    lines = filter(str.strip, done.errors.splitlines())
    if wrong := [line for line in lines if not re.search("No such container|already in progress", line)]:
        raise LabError(f"docker rm: {wrong[0]}")
