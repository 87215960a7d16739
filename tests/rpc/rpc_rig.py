"""Services and speeches that hand each other their bytes; and impacket's client on one end of a socket pair."""

import json
import socket
import threading

from lbcert.endpoints.mapper import Mapper
from lbcert.wire.talk import Identity, Place


class Desk:
    """One connection of a service, and what it reported."""

    def __init__(self, make=Mapper, index=2, conn=7, **options):
        self.events = []
        options.setdefault("address", "192.168.0.12")
        place = Place(Identity(index, conn), f"fe{index}.pool.lbcert.test", 135, ("10.0.0.5", 40001), options)
        self.service = make(place, self.report)

    def report(self, kind, **facts):
        self.events.append({"kind": kind, **json.loads(json.dumps(facts))})

    def take(self, data, size=None):
        step = size or len(data) or 1
        return b"".join([self.service.take(data[at : at + step]) for at in range(0, len(data), step)])

    def kinds(self):
        return [event["kind"] for event in self.events]


def converse(speech, desk, size=None, out=None):
    """Until neither has anything to say."""
    out = speech.begin() if out is None else out
    while out:
        answer = desk.take(out, size)
        step = size or len(answer) or 1
        out = b"".join([speech.take(answer[at : at + step]) for at in range(0, len(answer), step)])
    return speech


class Recording:
    """What a speech and a service say to each other, message by message."""

    def __init__(self, speech, desk):
        self.said = []
        out = speech.begin()
        while out:
            self.said.append(out)
            out = speech.take(desk.take(out))


def impacket_client(desk, talk):
    """`talk(dce)` with impacket's own client connected to this desk; returns what it returns."""
    from impacket.dcerpc.v5 import transport

    ours, theirs = socket.socketpair()

    def serve():
        while data := theirs.recv(100):
            theirs.sendall(desk.service.take(data))
            if desk.service.closing:
                break
        theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    ours.settimeout(10)
    means = transport.DCERPCTransportFactory("ncacn_ip_tcp:127.0.0.1[135]")
    means._TCPTransport__socket = ours  # its own connect dials; there is no other way in
    try:
        return talk(means.get_dce_rpc())
    finally:
        ours.close()
        thread.join(10)
