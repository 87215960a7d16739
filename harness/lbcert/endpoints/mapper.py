"""The endpoint mapper of a mock server (port 135): one association for each connection, any number of them at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..wire import epm, rpc
from ..wire.epm import Entry, Tower
from ..wire.http import server_value
from ..wire.outcome import Decoded, Malformed, NeedMore
from ..wire.rpc import Call, Pdu
from ..wire.talk import Place, Report

LARGEST = 65536
"""bytes of a call's stub, all of its fragments together"""
DYNAMIC = 49152
"""a server's interfaces are to be had at this port plus its index"""


class Mapper:
    """Answers ept_map and ept_lookup with towers that name this server: port 49152 + index, and `Place.options["address"]`.

    Who it is stands in the association group (index in the first byte, the connection's number in the other three), in the
    towers' port, and in ept_lookup's annotation (`fe=2; conn=7`). A group belongs to one server ([MS-RPCE] 3.3.1.5.3): a bind
    that asks for another server's is refused, and reported as `foreign-group` (asked, own).

    Reports `bind` (group, contexts), `request` (token, operation, call, number, fragments, interface), `refused` (what was
    understood and not served: status), and `malformed`, after which the connection ends.
    """

    def __init__(self, place: Place, report: Report):
        self._place = place
        self._report = report
        self._buffer = b""
        self._contexts: dict[int, bool] = {}
        self._group = place.identity.index << 24 | place.identity.conn & 0xFFFFFF
        self._size = rpc.FRAGMENT
        self._pending: tuple[int, Call, int] | None = None
        self._number = 0
        self.closing = False

    def begin(self) -> bytes:
        return b""

    def take(self, data: bytes) -> bytes:
        out = []
        self._buffer += data
        while not self.closing:
            outcome = Pdu.decode(self._buffer)
            if isinstance(outcome, NeedMore):
                break
            if isinstance(outcome, Malformed):
                out.append(self._malformed(outcome))
                break
            self._buffer = outcome.rest
            out.append(self._on(outcome.value))
        if self.closing:
            self._buffer = b""
        return b"".join(out)

    def push(self, what: dict[str, Any]) -> bytes:
        """`{"close": true}` closes; a mapper says nothing unasked."""
        self.closing = self.closing or bool(what.get("close"))
        return b""

    def _on(self, pdu: Pdu) -> bytes:
        if pdu.kind in (rpc.BIND, rpc.ALTER):
            return self._bind(pdu)
        if pdu.kind == rpc.REQUEST:
            return self._fragment(pdu)
        if pdu.kind in (rpc.AUTH3, rpc.CANCEL, rpc.ORPHANED):
            return b""
        return self._broken(f"a PDU of type {pdu.kind} from a client", pdu.call)

    # -- binding

    def _bind(self, pdu: Pdu) -> bytes:
        first = pdu.kind == rpc.BIND
        outcome = rpc.Bind.decode(pdu.body)
        if not isinstance(outcome, Decoded):
            return self._broken(outcome.reason if isinstance(outcome, Malformed) else "bind", pdu.call)
        if first == bool(self._contexts):
            return self._broken("a second bind" if first else "alter_context before bind", pdu.call)
        if pdu.auth:
            self._report("refused", reason="authentication is not spoken")
            self.closing = True
            return rpc.nak(pdu.call, rpc.NAK_AUTHENTICATION)
        bind = outcome.value
        if bind.group and bind.group >> 24 != self._place.identity.index:
            self._report("foreign-group", asked=bind.group, own=self._group)
            self.closing = True
            return rpc.nak(pdu.call, rpc.NAK_UNSPECIFIED)
        if first:
            self._group = bind.group or self._group
            self._size = max(rpc.SMALLEST, min(bind.receive, rpc.FRAGMENT))
        results = []
        for one in bind.contexts:
            known = (one.abstract.uuid, one.abstract.major) == (epm.MAPPER.uuid, epm.MAPPER.major)
            spoken = rpc.NDR in one.transfers
            self._contexts[one.id] = known and spoken
            reason = 0 if known and spoken else rpc.NO_SUCH_TRANSFER if known else rpc.NO_SUCH_INTERFACE
            results.append((rpc.REJECTED if reason else rpc.ACCEPTED, reason))
        self._report("bind", group=self._group, contexts=[str(one.abstract.uuid) for one in bind.contexts])
        ack = rpc.BindAck(self._group, tuple(results), str(self._place.port), self._size, rpc.FRAGMENT)
        return Pdu(rpc.BIND_ACK if first else rpc.ALTER_RESP, pdu.call, ack.encode()).encode()

    # -- calls

    def _fragment(self, pdu: Pdu) -> bytes:
        outcome = Call.read(pdu)
        if not isinstance(outcome, Decoded):
            return self._broken(outcome.reason if isinstance(outcome, Malformed) else "request", pdu.call)
        call, fragments = outcome.value, 1
        first = bool(pdu.flags & rpc.FIRST)
        if first == (self._pending is not None):
            return self._broken("a first fragment inside a call" if first else "a fragment of no call", pdu.call)
        if self._pending is not None:
            number, begun, fragments = self._pending
            if (number, begun.context, begun.operation) != (pdu.call, call.context, call.operation):
                return self._broken("fragments of two calls in turn", pdu.call)
            call, fragments = replace(begun, stub=begun.stub + call.stub), fragments + 1
        if len(call.stub) > LARGEST:
            return self._broken(f"a call of more than {LARGEST} bytes", pdu.call)
        if not pdu.flags & rpc.LAST:
            self._pending = (pdu.call, call, fragments)
            return b""
        self._pending = None
        return self._call(pdu.call, call, fragments)

    def _call(self, number: int, call: Call, fragments: int) -> bytes:
        if not self._contexts.get(call.context):
            return self._refuse(number, call, rpc.UNKNOWN_CONTEXT)
        asked: Any = None
        if call.operation == epm.MAP:
            asked = epm.Question.decode(call.stub)
        elif call.operation == epm.LOOKUP:
            asked = epm.Inquiry.decode(call.stub)
        else:
            return self._refuse(number, call, rpc.OUT_OF_RANGE)
        if not isinstance(asked, Decoded):
            return self._refuse(number, call, rpc.BAD_STUB)
        question = asked.value
        self._number += 1
        token = epm.uuid_token(call.object) or epm.uuid_token(question.object)
        interface = self._interface(question)
        self._report(
            "request", token=token, operation="ept_map" if call.operation == epm.MAP else "ept_lookup", call=number,
            number=self._number, fragments=fragments, interface=None if interface is None else str(interface.uuid),
        )  # fmt: skip
        stub = self._map(question, interface) if call.operation == epm.MAP else self._lookup(question, interface)
        return rpc.answer(number, call.context, stub, self._size)

    @staticmethod
    def _interface(question: epm.Question | epm.Inquiry) -> rpc.Syntax | None:
        if isinstance(question, epm.Inquiry):
            return question.interface
        tower = Tower.decode(question.tower)
        return tower.value.interface if isinstance(tower, Decoded) else None

    def _tower(self, interface: rpc.Syntax) -> Tower:
        return Tower(interface, DYNAMIC + self._place.identity.index, self._place.options.get("address", "0.0.0.0"))

    def _map(self, question: epm.Question, interface: rpc.Syntax | None) -> bytes:
        if interface is None or interface.uuid == epm.NIL:
            return epm.map_answer([], epm.NOT_REGISTERED)
        return epm.map_answer([self._tower(interface)][: question.most])

    def _lookup(self, question: epm.Inquiry, interface: rpc.Syntax | None) -> bytes:
        if question.kind not in (0, 2) and interface is not None and interface.uuid not in (epm.DCOM.uuid, epm.MAPPER.uuid):
            return epm.lookup_answer([], epm.NOT_REGISTERED)
        text = server_value(self._place.identity.index, self._place.identity.conn)
        mapper = Tower(epm.MAPPER, self._place.port, self._tower(epm.MAPPER).address)
        rows = [Entry(epm.NIL, tower, text) for tower in (self._tower(epm.DCOM), mapper)]
        return epm.lookup_answer(rows[: question.most])

    # -- refusals

    def _refuse(self, number: int, call: Call, status: int) -> bytes:
        self._report("refused", reason=f"{status:#010x}", operation=call.operation, call=number)
        return rpc.fault(number, call.context, status)

    def _broken(self, reason: str, call: int) -> bytes:
        self._report("malformed", reason=reason)
        self.closing = True
        return rpc.fault(call, 0, rpc.PROTOCOL_ERROR)

    def _malformed(self, outcome: Malformed) -> bytes:
        self._report("malformed", reason=outcome.reason, offset=outcome.offset, head=self._buffer[:64].hex())
        self.closing = True
        return rpc.nak(0, rpc.NAK_VERSION) if outcome.offset <= 1 else rpc.fault(0, 0, rpc.PROTOCOL_ERROR)
