"""Codecs: bytes to values and back. Nothing here knows a socket, a clock or a thread.

Every PDU is a frozen dataclass with `encode() -> bytes` and a class method `decode(buffer) -> Outcome`, where an outcome is
`Decoded(value, rest)`, `NeedMore(at_least)` or `Malformed(offset, reason)`. No input makes `decode` raise.
"""

from .cookie import (
    COOKIE_PREFIX,
    LINE_END,
    TOKEN_PREFIX,
    TokenAddress,
    decode_cookie,
    decode_token,
    encode_cookie,
    encode_token,
)
from .negotiation import (
    CorrelationInfo,
    FailureCode,
    NegotiationFailure,
    NegotiationRequest,
    NegotiationResponse,
    Protocols,
    RequestFlags,
    ResponseFlags,
)
from .outcome import Decoded, Malformed, NeedMore, Outcome
from .tpkt import Tpkt
from .vectors import CC_VECTORS, CR_VECTORS, DESCRIPTIONS, MALFORMED_VECTORS
from .x224 import ConnectionConfirm, ConnectionRequest, Data

__all__ = [
    "CC_VECTORS",
    "COOKIE_PREFIX",
    "CR_VECTORS",
    "ConnectionConfirm",
    "ConnectionRequest",
    "CorrelationInfo",
    "DESCRIPTIONS",
    "Data",
    "Decoded",
    "FailureCode",
    "LINE_END",
    "MALFORMED_VECTORS",
    "Malformed",
    "NeedMore",
    "NegotiationFailure",
    "NegotiationRequest",
    "NegotiationResponse",
    "Outcome",
    "Protocols",
    "RequestFlags",
    "ResponseFlags",
    "TOKEN_PREFIX",
    "TokenAddress",
    "Tpkt",
    "decode_cookie",
    "decode_token",
    "encode_cookie",
    "encode_token",
]
