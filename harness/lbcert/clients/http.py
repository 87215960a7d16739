"""A web client's side of one connection: requests in a row or pipelined, a shared cookie jar, every answer kept exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..wire.cookies import Jar
from ..wire.http import LAST_CHUNK, TOKEN_HEADER, Ask, Fields, chunk, field_lines, read_server_value
from ..wire.talk import Identity
from .http_reply import Replies, Reply


class Browse:
    """The Speech of one web client.

    Outcomes: `answered`: every request has a whole answer below 400 that names a mock server; `anonymous`: whole answers, and
    one names none; `status <n>`: the first answer of 400 or more; `malformed`: no HTTP, or more than was asked for (also when
    that comes later); `short`: the server closed before the end, or said that it would.

    `ended` is to be called when the server has closed: some answers end with their connection.
    """

    def __init__(
        self, token: str, asks: Sequence[Ask], *, host: str, jar: Jar | None = None, secure: bool = False,
        pipelined: bool = False, keep: int = 65536,
    ):  # fmt: skip
        """`host`: of the VIP, as a client knows it; `secure`: inside TLS; `keep`: bytes of each raw answer that are kept."""
        self.token = token
        self.host = host
        self.jar = Jar() if jar is None else jar
        self._secure = secure
        self._pipelined = pipelined
        self._asks = list(asks)
        self._said = 0
        self._shown: list[list[str]] = []
        """the Cookie headers of each request"""
        self.sent: list[Sent] = []
        """the requests that were said, in order"""
        self._waiting = b""
        self._replies = Replies(keep)
        self._outcome: str | None = None

    @property
    def outcome(self) -> str | None:
        return self._outcome

    @property
    def replies(self) -> list[Reply]:
        """The whole answers so far."""
        return self._replies.whole

    @property
    def answers(self) -> int:
        """Answers below 400 of the server that gave the first one."""
        named = [who(reply) for reply in self.replies if reply.status < 400]
        return sum(one is not None and named[0] is not None and one.index == named[0].index for one in named)

    @property
    def identity(self) -> Identity | None:
        """Of the last answer that names one."""
        return next((one for reply in reversed(self.replies) if (one := who(reply)) is not None), None)

    def begin(self) -> bytes:
        return b"".join(self._next() for _ in self._asks) if self._pipelined else self._next()

    def again(self, *asks: Ask) -> bytes:
        """Further requests on the held connection (none named: the first page); there is no outcome until they are answered."""
        asks = asks or (Ask(),)
        self._asks += asks
        self._outcome = None
        return b"".join(self._next() for _ in asks) if self._pipelined else self._next()

    def take(self, data: bytes) -> bytes:
        out = b""
        before = len(self.replies)
        self._replies.take(data)
        for place in range(before, len(self.replies)):
            reply = self.replies[place]
            for line in reply.all("set-cookie"):
                self.jar.take(line, self._asks[place].target, reply.first("date"), self._asks[place].host or self.host)
        if self._replies.go_on and self._waiting:
            out, self._waiting = self._waiting, b""
        if self._replies.wrong:
            self._outcome = "malformed"
        elif len(self.replies) > before:
            self._waiting = b""
            if len(self.replies) == len(self._asks):
                self._outcome = judge(self.replies)
            elif not self._pipelined and last_of(self.replies[-1]):
                self._outcome = "short"
            elif not self._pipelined:
                out += self._next()
        return out

    def ended(self) -> None:
        """The server has closed."""
        if self._outcome is None:
            self._replies.end()
            self.take(b"")
            if self._outcome is None:
                self._outcome = judge(self.replies) if len(self.replies) == len(self._asks) else "short"

    def told(self) -> dict[str, Any]:
        return {
            "asked": [[one.method, one.target] for one in self._asks], "shown": self._shown,
            "replies": [one.told() for one in self.replies], "wrong": self._replies.wrong,
            "cookies": [[one.name, one.value, one.secure] for one in self.jar],
        }  # fmt: skip

    def _next(self) -> bytes:
        ask = self._asks[self._said]
        self._said += 1
        self._replies.expect(ask.method)
        cookies = self.jar.header(ask.target, self._secure)
        self._shown.append([*([cookies] if cookies else []), *(value for name, value in ask.headers if name.lower() == "cookie")])
        sent, body = request(ask, self.token, self.host, cookies)
        self.sent.append(sent)
        head = sent.head()
        if not ask.expect:
            return head + body
        self._waiting = body
        return head


class Raw:
    """Bytes sent as they are, and the answers that come: for what no client would say.

    Outcomes: `answered` when `answers` whole answers are there, else as `Browse`; what an answer says is left to the test.
    """

    def __init__(self, token: str, data: bytes, answers: int = 1, keep: int = 65536, method: str = "GET"):
        self.token = token
        self._data = data
        self._answers = answers
        self._replies = Replies(keep)
        for _ in range(answers):
            self._replies.expect(method)
        self._outcome: str | None = None

    @property
    def outcome(self) -> str | None:
        return self._outcome

    @property
    def replies(self) -> list[Reply]:
        return self._replies.whole

    @property
    def identity(self) -> Identity | None:
        return next((one for reply in reversed(self.replies) if (one := who(reply)) is not None), None)

    def begin(self) -> bytes:
        return self._data

    def take(self, data: bytes) -> bytes:
        self._replies.take(data)
        if self._outcome is None:
            if len(self.replies) >= self._answers:
                self._outcome = "answered"
            elif self._replies.wrong:
                self._outcome = "malformed"
        return b""

    def ended(self) -> None:
        if self._outcome is None:
            self._replies.end()
            self.take(b"")
            self._outcome = self._outcome or "short"

    def told(self) -> dict[str, Any]:
        return {"replies": [one.told() for one in self.replies], "wrong": self._replies.wrong}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was said; `body` without framing."""

    method: str
    target: str
    version: str
    fields: Fields
    body: bytes

    def head(self) -> bytes:
        """On the wire, its empty line with it."""
        return f"{self.method} {self.target} HTTP/{self.version}\r\n".encode("latin-1") + field_lines(self.fields) + b"\r\n"


