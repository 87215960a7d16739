"""The switches about the network of the balancer: a second machine that takes part where nobody expects it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence

from .address import Address
from .defects import Defect
from .defects import _on as on
from .defects import _source_switch as source_switch

TWIN = bytes.fromhex("020000000002")
"""the second machine's MAC address, administered locally (IEEE 802)"""
_ETH_ARP, _ETH_IPV4 = 0x0806, 0x0800
_ARP = struct.Struct("!6s6sHHHBBH6s4s6s4s")
"""Ethernet header and ARP for IPv4 (RFC 826)"""
_REQUEST, _REPLY = 1, 2


def _packets(protocol: int) -> socket.socket:
    """A socket for raw packets on the first network interface."""
    name = next((name for _, name in sorted(socket.if_nameindex()) if name != "lo"), "lo")
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    sock.bind((name, protocol))
    return sock


@source_switch("second-owner", on)
class _SecondOwner(Defect):
    """Has a second machine answer ARP requests for the clients' address, as a server that holds it and does not keep quiet."""

    def listens(self) -> Sequence[Address]:
        threading.Thread(target=self._answer, args=(_packets(_ETH_ARP),), daemon=True).start()
        return super().listens()

    def _answer(self, sock: socket.socket) -> None:
        hosts = {socket.inet_aton(address.host) for address in self.config.listen if ":" not in address.host}
        while True:
            frame = sock.recv(2048)
            if len(frame) < _ARP.size:
                continue
            _, asker, _, _, _, _, _, kind, _, its, _, wanted = _ARP.unpack_from(frame)
            if kind == _REQUEST and wanted in hosts:
                sock.send(_ARP.pack(asker, TWIN, _ETH_ARP, 1, _ETH_IPV4, 6, 4, _REPLY, TWIN, wanted, asker, its))
