"""What the user gives: the VIP, names of users, names of servers by certificate, addresses to connect from."""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path

from ..clients.rdp import connection_request
from ..report.errors import ReportError

LONGEST = 259
"""bytes of the largest legal first packet (X.224 13.2.1: a length indicator of 254)"""
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def endpoint(text: str) -> tuple[str, int]:
    """The address and port behind HOST:PORT; a name is looked up, and the first address taken. Raises ReportError."""
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536) or (":" in host and "[" not in text):
        raise ReportError("HOST:PORT", f"{text!r} is no address with a port.",
                          "Write it like 10.0.0.10:3389 or [2001:db8::10]:3389.")  # fmt: skip
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise ReportError("HOST:PORT", f"{host!r} has no address: {what}.", "Give the VIP's address itself.") from None
    return found[0][4][0], int(port)


def users(path: Path) -> list[str]:
    """The names in a file, in its order. Raises ReportError with the line of one that cannot be used."""
    lines: dict[str, int] = {}
    for number, name in _lines(path):
        if not name.isprintable():
            raise ReportError(path, "the name holds a character that is not printable.", "Write one name a line.", line=number)
        if not _fits(name):
            raise ReportError(path, "the name is too long for a first packet.", "Write one name a line.", line=number)
        if name in lines:
            raise ReportError(path, f"{name!r} stands in line {lines[name]} already.", "Remove one of them.", line=number)
        lines[name] = number
    if not lines:
        raise ReportError(path, "there is no name in it.", "Write the names of users, one a line, as their clients send them.")
    return list(lines)


def _fits(name: str) -> bool:
    try:
        return len(connection_request(name)) <= LONGEST
    except ValueError:
        return False


def servers(path: Path) -> dict[str, str]:
    """Names of servers by the SHA-256 of their certificates. Raises ReportError with the line of what cannot be used."""
    found: dict[str, str] = {}
    remedy = "Write the certificate's SHA-256 (64 hexadecimal digits, colons allowed), a blank, and the server's name."
    for number, line in _lines(path):
        first, _, name = line.partition(" ")
        printed = first.replace(":", "").lower()
        if not _FINGERPRINT.fullmatch(printed) or not name.strip() or not name.isprintable():
            raise ReportError(path, f"{line!r} is no certificate with a name.", remedy, line=number)
        if printed in found:
            raise ReportError(path, f"this certificate is {found[printed]}'s already.",
                              "A certificate that several servers share tells none of them: give each its own.",
                              line=number)  # fmt: skip
        found[printed] = name.strip()
    if not found:
        raise ReportError(path, "there is no certificate in it.", remedy)
    return found


def sources(given: list[str], vip: str) -> list[str]:
    """The addresses of this machine to connect from, each tried; none given: [""], which leaves it to the system."""
    family = socket.AF_INET6 if ":" in vip else socket.AF_INET
    for number, text in enumerate(given):
        try:
            version = ipaddress.ip_address(text).version
        except ValueError:
            raise ReportError("--source", f"{text!r} is no address.", "Give an address of this machine.") from None
        if version != ipaddress.ip_address(vip.partition("%")[0]).version:
            raise ReportError("--source", f"{text} is of another family than the VIP {vip}.", "Give one of the same family.")
        if text in given[:number]:
            raise ReportError("--source", f"{text} is there twice.", "Remove one of them.")
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            try:
                sock.bind((text, 0))
            except OSError as error:
                raise ReportError("--source", f"{text} cannot be used: {error.strerror}.",
                                  "Give an address of this machine.") from None  # fmt: skip
    return given or [""]


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines with their numbers, without comments and empty ones."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ReportError(path, f"cannot be read: {error.strerror}.", "Name a text file.") from None
    found = []
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise ReportError(path, f"is not UTF-8 (byte {error.start} of the line).", "Save it as UTF-8.", line=number) from None
        if text := re.sub(r"(^|\s)#.*", "", text).strip():
            found.append((number, text))
    return found
