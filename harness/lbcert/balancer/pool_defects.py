"""The switches about a pool behind several ports: which of them are there, and on which server a client's ports are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from .address import Address
from .defects import Defect
from .defects import _every as every
from .defects import _on as on
from .defects import _source_switch as source_switch
from .defects import _switch as switch
from .document import Field
from .opening import Opening
from .policy import Between
from .server import Server

if TYPE_CHECKING:
    from .config import Config

_APART = b"\0apart"


def port(value: Field) -> int:
    return value.whole(1, 65_535)


# -- the ports themselves


@source_switch("port-not-listened", port)
class _PortNotListened(Defect):
    """Does not listen on that port, although it is configured."""

    def listens(self) -> Sequence[Address]:
        return [address for address in super().listens() if address.port != self.value]


@source_switch("listens-also-on", port)
class _ListensAlsoOn(Defect):
    """Listens on that port too, and passes it on, although nobody asked for it."""

    def listens(self) -> Sequence[Address]:
        return (*super().listens(), Address(self.config.listen[0].host, self.value))


def _two_ports(value: Field) -> str:
    ports = value.text().split("->")
    if len(ports) != 2 or not all(one.isascii() and one.isdigit() and 0 < int(one) < 65_536 for one in ports):
        value.wrong(f"{value.text()[:40]!r} are not two ports", "write them as 5065->5060")
    return value.text()


@source_switch("port-translated", _two_ports)
class _PortTranslated(Defect):
    """Passes what comes on one port to another one, written as 5065->5060."""

    def target(self, server: Server, opening: Opening) -> Address:
        address = super().target(server, opening)
        came, goes = map(int, self.value.split("->"))
        chosen = not server.address.port  # by the client, not by the configuration, as that of a fallback is
        return address._replace(port=goes) if chosen and opening.port == came else address


@switch("refuse-servers", on)
class _RefuseServers(Defect):
    """Turns servers away that come as clients."""

    _is_server = False

    def key(self, opening: Opening, client: Address) -> bytes | None:
        self._is_server = any(server.address.host == client.host for server in self.servers)
        return super().key(opening, client)

    def first(self, key: bytes | None) -> Server | None:
        return None if self._is_server else super().first(key)


@source_switch("spoil-on", port)
class _SpoilOn(Defect):
    """Changes a letter in each session on that port, behind the first 1,000 bytes towards the client."""

    def altered(self, opening: Opening, towards: str) -> Callable[[bytes], bytes] | None:
        return _Spoils(1000) if opening.port == self.value and towards == "client" else super().altered(opening, towards)


class _Spoils:
    """Changes the byte behind the first so many."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, data: bytes) -> bytes:
        place, self._left = self._left, self._left - len(data)
        return data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :] if 0 <= place < len(data) else data


# -- a client's ports


@source_switch("key-includes-port", on)
class _KeyIncludesPort(Defect):
    """Has a table for each port."""

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        return None if key is None else key + b"\0to" + opening.port.to_bytes(2, "big")


class _SomeApart(Defect):
    """Some connections of a client go to another server than the rest."""

    def apart(self, key: bytes, opening: Opening) -> bool:
        raise NotImplementedError

    def key(self, opening: Opening, client: Address) -> bytes | None:
        key = super().key(opening, client)
        return key + _APART if key is not None and self.apart(key, opening) else key

    def place(self, key: bytes) -> Server | None:
        others = self.where(key.removesuffix(_APART) if key.endswith(_APART) else key + _APART)
        if others is not None and (server := self.balance((others,))) is not None:
            return server
        return super().place(key)


@source_switch("second-port-elsewhere-every", every, method="table")
class _SecondPortElsewhereEvery(_SomeApart):
    """Sends the second port that a client uses to another server, for every Nth client."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._ports: dict[bytes, list[int]] = {}
        self._numbers: dict[bytes, int] = {}

    def apart(self, key: bytes, opening: Opening) -> bool:
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        ports = self._ports.setdefault(key, [])
        if opening.port not in ports:
            ports.append(opening.port)
        return number % self.value == 0 and ports.index(opening.port) == 1


@source_switch("high-ports-apart", port, method="table")
class _HighPortsApart(_SomeApart):
    """Sends a client's ports from that one upwards to another server than the rest."""

    def apart(self, key: bytes, opening: Opening) -> bool:
        return opening.port >= self.value


@source_switch("low-ports-apart", port, method="table")
class _LowPortsApart(_SomeApart):
    """Sends a client's ports below that one to another server than the rest."""

    def apart(self, key: bytes, opening: Opening) -> bool:
        return opening.port < self.value


# -- one connection


class _InTurn:
    """Sends a client's messages to its own server and to another one, in turn."""

    def __init__(self, other: Address, client: asyncio.Transport) -> None:
        self._other = other
        self._client = client
        self._count = 0
        self._waiting = b""
        self._away: asyncio.Transport | None = None
        self._task: asyncio.Task | None = None

    def from_client(self, data: bytes) -> bytes:
        if b" SIP/2.0\r\n" in data:
            self._count += 1
        if self._count % 2 or not self._count:
            return data
        self._waiting += data
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._open())
        self._send()
        return b""

    def from_server(self, data: bytes) -> bytes:
        return data

    async def _open(self) -> None:
        try:
            self._away, _ = await asyncio.get_running_loop().create_connection(lambda: _Answers(self._client), *self._other)
        except OSError:
            return
        self._send()

    def _send(self) -> None:
        if self._away is not None:
            self._away.write(self._waiting)
            self._waiting = b""


class _Answers(asyncio.Protocol):
    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        if not self._client.is_closing():
            self._client.write(data)


@source_switch("sip-messages-in-turn", on)
class _SipMessagesInTurn(Defect):
    """Sends the SIP requests of one connection to the client's own server and to another one, in turn."""

    def between(self, opening: Opening, client: asyncio.Transport, server: asyncio.Transport) -> Between | None:
        home = server.get_extra_info("peername")[0]
        other = next((other for other in self.servers if other.usable and other.address.host != home), None)
        return super().between(opening, client, server) if other is None else _InTurn(self.target(other, opening), client)


# -- who returns


@switch("returned-gets-nobody", on)
class _ReturnedGetsNobody(Defect):
    """Sends no new client to a server that was down once, as long as there is another."""

    def __init__(self, config: Config, servers: Sequence[Server], now: Callable[[], float]) -> None:
        super().__init__(config, servers, now)
        self._returned: set[Server] = set()

    def marks_up(self, server: Server) -> bool:
        returns = super().marks_up(server)
        if returns:
            self._returned.add(server)
        return returns

    def balance(self, but: Collection[Server] = ()) -> Server | None:
        return super().balance({*but, *self._returned}) or super().balance(but)


@switch("down-for-good", on)
class _DownForGood(Defect):
    """Never uses a server again that was down once."""

    def marks_up(self, server: Server) -> bool:
        return False
