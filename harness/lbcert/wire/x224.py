"""X.224 class 0 TPDUs as RDP uses them, each in its TPKT packet (X.224 13.3, 13.4 and 13.7; MS-RDPBCGR 2.2.1.1, 2.2.1.2).

    offset  bytes  field                     Connection Request and Confirm; Data has LI 02, code F0, EOT 80, then payload
    0       4      TPKT header
    4       1      length indicator (LI)     TPKT length - 5, at most 254
    5       1      code                      E0 request, D0 confirm
    6       2 BE   destination reference
    8       2 BE   source reference
    10      1      class and options         class in the upper half
    11      n      variable part             request: text lines, RDP_NEG_REQ, correlation info; confirm: one answer to it

What decodes is what a terminal server would go on with (MS-RDPBCGR 3.3.5.3.1): lengths agree, class 0, 11 bytes or more.
The legal but odd decodes too, with the oddity in a field of its own, so that `value.encode() + rest` is always the buffer.
A broken header field is reported once it has arrived, the variable part once it is whole, always the first fault in wire
order: the answer does not depend on how TCP cuts the bytes.
The encoders send whatever they are given, except numbers that do not fit their field: those are ValueErrors.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ._pack import pack
from .cookie import COOKIE_PREFIX, LINE_END, TokenAddress, decode_token
from .negotiation import (
    TYPE_FAILURE,
    CorrelationInfo,
    NegotiationFailure,
    NegotiationRequest,
    NegotiationResponse,
    RequestFlags,
)
from .outcome import Decoded, Malformed, NeedMore, Outcome, within
from .tpkt import VERSION, Tpkt

CODE_CONNECTION_REQUEST = 0xE0
CODE_CONNECTION_CONFIRM = 0xD0
CODE_DATA = 0xF0
EOT = 0x80
"""Third byte of a Data TPDU: this is the last, and in RDP the only, TPDU of its message (X.224 13.7.3)."""
MAXIMUM_LENGTH_INDICATOR = 254
"""Bytes; 255 is reserved (X.224 13.2.1)."""

_FIXED_LENGTH = 11
_DATA_HEADER_LENGTH = 7
_BYTE = struct.Struct("B")
_CODE_AND_REFERENCES = struct.Struct(">BHH")
_REFERENCES = struct.Struct(">HH")
_DATA_HEADER = struct.Struct("BBB")
_DATA_FIELDS = ((4, 2, "length indicator of a Data TPDU"), (5, CODE_DATA, "code"), (6, EOT, "EOT"))
_CORRELATION_INFO_PRESENT = int(RequestFlags.CORRELATION_INFO_PRESENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRequest:
    """X.224 Connection Request (X.224 13.3, MS-RDPBCGR 2.2.1.1): a client's first packet, all that a balancer can read.

    `cookie`            user name bytes after `Cookie: mstshash=`; b"" is an empty name, None no such line.
    `routing_token`     the whole first line of any other kind, without CR LF; None if there is none.
    `cookie_first`      order of the two if both are there; a client may send only one, balancers read only the first.
    `extra_text`        raw text behind these lines, CR LFs included: blank lines (a CR LF sent twice), repeated lines.
    `negotiation`       None as in RDP 5.x clients.
    `correlation`       decoded only where `negotiation` announces it.
    `trailing`          bytes behind all that, within the packet.
    `destination_ref`, `source_ref`  0 from real clients; servers ignore them.
    `class_option`      class (upper half, must be 0) and options; None leaves the byte out: a request too short.
    `code`, `tpkt_version`, `tpkt_reserved`, `tpkt_length`, `length_indicator`
                        for deliberately wrong headers. None: computed. Lengths in bytes, as on the wire.
    """

    cookie: bytes | None = None
    routing_token: bytes | None = None
    negotiation: NegotiationRequest | None = None
    correlation: CorrelationInfo | None = None
    destination_ref: int = 0
    source_ref: int = 0
    class_option: int | None = 0
    cookie_first: bool = False
    extra_text: bytes = b""
    trailing: bytes = b""
    tpkt_length: int | None = None
    length_indicator: int | None = None
    tpkt_version: int = VERSION
    tpkt_reserved: int = 0
    code: int = CODE_CONNECTION_REQUEST

    @property
    def user(self) -> bytes | None:
        """The key of cookie persistence: the name, if the cookie is the first line and not empty.

        None for an empty name, which names nobody (RDP-PERSIST-08), and for a cookie behind a token (RDP-PARSE-08).
        """
        behind_token = self.routing_token is not None and not self.cookie_first
        return None if behind_token or not self.cookie else self.cookie

    @property
    def address(self) -> TokenAddress | None:
        """The key of token persistence: where the token points, if it is the first line and names an address."""
        behind_cookie = self.cookie is not None and self.cookie_first
        return None if behind_cookie or self.routing_token is None else decode_token(self.routing_token)

    def encode(self) -> bytes:
        """The packet. ValueError if a number does not fit; a length indicator over 254 must be given explicitly."""
        lines = [] if self.routing_token is None else [self.routing_token + LINE_END]
        if self.cookie is not None:
            lines.insert(0 if self.cookie_first else 1, COOKIE_PREFIX + self.cookie + LINE_END)
        variable = b"".join((
            *lines,
            self.extra_text,
            b"" if self.negotiation is None else self.negotiation.encode(),
            b"" if self.correlation is None else self.correlation.encode(),
            self.trailing,
        ))
        return _encode_connection(self, variable)

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[ConnectionRequest]:
        """Take one request off the front of `buffer`, TPKT header first.

        Malformed at 0 (TPKT version), 2 (under 11 bytes), 4 (LI against TPKT length, or 255), 5 (not E0), 10 (class not 0);
        at the start of a line without CR LF; at a NUL within a line; at the type, length or start of a negotiation request
        or correlation info that is wrong or cut short, or announced and absent.

        Text is what begins with a byte from 20 up, or with CR LF; anything else is taken for negotiation. So bytes 0D 0A
        inside correlation info are never a line's end (RDP-PARSE-09).
        """
        buffer = bytes(buffer)
        length = _connection_length(buffer, CODE_CONNECTION_REQUEST, "Connection Request")
        if not isinstance(length, int):
            return length

        lines = _read_lines(buffer, length)
        if isinstance(lines, Malformed):
            return lines
        cookie, routing_token, cookie_first, extra_start, position = lines
        extra_text = buffer[extra_start:position]

        negotiation = correlation = None
        trailing = b""
        if position < length:
            outcome = within(NegotiationRequest.decode(buffer[position:length]), position, "RDP_NEG_REQ")
            if isinstance(outcome, Malformed):
                return outcome
            negotiation, trailing = outcome.value, outcome.rest
            if int(negotiation.flags) & _CORRELATION_INFO_PRESENT:
                position = length - len(trailing)
                outcome = within(CorrelationInfo.decode(trailing), position, "RDP_NEG_CORRELATION_INFO")
                if isinstance(outcome, Malformed):
                    return outcome
                correlation, trailing = outcome.value, outcome.rest

        destination_ref, source_ref = _REFERENCES.unpack_from(buffer, 6)
        value = cls(
            cookie=cookie,
            routing_token=routing_token,
            negotiation=negotiation,
            correlation=correlation,
            destination_ref=destination_ref,
            source_ref=source_ref,
            class_option=buffer[10],
            cookie_first=cookie_first,
            extra_text=extra_text,
            trailing=trailing,
            tpkt_reserved=buffer[1],
        )
        return Decoded(value, buffer[length:])


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionConfirm:
    """X.224 Connection Confirm (X.224 13.4, MS-RDPBCGR 2.2.1.2): the server's answer to a Connection Request.

    `negotiation`  what the server chose or why it refuses; None if the request had no RDP_NEG_REQ.
    `source_ref`   Windows servers send 0x1234.
    The other fields are as in ConnectionRequest.
    """

    negotiation: NegotiationResponse | NegotiationFailure | None = None
    destination_ref: int = 0
    source_ref: int = 0x1234
    class_option: int | None = 0
    trailing: bytes = b""
    tpkt_length: int | None = None
    length_indicator: int | None = None
    tpkt_version: int = VERSION
    tpkt_reserved: int = 0
    code: int = CODE_CONNECTION_CONFIRM

    def encode(self) -> bytes:
        """The packet. ValueError if a number does not fit; a length indicator over 254 must be given explicitly."""
        negotiation = b"" if self.negotiation is None else self.negotiation.encode()
        return _encode_connection(self, negotiation + self.trailing)

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[ConnectionConfirm]:
        """Take one confirm off the front of `buffer`, TPKT header first.

        Malformed at 0 (TPKT version), 2 (under 11 bytes), 4 (LI against TPKT length, or 255), 5 (not D0), 10 (class not 0),
        11 (type of negotiation data, or data cut short), 13 (its length).
        """
        buffer = bytes(buffer)
        length = _connection_length(buffer, CODE_CONNECTION_CONFIRM, "Connection Confirm")
        if not isinstance(length, int):
            return length
        negotiation = None
        trailing = b""
        if length > _FIXED_LENGTH:
            structure = NegotiationFailure if buffer[_FIXED_LENGTH] == TYPE_FAILURE else NegotiationResponse
            outcome = within(structure.decode(buffer[_FIXED_LENGTH:length]), _FIXED_LENGTH, "negotiation data")
            if isinstance(outcome, Malformed):
                return outcome
            negotiation, trailing = outcome.value, outcome.rest
        destination_ref, source_ref = _REFERENCES.unpack_from(buffer, 6)
        value = cls(
            negotiation=negotiation,
            destination_ref=destination_ref,
            source_ref=source_ref,
            class_option=buffer[10],
            trailing=trailing,
            tpkt_reserved=buffer[1],
        )
        return Decoded(value, buffer[length:])


@dataclass(frozen=True, slots=True)
class Data:
    """X.224 Data (X.224 13.7): `02 f0 80`, then `payload`, up to 65,528 bytes. Every PDU after the confirm travels in one.

    `eot` is 80; RDP does not cut a message into several TPDUs, so another value is sent as it is and refused by `decode`.
    `length_indicator` counts the bytes after it in the header only, not the payload: 2, None means that.
    The other fields are as in ConnectionRequest.
    """

    payload: bytes
    tpkt_length: int | None = None
    length_indicator: int | None = None
    eot: int = EOT
    code: int = CODE_DATA
    tpkt_version: int = VERSION
    tpkt_reserved: int = 0

    def encode(self) -> bytes:
        """The packet. ValueError if a number does not fit; a payload over 65,528 bytes needs an explicit `tpkt_length`."""
        indicator = 2 if self.length_indicator is None else self.length_indicator
        header = pack(_DATA_HEADER, indicator, self.code, self.eot)
        return Tpkt(header + self.payload, self.tpkt_length, self.tpkt_version, self.tpkt_reserved).encode()

    @classmethod
    def decode(cls, buffer: bytes) -> Outcome[Data]:
        """Take one Data TPDU off the front of `buffer`, TPKT header first.

        Malformed at 0 (TPKT version), 2 (under 7 bytes), 4 (LI not 2), 5 (not F0), 6 (EOT not 80).
        """
        buffer = bytes(buffer)
        length = Tpkt.frame_length(buffer, _DATA_HEADER_LENGTH)
        if not isinstance(length, int):
            return length
        available = len(buffer)
        for offset, expected, name in _DATA_FIELDS:
            if available <= offset:
                return NeedMore(1)
            if buffer[offset] != expected:
                return Malformed(offset, f"{name} is {buffer[offset]:#04x}, not {expected:#04x}")
        if available < length:
            return NeedMore(length - available)
        return Decoded(cls(buffer[_DATA_HEADER_LENGTH:length], tpkt_reserved=buffer[1]), buffer[length:])


def _encode_connection(pdu: ConnectionRequest | ConnectionConfirm, variable: bytes) -> bytes:
    """The packet around a variable part; the header fields come from `pdu`."""
    body = pack(_CODE_AND_REFERENCES, pdu.code, pdu.destination_ref, pdu.source_ref)
    if pdu.class_option is not None:
        body += pack(_BYTE, pdu.class_option)
    body += variable
    indicator = len(body) if pdu.length_indicator is None else pdu.length_indicator
    if pdu.length_indicator is None and indicator > MAXIMUM_LENGTH_INDICATOR:
        raise ValueError(f"{indicator} bytes exceed a length indicator of 254: to send it wrong, state length_indicator")
    return Tpkt(pack(_BYTE, indicator) + body, pdu.tpkt_length, pdu.tpkt_version, pdu.tpkt_reserved).encode()


def _connection_length(buffer: bytes, code: int, name: str) -> int | NeedMore | Malformed:
    """Bytes of a whole request or confirm whose fixed part is sound, or the answer that ends its decoding."""
    length = Tpkt.frame_length(buffer, _FIXED_LENGTH)
    if not isinstance(length, int):
        return length
    available = len(buffer)
    if available < 5:
        return NeedMore(1)
    indicator = buffer[4]
    if indicator != length - 5 or indicator > MAXIMUM_LENGTH_INDICATOR:
        return Malformed(4, f"length indicator {indicator} is not TPKT length {length} - 5, or exceeds 254")
    if available < 6:
        return NeedMore(1)
    if buffer[5] != code:
        return Malformed(5, f"code {buffer[5]:#04x} is not that of a {name} ({code:#04x})")
    if available < _FIXED_LENGTH:
        return NeedMore(_FIXED_LENGTH - available)
    if buffer[10] & 0xF0:
        return Malformed(10, f"class {buffer[10] >> 4}, not 0")
    if available < length:
        return NeedMore(length - available)
    return length


def _read_lines(buffer: bytes, end: int) -> tuple[bytes | None, bytes | None, bool, int, int] | Malformed:
    """Cookie, token, whether the cookie came first, where extra text begins, where all text ends."""
    cookie = routing_token = None
    cookie_first = False
    position = _FIXED_LENGTH
    extra_start = 0  # 0: none yet
    while position < end and (buffer[position] >= 0x20 or buffer.startswith(LINE_END, position, end)):
        line_end = buffer.find(LINE_END, position, end)
        if line_end < 0:
            return Malformed(position, "text line has no CR LF")
        nul = buffer.find(0, position, line_end)
        if nul >= 0:
            return Malformed(nul, "NUL within a text line")
        line = buffer[position:line_end]
        is_cookie = line.startswith(COOKIE_PREFIX)
        if extra_start:
            pass
        elif is_cookie and cookie is None:
            cookie = line[len(COOKIE_PREFIX):]
        elif line and not is_cookie and routing_token is None:
            routing_token = line
            cookie_first = cookie is not None
        else:
            extra_start = position
        position = line_end + len(LINE_END)
    return cookie, routing_token, cookie_first, extra_start or position, position
