"""Can this machine make labs of its own namespaces? If not, one clear sentence with the ways on."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path

from .interface import Unavailable
from .plan import make_plan

WANTED_FILES = 4096
"""what Linux gives everybody; a test may hold 1,000 sessions, for which a product has 2,000 files"""
SMALLEST = make_plan(["192.0.2.10"], {"ts1": "192.0.2.11"})
"""a lab to try with"""


def raise_file_limit() -> str | None:
    """Use what the hard limit of open files allows; returns why that is too little, if so.

    The product inherits it, and one that runs out of files turns clients away: it would be blamed for our machine.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < WANTED_FILES:
        return (f"the hard limit of open files is {hard}, and tests need {WANTED_FILES}, for the product as well: "
                "raise it (ulimit -Hn, limits.conf)")  # fmt: skip
    return None


def files() -> None:
    """Use all files that may be open; raises Unavailable where that is too few."""
    if too_little := raise_file_limit():
        raise Unavailable(too_little)


def programs() -> None:
    """Raise Unavailable where a program that labs are made with is missing."""
    missing = [name for name in ("ip", "nft") if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if os.geteuid() != 0:
        missing += [name for name in ("newuidmap",) if not shutil.which(name)]
    if missing:
        packages = {"ip": "iproute2", "nft": "nftables", "newuidmap": "uidmap"}
        raise Unavailable(f"{', '.join(missing)} not found; as root: apt-get install "
                          + " ".join(packages[name] for name in missing))  # fmt: skip


def ways_on(text: str) -> str:
    """What to do about a refusal, `text`; empty where it says so itself."""
    if "subordinate" in text or "newuidmap" in text or "newgidmap" in text:
        return ""
    if "No space left" in text:
        return ": the system's limit of namespaces is reached or 0; as root: sysctl user.max_user_namespaces=15000"
    apparmor = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    reason = ""
    if apparmor.exists() and apparmor.read_text().strip() == "1" and os.geteuid() != 0:
        reason = " (AppArmor refuses user namespaces to ordinary users here)"
    return (
        f"{reason}. Three ways on: `sudo make apparmor` installs a profile for this checkout's launcher alone; "
        "or run the suite as root (sudo); or in a container started with "
        "--security-opt seccomp=unconfined --security-opt systempaths=unconfined --security-opt apparmor=unconfined"
    )
