"""Users of our own in the scratch lab, where a product is started once to learn what it does with them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from ..deadlines import PATIENCE
from ..offers import OFFERS
from ..topology.interface import Broker
from ..topology.plan import DUT_HOST
from .base import DriverError

_IP = "/usr/sbin/ip"


def place(scratch: Broker, vip: tuple[str, int]) -> str:
    """Make the VIP one of the DUT host's own addresses; returns an address to call it from."""
    version, prefix, own = ("-6", 128, "::1") if ":" in vip[0] else ("-4", 32, "127.0.0.1")
    scratch.run(DUT_HOST, [_IP, version, "address", "replace", f"{vip[0]}/{prefix}", "dev", "lo"])
    return own


def everywhere(scratch: Broker) -> None:
    """Make every address one of the DUT host's own: any VIP can be connected to, from any address.

    The product's own connections to its servers then end at this host, so they must be kept from going anywhere.
    """
    for version in ("-4", "-6"):
        status, text = scratch.run(DUT_HOST, [_IP, version, "route", "replace", "local", "default", "dev", "lo"])
        # A kernel without IPv6 has no such route, and no VIP that would need it.
        if status and version == "-4":
            raise DriverError(f"ip route: {text.strip()}")


def call(scratch: Broker, vip: tuple[str, int], callers: dict[str, str],
         opening: Callable[[str], bytes] = OFFERS["rdp"].opening, secure: bool = False) -> list[socket.socket]:  # fmt: skip
    """Connect one user for each source address in `callers` (its value is the user's name), who sends `opening(name)`.

    `secure`: over TLS, whatever certificate the product has.
    """
    made = scratch.sockets(DUT_HOST, list(callers))
    for number, name in enumerate(callers.values()):
        made[number].setblocking(True)
        made[number].settimeout(PATIENCE["report"])
        try:
            made[number].connect(vip)
            if secure:
                made[number] = _trusting().wrap_socket(made[number])
            made[number].sendall(opening(name))
        except OSError as error:
            for one in made:
                one.close()
            raise DriverError(f"{vip[0]} port {vip[1]} does not accept connections: {error.strerror or error}; "
                              "if the product serves this elsewhere, correct `services` in dut.yaml") from None
    return made


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