def request(ask: Ask, token: str, host: str, cookies: str) -> tuple[Sent, bytes]:
    """A request, and its body on the wire."""
    target = ask.target
    fields: Fields = []
    named = host if ask.host is None else ask.host
    if named:
        fields.append(("Host", named))
    if ask.token:
        target += f"{'&' if '?' in target else '?'}token={token}"
        fields.append((TOKEN_HEADER, token))
    if cookies:
        fields.append(("Cookie", cookies))
    fields += ask.headers
    if ask.expect:
        fields.append(("Expect", "100-continue"))
    body = ask.body
    if ask.chunks:
        size = max(1, -(-len(body) // ask.chunks))
        body = b"".join(chunk(body[at : at + size]) for at in range(0, len(body), size)) + LAST_CHUNK
        fields.append(("Transfer-Encoding", "chunked"))
    elif body or ask.method in ("POST", "PUT"):
        fields.append(("Content-Length", str(len(body))))
    return Sent(ask.method, target, ask.version, fields, ask.body), body


def who(reply: Reply) -> Identity | None:
    """The mock server that an answer names."""
    named = read_server_value(reply.first("x-lbcert-server") or "")
    return None if named is None else Identity(*named)


def last_of(reply: Reply) -> bool:
    """Whether the server says that it closes behind this answer (RFC 9112, section 9.6)."""
    return any(one.strip().lower() == "close" for value in reply.all("connection") for one in value.split(","))


def judge(replies: Sequence[Reply]) -> str:
    """One word for a list of whole answers."""
    bad = next((one.status for one in replies if one.status >= 400), None)
    if bad is not None:
        return f"status {bad}"
    return "answered" if all(who(one) is not None for one in replies) else "anonymous"
