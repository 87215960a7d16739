"""Forks balancers for the tests: a fork takes 10 ms, a fresh interpreter with all imports 20 times that.

Over the socket in argv: a configuration with a descriptor for standard error comes in, a process id goes
back. When the tests end, the socket ends, and with it all balancers.
"""

import ctypes
import os
import signal
import socket
import sys

from lbcert.balancer import serve

PR_SET_PDEATHSIG = 1


class NoLateImports:
    """Within a lab the file system may be another one: what a balancer needs must be there before the fork."""

    def find_spec(self, name, path=None, target=None):
        os.write(2, f"late import of {name}\n".encode())
        os._exit(71)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    libc = ctypes.CDLL(None)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        text, fds, _, _ = socket.recv_fds(control, 65536, 1)
        if not text:
            return
        log = fds[0]
        pid = os.fork()
        if pid == 0:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.dup2(log, 2)
            os.closerange(3, 4096)
            sys.meta_path.insert(0, NoLateImports())
            serve(text.decode(), "test.yaml")
        os.close(log)
        control.send(str(pid).encode())


if __name__ == "__main__":
    main()
