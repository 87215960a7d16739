"""A client that says one hello of TLS and listens to the server's first words, no further."""

from __future__ import annotations

import os
from typing import Any

from ..wire.outcome import Decoded, NeedMore
from ..wire.talk import Identity
from ..wire.tls_hello import Said, client_hello, read_answer


class Hello:
    """The Speech of such a client.

    Outcomes: `accepted`: the server goes on with the version that was offered, or with an older one (`said`); `refused`: by an
    alert; `malformed`: it says something that is no TLS. A server may also just close.
    """

    identity: Identity | None = None
    answers = 0

    def __init__(self, token: str, offer: str, name: str):
        """`offer`: a key of `tls_hello.VERSIONS` or `WEAK`; `name`: the host that is asked for; empty: none is named."""
        self.token = token
        self.offer = offer
        self.said: Said | None = None
        self.outcome: str | None = None
        self._name = name
        self._heard = b""

    def begin(self) -> bytes:
        return client_hello(self.offer, self._name, os.urandom(32))

    def take(self, data: bytes) -> bytes:
        self._heard += data
        if self.outcome is None:
            answer = read_answer(self._heard)
            if isinstance(answer, Decoded):
                self.said = answer.value
                self.outcome = "accepted" if answer.value.version else "refused"
            elif not isinstance(answer, NeedMore):
                self.outcome = "malformed"
        return b""

    def again(self) -> bytes:
        return b""

    def told(self) -> dict[str, Any]:
        said = None if self.said is None else {"version": self.said.version, "suite": self.said.suite, "alert": self.said.alert}
        return {"offered": self.offer, "said": said}
