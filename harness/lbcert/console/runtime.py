"""Where running labs are found: a private folder per user, with a folder for each lab that stays up.

A lab holds a lock on a file of its folder as long as it lives. So what a killed lab left behind is told from
what is alive, and the next `lbcert lab`, `fault` or `shell` removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

OVERRIDE = "LBCERT_RUNTIME_DIR"
"""environment variable: another place for the folder"""
SOCKET, _LOCK, _ABOUT = "control", "lock", "about"
_LONGEST_PATH = 100
"""bytes; the kernel's limit for the path of a socket is 107"""


class RuntimeFolderError(Exception):
    """The folder cannot be used; one clear sentence."""


@dataclass(frozen=True)
class Place:
    """The folder of one lab."""

    number: int
    folder: Path
    about: str
    """what the lab is about, for choosing between several"""

    @property
    def socket(self) -> str:
        return str(self.folder / SOCKET)


class Claim:
    """A lab's own folder, as long as this object is open."""

    def __init__(self, about: str):
        base = _prepare(_candidates()[0])
        with _locked(base):
            _sweep(base)
            self.place = _make(base, about)
            self._lock = os.open(self.place.folder / _LOCK, os.O_RDWR)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        shutil.rmtree(self.place.folder, ignore_errors=True)
        os.close(self._lock)


def running() -> list[Place]:
    """The labs of this user that are alive, in the order of their numbers."""
    found: list[Place] = []
    for base in _candidates():
        if base.is_dir():
            _check(base)
            with _locked(base):
                found += _sweep(base)
    return sorted(found, key=lambda place: place.number)


def _candidates() -> list[Path]:
    """Where folders of labs may be; a new one goes to the first. A login session may have a place that a service lacks."""
    if given := os.environ.get(OVERRIDE):
        return [Path(given)]
    user = os.geteuid()
    session = Path(f"/run/user/{user}")
    fallback = Path(f"/tmp/lbcert-{user}")
    try:
        usable = session.stat().st_uid == user and os.access(session, os.W_OK)
    except OSError:
        usable = False
    return [session / "lbcert", fallback] if usable else [fallback]


def _prepare(base: Path) -> Path:
    if len(os.fsencode(base)) > _LONGEST_PATH - 12:
        raise RuntimeFolderError(f"{base} is too long for a socket's path; set {OVERRIDE} to a shorter one")
    try:
        base.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise RuntimeFolderError(f"{base}: {error.strerror}; set {OVERRIDE} to a folder that you may write to") from None
    _check(base)
    return base


def _check(base: Path) -> None:
    """In /tmp anybody may have been first."""
    found = os.lstat(base)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise RuntimeFolderError(f"{base} is no private folder of this user; remove it, or set {OVERRIDE} to another one")


class _locked:
    """Nobody else makes or removes folders meanwhile."""

    def __init__(self, base: Path):
        self._path = base / ".lock"

    def __enter__(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _sweep(base: Path) -> list[Place]:
    """Remove what dead labs left; returns those that are alive."""
    alive = []
    for folder in base.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            alive.append(Place(int(folder.name), folder, (folder / _ABOUT).read_text()))
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
    return alive


def _make(base: Path, about: str) -> Place:
    number = 1
    while (folder := base / str(number)).exists():
        number += 1
    folder.mkdir(mode=0o700)
    (folder / _LOCK).touch(mode=0o600)
    (folder / _ABOUT).write_text(about)
    return Place(number, folder, about)
