"""Helpers for tests that need a lab: small plans, programs run inside, sockets that wait for a named time."""

import os
import signal
import tempfile
import time
from pathlib import Path

from lbcert.topology.interface import Broker
from lbcert.topology.plan import Plan, make_plan

PATIENCE = 15.0
"""s until a program in the lab must have ended; a loaded machine is slow, not wrong"""

VIP, TS1, TS2 = "192.0.2.10", "192.0.2.11", "192.0.2.12"
VIP6, TS1_6 = "2001:db8::10", "2001:db8::11"


def small_plan(**more) -> Plan:
    """One arm, two real servers."""
    return make_plan([VIP], {"ts1": TS1, "ts2": TS2}, **more)


class Program:
    """A program that was started in a host of the lab."""

    def __init__(self, broker: Broker, host: str, *argv: str, **arguments):
        self.broker = broker
        self.status: int | None = None
        self.pid: int | None = None  # news of others may come before the reply
        self._next = broker.on_event
        broker.on_event = self._on_event
        self._output = tempfile.NamedTemporaryFile(prefix="lbcert-test-")
        self.pid = broker.request("spawn", [self._output.fileno()], host=host, argv=list(argv), **arguments)["pid"]

    def _on_event(self, event: dict) -> None:
        if event["event"] == "exit" and event["pid"] == self.pid:
            self.status = event["status"]
        self._next(event)

    @property
    def output(self) -> str:
        return Path(self._output.name).read_text(errors="replace")

    def wait(self, done=None) -> str:
        """Its output, once it has ended, or once `done()` holds."""
        deadline = time.monotonic() + PATIENCE
        while not (done() if done else self.status is not None):
            assert time.monotonic() < deadline, f"still running after {PATIENCE} s: {self.output}"
            self.broker.request("tick")
        return self.output

    def kill(self) -> None:
        self.broker.request("signal", pid=self.pid, number=int(signal.SIGKILL), wait=True)


def run(broker: Broker, host: str, *argv: str, **arguments) -> str:
    """Run a program in `host` to its good end; returns its output."""
    program = Program(broker, host, *argv, **arguments)
    text = program.wait()
    assert program.status == 0, f"{argv}: status {program.status}: {text}"
    return text


def python(broker: Broker, host: str, code: str, **arguments) -> str:
    """Run a piece of Python in `host`, with the system's interpreter."""
    return run(broker, host, "/usr/bin/python3", "-I", "-c", code, **arguments)


def listener(broker: Broker, host: str, address: str, port: int, answer: str = "conn.getpeername()[0]") -> Program:
    """A server in `host` that tells every client `answer`; waits until it listens."""
    family = "socket.AF_INET6" if ":" in address else "socket.AF_INET"
    code = (
        f"import socket\nserver = socket.create_server(({address!r}, {port}), family={family}, backlog=512)\n"
        f"while True:\n    conn, _ = server.accept()\n    conn.sendall(str({answer}).encode())\n    conn.close()\n"
    )
    program = Program(broker, host, "/usr/bin/python3", "-I", "-c", code)
    program.wait(lambda: [address, port] in broker.request("listening", host=host)["listening"])
    return program


def ask(sock, address: tuple[str, int]) -> str:
    """Connect one of the lab's sockets and read all that the far end says."""
    sock.settimeout(PATIENCE)
    with sock:
        sock.connect(address)
        chunks = []
        while chunk := sock.recv(4096):
            chunks.append(chunk)
    return b"".join(chunks).decode()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
