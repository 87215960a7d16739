"""A fault in a mock server's own code is loud: dropping the client would look like the product's doing."""

import socket
import subprocess
import sys

from lbcert.endpoints.mock import FAULTY

SERVER = '''
import asyncio, socket, sys
from lbcert.endpoints import mock

class Faulty(asyncio.Protocol):
    def data_received(self, data):
        raise ValueError("a fault of ours")

class Server(mock.Mock):
    def accepted(self):
        return Faulty()

mock.run(Server, socket.socket(fileno=int(sys.argv[1])), {"index": 1, "listen": [("127.0.0.1", int(sys.argv[2]))]})
'''


def test_a_fault_of_ours_ends_the_server_with_its_traceback():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ours, theirs = socket.socketpair()
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(theirs.fileno()), str(port)], pass_fds=[theirs.fileno()],
                              stderr=subprocess.PIPE, text=True)  # fmt: skip
    with ours, theirs, server:
        assert b"listening" in ours.recv(1000)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"x")
            said = server.communicate(timeout=30)[1]
    assert server.returncode == FAULTY and "a fault of ours" in said
