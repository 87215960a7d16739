"""A web service and a web client that hand each other their bytes."""

import json

from lbcert.endpoints.http import Web
from lbcert.wire.talk import Identity, Place


class Desk:
    """A Web on one connection, and what it reported."""

    def __init__(self, web=None, **options):
        self.events = []
        self.options = {**options, **({"web": web} if web else {})}
        self.place = Place(Identity(2, 7), "fe2.pool.lbcert.test", 443, ("10.0.0.5", 40001), self.options)
        self.service = Web(self.place, self.report)

    def report(self, kind, **facts):
        self.events.append({"kind": kind, **json.loads(json.dumps(facts))})

    def take(self, data, size=None):
        step = size or len(data)
        out = b"".join([self.service.take(data[at : at + step]) for at in range(0, len(data), step)])
        while self.service.pending:
            out += self.service.more()
        return out

    def of(self, kind):
        return [event for event in self.events if event["kind"] == kind]


def converse(speech, desk, size=None):
    """Until neither has anything to say; then the end of the connection, if the server closes."""
    out = speech.begin()
    while out:
        answer = desk.take(out, size)
        pieces = [answer[at : at + size] for at in range(0, len(answer), size)] if size else [answer]
        out = b"".join([speech.take(piece) for piece in pieces])
    if desk.service.closing:
        speech.ended()
    return speech


GET = b"GET /a?token=t1 HTTP/1.1\r\nHost: vip\r\nX-B: 1\r\nx-b:  two \r\nCookie: SERVERID=s1; a=b=c\r\n\r\n"
