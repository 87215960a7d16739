"""The web service of a mock server: answers any request with who it is and what it saw, and reports the request exactly."""

from __future__ import annotations

import hashlib
from typing import Any

import h11

from ..wire.http import LARGEST_HEAD, cookies_of, ends, fields_of, head_of, plain_request, token_of
from ..wire.talk import Place, Report
from .http_answer import CONTINUE, SAMPLE, Answer, Asked, refusal

PATIENT = 4 * 1024 * 1024
"""bytes of further requests that wait while a long answer is on its way"""
_ENDS = {"connection", "content-length", "transfer-encoding", "expect", "upgrade"}
"""headers that say something about framing: their requests go through h11"""


class Web:
    """One connection: keep-alive, pipelining, chunked bodies, HEAD, 100-continue; HTTP/1.0 is closed after its answer.

    Reports `request` (token, method, target, version, headers, cookies, body_length, body_sha256, number, peer, proxy) when its
    body is whole, `said` (token, number, status, headers, body_length, body_sha256) where it is told to, `answered-long` (token, number,
    length, sha256) when a long answer has been said, and `malformed`.

    `Place.options["web"]` says how it answers, read anew for each request: see `Answer`.

    A long answer comes in pieces: while `pending`, call `more` whenever what was returned is sent. With the option `hold` an
    answer waits until it is released by `push`; meanwhile further requests of the connection wait too.
    """

    def __init__(self, place: Place, report: Report):
        self._place = place
        self._report = report
        self._buffer = b""
        self._searched = 0
        """bytes of the buffer that hold no end of a head: read again for each segment, a head of many would keep others waiting"""
        self._number = 0
        self._parser: h11.Connection | None = None
        self._asked = Asked("", "", "", [], False)
        self._digest = hashlib.sha256()
        self._answer: Answer | None = None
        self._held: Answer | None = None
        self.closing = False

    @property
    def pending(self) -> bool:
        """Whether `more` has something to say."""
        return self._answer is not None

    def begin(self) -> bytes:
        return b""

    def take(self, data: bytes) -> bytes:
        if self.closing:
            return b""
        self._buffer += data
        if self._answer is not None or self._held is not None:
            if len(self._buffer) > PATIENT:
                return self._refuse("more than is read ahead while an answer is under way", 400)
            return b""
        return self._go_on()

    def more(self) -> bytes:
        """The next piece of a long answer, and what follows it when that was the last."""
        if self._answer is None:
            return b""
        piece = self._answer.piece()
        if not self._answer.done:
            return piece
        self._report("answered-long", **self._answer.told())
        self._end_of_answer(self._answer)
        return piece if self.closing else piece + self._go_on()

    def push(self, what: dict[str, Any]) -> bytes:
        """`{"raw": text}` says these bytes (Latin-1), `{"release": true}` an answer that is held; `{"close": true}` closes."""
        out = what.get("raw", "").encode("latin-1")
        if what.get("release") and self._held is not None:
            answer, self._held = self._held, None
            out += self._begin(answer) + self._go_on()
        self.closing = self.closing or bool(what.get("close"))
        return out

    # -- requests

    def _go_on(self) -> bytes:
        out = []
        while not self.closing and self._answer is None and self._held is None:
            if self._parser is None and self._buffer:
                if self._buffer[0] in b"\r\n":
                    self._buffer, self._searched = self._buffer.lstrip(b"\r\n"), 0
                head = plain_request(self._buffer)
                if head is not None and _ENDS.isdisjoint(head.lower) and head.lower.count("host") == 1:
                    self._buffer, self._searched = self._buffer[head.length :], 0
                    out.append(self._respond(Asked(*head.first, "1.1", head.fields, True)))
                    continue
            step = self._slowly()
            if step is None:
                break
            out.append(step)
        return b"".join(out)

    def _slowly(self) -> bytes | None:
        """One step of h11; None when it needs more bytes."""
        try:
            if self._parser is None:
                return b"" if self._start() else None
            if self._buffer:
                self._parser.receive_data(self._buffer)
                self._buffer = b""
            return self._event(self._parser, self._parser.next_event())
        except h11.RemoteProtocolError as error:
            return self._refuse(str(error), error.error_status_hint)

    def _start(self) -> bool:
        """A parser for the next request, once its head is whole or cannot become one."""
        if not self._buffer:
            return False
        if 0 < self._searched < len(self._buffer) < LARGEST_HEAD and not ends(self._buffer, self._searched):
            self._searched = len(self._buffer)
            return False
        head = head_of(self._buffer)
        if head is None and len(self._buffer) >= LARGEST_HEAD:
            raise h11.RemoteProtocolError(f"no end of the head within {LARGEST_HEAD} bytes", error_status_hint=431)
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        parser.receive_data(self._buffer)
        event = parser.next_event()
        if head is None or not isinstance(event, h11.Request):
            self._searched = len(self._buffer)
            return False
        self._buffer, self._searched = b"", 0
        self._parser = parser
        version = event.http_version.decode()
        keep = version == "1.1" and b"close" not in _tokens(event.headers, b"connection")
        self._asked = Asked(event.method.decode(), event.target.decode("latin-1"), version, fields_of(head), keep)
        self._digest = hashlib.sha256()
        return True

    def _event(self, parser: h11.Connection, event: Any) -> bytes | None:
        asked = self._asked
        if isinstance(event, h11.Data):
            asked.length += len(event.data)
            self._digest.update(event.data)
            if len(asked.sample) < SAMPLE:
                asked.sample += bytes(event.data[: SAMPLE - len(asked.sample)])
            return b""
        if isinstance(event, h11.EndOfMessage):
            self._buffer = bytes(parser.trailing_data[0])
            self._parser = None
            asked.digest = self._digest.hexdigest()
            return self._respond(asked)
        if asked.waits and parser.they_are_waiting_for_100_continue:
            asked.waits = False
            return CONTINUE
        return None

    # -- answers

    def _respond(self, asked: Asked) -> bytes:
        self._number += 1
        asked.number = self._number
        asked.token = token_of(asked.target, asked.fields)
        place = self._place
        self._report(
            "request", token=asked.token, method=asked.method, target=asked.target, version=asked.version,
            headers=asked.fields, cookies=cookies_of(asked.fields), body_length=asked.length, body_sha256=asked.digest,
            number=asked.number, peer=place.peer, proxy=place.options.get("proxied"),
        )  # fmt: skip
        answer = Answer(place, asked, place.options.get("web") or {})
        if answer.hold:
            self._held = answer
            return b""
        return self._begin(answer)

    def _begin(self, answer: Answer) -> bytes:
        out = answer.begin()
        if answer.tells:
            self._report("said", **answer.said())
        if answer.done:
            self._end_of_answer(answer)
        else:
            self._answer = answer
        return out

    def _end_of_answer(self, answer: Answer) -> None:
        self._answer = None
        self.closing = not answer.keep

    def _refuse(self, reason: str, status: int) -> bytes:
        self._report("malformed", reason=reason, number=self._number + 1, head=self._buffer[:256].hex())
        self._parser, self._answer, self._held, self._buffer = None, None, None, b""
        self.closing = True
        return refusal(self._place, status)


def _tokens(fields: Any, name: bytes) -> set[bytes]:
    """The comma-separated tokens of a header in lower case, all its lines together."""
    return {one.strip().lower() for key, value in fields if key == name for one in value.split(b",")}
