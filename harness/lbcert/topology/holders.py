"""Which processes of a host hold which connections, and with what rights, as /proc tells it (proc(5), proc_net_tcp.rst)."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Iterator
from typing import Any

_ESTABLISHED = "01"
_LONGEST = 200
"""characters of a title that are kept"""


def tcp_table(process: int | str) -> Iterator[tuple[int, list[str]]]:
    """The rows of the kernel's tables of TCP sockets where `process` is, with their family."""
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            with open(f"/proc/{process}/net/{name}") as file:
                rows = file.read().splitlines()[1:]
        except FileNotFoundError:
            continue
        for row in rows:
            yield family, row.split()


def end(family: int, text: str) -> tuple[str, int]:
    """Address and port as the kernel's tables write them: words in hexadecimal, in the machine's own byte order."""
    address, port = text.split(":")
    words = [int(address[i : i + 8], 16) for i in range(0, len(address), 8)]
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)).removeprefix("::ffff:"), int(port, 16)


def of(net: int, ours: Collection[int]) -> list[dict[str, Any]]:
    """The processes in the network namespace `net` (a descriptor) that are not `ours`, each with the connections it holds."""
    place = os.fstat(net)
    found: list[dict[str, Any]] = []
    table: dict[str, tuple[tuple[str, int], tuple[str, int]]] | None = None
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid in ours:
            continue
        try:
            there = os.stat(f"/proc/{pid}/ns/net")
            if (there.st_dev, there.st_ino) != (place.st_dev, place.st_ino):
                continue
            if table is None:
                table = {fields[9]: (end(family, fields[1]), end(family, fields[2]))
                         for family, fields in tcp_table(pid) if fields[3] == _ESTABLISHED}  # fmt: skip
            found.append(_told(pid, table))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found


def _told(pid: int, table: dict[str, tuple[tuple[str, int], tuple[str, int]]]) -> dict[str, Any]:
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.split(":", 1) for line in file if ":" in line)
    with open(f"/proc/{pid}/cmdline", "rb") as raw:
        title = raw.read().replace(b"\0", b" ").decode(errors="replace").strip()
    held = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            name = os.readlink(f"/proc/{pid}/fd/{number}")
        except FileNotFoundError:
            continue
        if name.startswith("socket:[") and name[8:-1] in table:
            held.append(table[name[8:-1]])
    return {
        "pid": pid, "title": (title or status["Name"].strip())[:_LONGEST], "uid": [int(one) for one in status["Uid"].split()],
        "capabilities": int(status["CapEff"], 16), "connections": held,
    }  # fmt: skip
