"""RDP clients by themselves, for docker-compose.yml: `python3 -m lbcert.clients ADDRESS:PORT USER...`.

Each user connects once; what is printed is the number of the mock terminal server that answered.
"""

from __future__ import annotations

import socket
import sys

from ..wire import ConnectionConfirm, Decoded, NeedMore
from .rdp import connection_request

PATIENCE = 15.0
"""s for a connection, and for each part of the answer"""


def main() -> None:
    target, *users = sys.argv[1:] or [""]
    address, _, port = target.rpartition(":")
    if not (address and port.isdigit() and users):
        sys.exit("usage: python3 -m lbcert.clients ADDRESS:PORT USER...")
    failed = False
    for user in users:
        try:
            print(f"{user}: server {ask((address.strip('[]'), int(port)), user)}")
        except OSError as error:
            failed = True
            print(f"{user}: {error.strerror or error}")
    sys.exit(failed)


def ask(address: tuple[str, int], user: str) -> int:
    """Which mock server a user of this name reaches."""
    with socket.create_connection(address, PATIENCE) as sock:
        sock.sendall(connection_request(user))
        received = b""
        while isinstance(outcome := ConnectionConfirm.decode(received), NeedMore):
            if not (data := sock.recv(4096)):
                raise OSError("closed without an answer")
            received += data
    if not isinstance(outcome, Decoded):
        raise OSError(f"no Connection Confirm: {received[:20].hex(' ')}")
    return outcome.value.source_ref >> 12


if __name__ == "__main__":
    main()
