"""Looking at a host from outside: all of its TCP ports, and raw packets to its network."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time

import pytest
from topology_rig import PATIENCE, TS1, Program, listener

from lbcert.evidence.flows import flows
from lbcert.topology.interface import LabError

RESETTING = (
    "import socket, struct\nserver = socket.create_server(({address!r}, {port}))\n"
    "while True:\n    conn, _ = server.accept()\n"
    "    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n    conn.close()\n"
)


def test_a_scan_finds_what_is_open_and_nothing_else(broker):
    listener(broker, "ts1", TS1, 7001)
    listener(broker, "ts1", TS1, 65535)
    program = Program(broker, "ts1", "/usr/bin/python3", "-I", "-c", RESETTING.format(address=TS1, port=1))
    program.wait(lambda: [TS1, 1] in broker.request("listening", host="ts1")["listening"])
    _, fds = broker.request_fds("scan", host="client", source="10.130.0.1", address=TS1)
    heard, deadline = b"", time.monotonic() + 4 * PATIENCE
    while True:
        assert time.monotonic() < deadline
        if select.select(fds, [], [], 1)[0]:
            if not (data := os.read(fds[0], 1 << 16)):
                break
            heard += data
    os.close(fds[0])
    # A port that accepts and resets at once is open as well.
    assert json.loads(heard) == {"tried": 65535, "open": [1, 7001, 65535]}


def test_raw_packets_of_a_host(broker):
    reply, fds = broker.request_fds("packets", host="client", interface="eth0", protocol=0x0806)
    own = bytes.fromhex(reply["mac"].replace(":", ""))
    with socket.socket(fileno=fds[0]) as sock:
        asks = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, socket.inet_aton("192.0.2.99"), b"\0" * 6, socket.inet_aton(TS1))
        sock.send(b"\xff" * 6 + own + b"\x08\x06" + asks)
        assert select.select([sock], [], [], PATIENCE)[0]
        answer = sock.recv(2048)
    assert answer[:6] == own and answer[20:22] == b"\0\2" and answer[28:32] == socket.inet_aton(TS1)


def test_an_unknown_interface_is_refused(broker):
    with pytest.raises(LabError, match="No such device"):
        broker.request_fds("packets", host="client", interface="eth7", protocol=0x0806)


def test_packets_of_one_address_are_left_out_of_a_capture(broker, tmp_path):
    listener(broker, "ts1", TS1, 7001)
    path = tmp_path / "capture.pcapng"
    with path.open("wb") as file:
        broker.request("capture", [file.fileno()])

    def call(source: str) -> None:
        (sock,) = broker.sockets("client", [source])
        with sock:
            sock.setblocking(True)
            sock.connect((TS1, 7001))
            assert sock.recv(64).decode() == source

    call("10.130.0.1")
    broker.request("capture_leave_out", address="10.130.0.2")
    call("10.130.0.2")
    call("10.130.0.3")
    broker.request("capture_leave_out", address=None)
    call("10.130.0.2")
    broker.request("capture_sync")
    seen = [flow["client"] for flow in flows(path, {7001}) if flow["link"] == "ts1:eth0"]
    assert seen == ["10.130.0.1", "10.130.0.3", "10.130.0.2"]
