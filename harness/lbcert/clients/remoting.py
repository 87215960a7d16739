"""A client of .NET remoting: one request, its reply, and further ones on the held connection."""

from __future__ import annotations

from typing import Any

from ..wire.http import SERVER_HEADER, TOKEN_HEADER, read_server_value
from ..wire.nrtp import BINARY, CONTENT_TYPE, CUSTOM, REPLY, REQUEST, REQUEST_URI, Frame, Header
from ..wire.octets import stream
from ..wire.outcome import Decoded, Malformed
from ..wire.talk import Identity


class CallRemote:
    """Outcomes: `answered`: the reply holds what was sent, and who answered; `changed`: other content; `anonymous`; `malformed`.

    `size`: bytes of content; `chunks`: sizes that it goes out in.
    """

    def __init__(self, token: str, *, uri: str = "tcp://pool/ResponseGroup", size: int = 200, chunks: tuple[int, ...] = ()):
        self.token = token
        self._uri = uri
        self._content = stream(f"remoting {token}", sum(chunks) if chunks else size)
        self._chunks = chunks
        self._buffer = b""
        self._due = 0
        self._outcome: str | None = None
        self._identity: Identity | None = None
        self._reason = ""
        self.answers = 0
        """right replies of the server that gave the first one"""

    @property
    def outcome(self) -> str | None:
        return self._outcome

    @property
    def identity(self) -> Identity | None:
        return self._identity

    def begin(self) -> bytes:
        return self.again()

    def again(self) -> bytes:
        """The request, once more; there is no outcome until it is answered."""
        self._outcome = None
        self._due += 1
        named = Header(CUSTOM, self.token, TOKEN_HEADER)
        headers = (Header(REQUEST_URI, self._uri), Header(CONTENT_TYPE, BINARY), named)
        return Frame(REQUEST, headers, self._content, self._chunks).encode()

    def take(self, data: bytes) -> bytes:
        self._buffer += data
        while self._buffer and self._outcome in (None, "answered"):
            outcome = Frame.decode(self._buffer)
            if isinstance(outcome, Decoded):
                self._buffer = outcome.rest
                self._on(outcome.value)
            elif isinstance(outcome, Malformed):
                self._outcome, self._reason = "malformed", outcome.reason
            else:
                break
        return b""

    def told(self) -> dict[str, Any]:
        return {"answers": self.answers, "reason": self._reason}

    def _on(self, frame: Frame) -> None:
        if frame.operation != REPLY or not self._due:
            self._outcome, self._reason = "malformed", "no reply to a request"
            return
        self._due -= 1
        named = read_server_value(str(frame.one(CUSTOM, SERVER_HEADER)))
        if named is None:
            self._outcome = "anonymous"
            return
        who = Identity(*named)
        self._identity = self._identity or who
        right = frame.content == self._content
        self._outcome = "answered" if right else "changed"
        self.answers += right and who == self._identity
