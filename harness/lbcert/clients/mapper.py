"""A client of the endpoint mapper: binds, asks, and holds the binding for further calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..wire import epm, rpc
from ..wire.http import read_server_value
from ..wire.outcome import Decoded, Malformed, NeedMore
from ..wire.rpc import Call, Pdu
from ..wire.talk import Identity

CONTEXT = 0
_DYNAMIC = 49152
_LARGEST = 65536


class AskMapper:
    """The Speech of one client: bind, then `calls` times ept_map (or ept_lookup), each when the one before is answered.

    `group`: an association group that another connection got; only its server takes it. A shared group does not tell this
    connection's number, so then it asks by ept_lookup. `fragment`: bytes of stub in each
    fragment. Outcomes: `answered`; `refused` (bind_nak) and `rejected` (the interface); `fault <status>`; `status <n>` of the
    mapper; `malformed`; `contradiction`: the answer names another server than the binding.
    """

    def __init__(
        self, token: str, *, lookup: bool = False, interface: rpc.Syntax = epm.DCOM, group: int = 0, fragment: int = 4000
    ):
        self.token = token
        self._object = epm.token_uuid(token)
        self._operation = epm.LOOKUP if lookup or group else epm.MAP
        self._interface = interface
        self._asked_group = group
        self._fragment = fragment
        self._buffer = b""
        self._stub = b""
        self._call = 1
        self._answers = 0
        self._outcome: str | None = None
        self._seen: dict[str, Any] = {}
        self._step: Callable[[Pdu], bytes] | None = self._on_ack
        self.group: int | None = None
        """the association group of the binding, for `group` of a further connection"""

    @property
    def outcome(self) -> str | None:
        return self._outcome

    @property
    def answers(self) -> int:
        """Calls that were answered by the server that the binding is with."""
        return self._answers

    @property
    def identity(self) -> Identity | None:
        """Known as soon as the binding stands, or in a shared group with the first answer."""
        conn = self._seen.get("conn") if self._asked_group else self.group and self.group & 0xFFFFFF
        return Identity(self.group >> 24, conn) if self.group is not None and conn is not None else None

    def begin(self) -> bytes:
        bind = rpc.Bind((rpc.Context(CONTEXT, epm.MAPPER),), self._asked_group)
        return Pdu(rpc.BIND, self._call, bind.encode()).encode()

    def again(self) -> bytes:
        """One more call on the held binding; there is no outcome until it is answered. Nothing without a binding."""
        if self.group is None or self._outcome != "answered":
            return b""
        self._outcome, self._step = None, self._on_answer
        return self._ask()

    def take(self, data: bytes) -> bytes:
        out = b""
        self._buffer += data
        while self._buffer and self._outcome in (None, "answered"):
            outcome = Pdu.decode(self._buffer)
            if isinstance(outcome, NeedMore):
                break
            if isinstance(outcome, Malformed):
                self._fail("malformed", outcome.reason)
                break
            self._buffer = outcome.rest
            out += self._fail("malformed", "a PDU that no call asked for") if self._step is None else self._step(outcome.value)
        return out

    def told(self) -> dict[str, Any]:
        return {"group": self.group, "answers": self._answers, **self._seen}

    def _ask(self) -> bytes:
        self._call += 1
        self._stub = b""
        if self._operation == epm.MAP:
            stub = epm.Question(self._object, epm.Tower(self._interface).encode()).encode()
        else:
            stub = epm.Inquiry(self._object).encode()
        return Call(CONTEXT, self._operation, stub).fragments(self._call, self._fragment)

    def _on_ack(self, pdu: Pdu) -> bytes:
        if pdu.kind == rpc.BIND_NAK:
            return self._fail("refused", f"bind_nak {pdu.body[:2].hex()}")
        if pdu.kind == rpc.FAULT:
            return self._fault(pdu)
        ack = rpc.BindAck.decode(pdu.body) if pdu.kind == rpc.BIND_ACK and pdu.call == self._call else None
        if not isinstance(ack, Decoded):
            return self._fail("malformed", "no bind_ack")
        if [one[0] for one in ack.value.results] != [rpc.ACCEPTED]:
            return self._fail("rejected", str(ack.value.results))
        self.group = ack.value.group
        self._step = self._on_answer
        return self._ask()

    def _on_answer(self, pdu: Pdu) -> bytes:
        if pdu.kind == rpc.FAULT:
            return self._fault(pdu)
        part = rpc.read_answer(pdu) if pdu.kind == rpc.RESPONSE and pdu.call == self._call else None
        if not isinstance(part, Decoded) or bool(pdu.flags & rpc.FIRST) == bool(self._stub):
            return self._fail("malformed", "no answer to the call")
        self._stub += part.value[1]
        if len(self._stub) > _LARGEST:
            return self._fail("malformed", f"an answer of more than {_LARGEST} bytes")
        if pdu.flags & rpc.LAST:
            self._step = None
            self._read()
        return b""

    def _read(self) -> None:
        answer: Any = epm.read_map_answer(self._stub) if self._operation == epm.MAP else epm.read_lookup_answer(self._stub)
        if not isinstance(answer, Decoded):
            self._fail("malformed", answer.reason if isinstance(answer, Malformed) else "")
            return
        status, rows = answer.value
        octets = rows[0] if rows and self._operation == epm.MAP else rows[0][1] if rows else b""
        tower = epm.Tower.decode(octets)
        if status or not isinstance(tower, Decoded):
            self._fail(f"status {status:#x}" if status else "malformed", "no tower")
            return
        self._seen.update(port=tower.value.port, address=tower.value.address)
        index = tower.value.port - _DYNAMIC
        if self._operation == epm.LOOKUP:
            named = read_server_value(rows[0][0])
            index, self._seen["conn"] = named or (0, 0)
        same = self.group is not None and index == self.group >> 24
        self._answers += same
        self._outcome = "answered" if same else "contradiction"

    def _fault(self, pdu: Pdu) -> bytes:
        part = rpc.read_answer(pdu)
        status = part.value[1] if isinstance(part, Decoded) else b""
        return self._fail(f"fault {int.from_bytes(status, 'little'):#010x}", "")

    def _fail(self, outcome: str, reason: str) -> bytes:
        self._outcome, self._step = outcome, None
        if reason:
            self._seen["reason"] = reason
        return b""
