"""A mock terminal server by itself, for docker-compose.yml: `python3 -m lbcert.endpoints NUMBER ADDRESS:PORT`.

It prints who connects. NUMBER (1 to 15) is its identity on the wire, which `python3 -m lbcert.clients` shows.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

from ..wire import ConnectionRequest, Decoded
from .terminal_server import serve


def main() -> None:
    number, _, rest = " ".join(sys.argv[1:]).partition(" ")
    address, _, port = rest.rpartition(":")
    if not (number.isdigit() and 1 <= int(number) <= 15 and address and port.isdigit()):
        sys.exit("usage: python3 -m lbcert.endpoints NUMBER ADDRESS:PORT (a number from 1 to 15)")
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        serve(theirs, {"index": int(number), "listen": [(address.strip("[]"), int(port))]})
    theirs.close()
    # As PID 1 of a container it would not be ended by a signal that it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    peers: dict[int, str] = {}
    for line in ours.makefile():
        event = json.loads(line)
        if event["kind"] == "listening":
            print(f"server {number} listens on {address} port {port}", flush=True)
        elif event["kind"] == "accept":
            peers[event["conn"]] = f"{event['peer'][0]} port {event['peer'][1]}"
        elif event["kind"] == "request":
            print(f"server {number}: {_user(event['bytes'])} from {peers[event['conn']]}", flush=True)


def _user(first: str) -> str:
    outcome = ConnectionRequest.decode(bytes.fromhex(first))
    cookie = outcome.value.cookie if isinstance(outcome, Decoded) else None
    return f"user {cookie.decode('latin-1')}" if cookie else "a client without a name"


if __name__ == "__main__":
    main()
