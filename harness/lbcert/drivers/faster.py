"""A faster clock for a product's process, so that an hour's timer of an unmodified configuration ends in a minute.

The program runs with libfaketime (preloaded), at no more than sixty times the real speed. It does not keep that rate
exactly: timers were seen to end up to 5 % early. So the same process gets control listeners whose timeouts are known, and
what these take in real time tells how fast its clock really ran. Kernel timers (keepalive, retransmission) stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

RATE = 60
"""the highest: beyond it timers end so early that no control could make up for it (×360: 7 to 27 %)"""
PACKAGE = "libfaketime"
_LIBRARIES = ("libfaketimeMT.so.1", "libfaketime.so.1")
"""the first is made for programs with threads"""
_PORTS = range(61001, 61100)
_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
"""a lab sees nothing else of the machine"""


@dataclass(frozen=True)
class Control:
    """A listener in the product's own process that closes a silent connection after `seconds` of the product's clock."""

    address: str
    port: int
    seconds: float


@dataclass(frozen=True)
class FasterClock:
    """The clock of one run of a product."""

    rate: int
    controls: tuple[Control, ...]

    def environment(self) -> dict[str, str]:
        """What the product's environment needs."""
        path = library()
        assert path is not None, "asked for a faster clock where there is none"
        return {"LD_PRELOAD": str(path), "FAKETIME": f"+0 x{self.rate}", "NO_FAKE_STAT": "1"}


def library() -> Path | None:
    """Where the library is on this machine, as Debian (a folder per architecture) and others have it; None if it is not."""
    for name in _LIBRARIES:
        for folder in map(Path, _FOLDERS):
            for path in (folder / "faketime" / name, *sorted(folder.glob(f"*/faketime/{name}"))):
                if path.is_file():
                    return path
    return None


def make_clock(vip: tuple[str, int], listening: Collection[tuple[str, int]], seconds: Collection[float],
               rate: int = RATE) -> FasterClock:  # fmt: skip
    """A clock with a control listener on the VIP's address for each of `seconds`, on ports that the product leaves free."""
    if rate > RATE:
        raise ValueError(f"rate {rate}: the product's clock may not run more than {RATE} times as fast")
    taken = {port for _, port in listening}
    free = (port for port in _PORTS if port not in taken)
    return FasterClock(rate, tuple(Control(vip[0], next(free), each) for each in seconds))
