"""What a client's first bytes say. The one place that asks the project's codec about requests."""

from __future__ import annotations

from dataclasses import dataclass

from lbcert.wire import ConnectionRequest, Decoded, NeedMore


@dataclass(frozen=True, slots=True)
class Opening:
    """A decision's basis: the request and its length in bytes, or neither; and the port of ours that the client chose."""

    request: ConnectionRequest | None = None
    length: int = 0
    port: int = 0

    @property
    def user(self) -> bytes | None:
        """The cookie's value, if it names somebody. A token in front of the cookie changes nothing (RDP-PARSE-08).

        An empty value names nobody (RDP-PERSIST-08), and so does a domain without a user: what is left of a longer name
        that the client cut after nine characters (RDP-PERSIST-06).
        """
        cookie = self.request.cookie if self.request is not None else None
        return None if not cookie or cookie.endswith(b"\\") else cookie


NOTHING = Opening()


def read_opening(buffer: bytes) -> Opening | None:
    """None while the request is incomplete; `NOTHING` once it is clear that there is none."""
    match ConnectionRequest.decode(buffer):
        case Decoded(value=request, rest=rest):
            return Opening(request, len(buffer) - len(rest))
        case NeedMore():
            return None
        case _:
            return NOTHING
