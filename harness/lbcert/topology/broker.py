"""PID 1 of a lab: builds it, starts what runs in it, opens client sockets, and ends everything by ending.

One request, one reply, over a channel to pytest; unasked-for news (a process ended, a log line) go the same
way with an `event` key. The loop never blocks on the network, so end-of-file from pytest is always noticed.
"""

from __future__ import annotations

import errno
import inspect
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ..balancer import serve as serve_balancer
from ..endpoints import kinds, terminal_server  # noqa: F401  inside a lab there is no disk to load it from
from . import capture, holders, jail, linux, program, scan, wiring
from .channel import MAX_FDS, Channel, ChannelClosed
from .plan import Plan

LAG_TICK = 0.05
"""s between two looks of the lag probe"""

_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""signals that say nothing to the broker: its life hangs on pytest alone"""

_IP_BIND_ADDRESS_NO_PORT = 24
_IPV6_FREEBIND = 78
_SO_TIMESTAMPNS = 35
_TIMERS = {"00": "none", "01": "retransmission", "02": "keepalive", "04": "zero window probe"}
"""of an established connection, as the kernel's tables number them"""


class Refused(Exception):
    """A request cannot be met; the message goes back to pytest."""


class Broker:
    """The state of one lab."""

    def __init__(self, control: Channel, plan: Plan, hosts: wiring.Hosts):
        self.control = control
        self.plan = plan
        self.hosts = hosts
        self.wiring = wiring.Wiring(plan, hosts.spaces)
        self.children: dict[int, str] = {}
        self.statuses: dict[int, int] = {}
        self.logs: dict[int, tuple[socket.socket, str]] = {}
        self.capture: Channel | None = None
        self.lags: list[tuple[int, float]] = []
        self._wake, wake_write = os.pipe()
        for fd in (self._wake, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    # -- the loop ---------------------------------------------------------------------------------

    def run(self) -> NoReturn:
        due = time.monotonic() + LAG_TICK
        while True:
            wait = max(0.0, due - time.monotonic())
            readable, _, _ = select.select([self.control, self._wake, *self.logs], [], [], wait)
            now = time.monotonic()
            if now >= due:
                if now - due > 0.01:
                    self.lags.append((time.time_ns(), now - due))
                due = now + LAG_TICK
            if self._wake in readable:
                os.read(self._wake, 4096)
                self._reap()
            for fd in readable:
                if fd in self.logs:
                    self._read_log(*self.logs[fd])
            if self.control in readable:
                message, fds = self.control.receive()
                self._answer(message, fds)
                # What a request itself took is no lag of the machine.
                due = time.monotonic() + LAG_TICK

    def _answer(self, message: dict[str, Any], fds: list[int]) -> None:
        try:
            reply, out = self._handler(message, fds)(fds=fds, **message)
            self.control.send({"reply": reply}, out)
            for fd in out:
                os.close(fd)
        except Refused as error:
            self.control.send({"error": str(error)})
        except OSError as error:
            self.control.send({"error": f"{error}", "errno": error.errno})
        except ChannelClosed:
            raise
        except Exception as error:
            # A fault of ours; the lab goes on, so that the test's other evidence is not lost with it.
            self.control.send({"error": f"{type(error).__name__}: {error}", "detail": traceback.format_exc()})
        finally:
            for fd in fds:
                _close(fd)

    def _handler(self, message: dict[str, Any], fds: list[int]):
        """The method that answers `message`, once it is clear that it can."""
        op = message.pop("op", None)
        handler = getattr(self, f"do_{op}", None)
        if handler is None:
            raise Refused(f"no such request; known: {', '.join(sorted(n[3:] for n in dir(self) if n.startswith('do_')))}")
        try:
            inspect.signature(handler).bind(fds=fds, **message)
        except TypeError as error:
            raise Refused(str(error)) from None
        if "host" in message and message["host"] not in self.wiring.hosts:
            raise Refused(f"no host {message['host']!r} in this lab; it has: {', '.join(self.wiring.hosts)}")
        if len(fds) < _DESCRIPTORS.get(op, 0):
            raise Refused("a descriptor is missing")
        return handler

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            self.statuses[pid] = code
            if pid in self.children:
                name = self.children.pop(pid)
                self.control.send({"event": "exit", "pid": pid, "name": name, "status": code, "t": time.time_ns()})

    def _read_log(self, sock: socket.socket, host: str) -> None:
        try:
            while True:
                line = sock.recv(65536)
                self.control.send(
                    {"event": "log", "host": host, "t": time.time_ns(), "text": line.decode(errors="replace")[:8192]}
                )
        except BlockingIOError:
            return

    # -- processes --------------------------------------------------------------------------------

    def _fork(self, host: str, name: str, keep: list[int], body) -> int:
        """Fork a child into `host` that runs `body` and never returns; only `keep` stays open."""
        # Who is told to end before it no longer ignores that ends a moment later: blocked signals are kept, ignored ones are lost.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _IGNORED)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self.children[pid] = name
            return pid
        try:
            signal.set_wakeup_fd(-1)
            # What is ignored would stay so in the product: our own choices, and Python's (SIGPIPE, SIGXFSZ).
            for number in (signal.SIGCHLD, *_IGNORED, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            linux.die_with_parent()
            os.setsid()
            wiring.enter(self.wiring.hosts[host])
            self.hosts.confine()
            linux.set_name(f"lbcert-{name}")
            _close_all_but({0, 1, 2, *keep})
            body()
        except BaseException:
            traceback.print_exc()
        os._exit(70)

    def do_mock(self, fds: list[int], host: str, kind: str, config: dict[str, Any]):
        """Start a mock server in `host`; `fds` is (its end of a control stream)."""
        if kind not in kinds.KINDS:
            raise Refused(f"no mock server {kind!r}; known: {', '.join(kinds.KINDS)}")
        serve = kinds.serve(kind)
        stream = fds[0]
        pid = self._fork(host, host, [stream], lambda: serve(socket.socket(fileno=stream), config))
        return {"pid": pid}, []

    def do_balancer(self, fds: list[int], host: str, config: str, source: str):
        """Start the scripted balancer in `host`; `fds` is (a file for its output)."""
        out = fds[0]

        def body() -> None:
            os.dup2(out, 1)
            os.dup2(out, 2)
            linux.no_new_privileges()
            serve_balancer(config, source)

        return {"pid": self._fork(host, "balancer", [out], body)}, []

    def do_spawn(self, fds: list[int], host: str, argv: list[str], cwd: str = "/", env: dict[str, str] | None = None):
        """Execute a program of the product in `host` with an empty environment; `fds` is (a file for its output)."""
        out = fds[0]

        def body() -> None:
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.chdir(cwd)
            linux.no_new_privileges()
            environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **(env or {})}
            try:
                os.execve(argv[0], argv, environment)
            except OSError as error:
                os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
                os._exit(127)

        return {"pid": self._fork(host, "product", [out], body)}, []

    def do_program(self, fds: list[int], host: str, argv: list[str], env: dict[str, str] | None = None,
                   terminal: list[int] | None = None):  # fmt: skip
        """Execute a person's program in `host`: on a new terminal of `terminal` (rows, columns), whose other end is
        the reply's descriptor, or on `fds` as its standard input, output and error."""
        if terminal is None and len(fds) < 3:
            raise Refused("a program needs a terminal or three descriptors")
        try:
            ours, theirs = program.open_terminal(terminal) if terminal else (-1, -1)
        except OSError as error:
            raise Refused(f"this machine gives a lab no terminals: {error.strerror}") from None
        streams = [theirs] * 3 if terminal else fds[:3]
        try:
            pid = self._fork(host, "program", streams, lambda: program.become(argv, env or {}, streams, bool(terminal)))
        finally:
            if terminal:
                os.close(theirs)
        return {"pid": pid}, [ours] if terminal else []

    def do_signal(self, fds: list[int], pid: int, number: int, wait: bool = False, group: bool = False):
        """Signal a process of the lab; with `wait`, answer when it has ended (its sockets are closed by then)."""
        if pid <= 1:
            raise Refused(f"{pid} is no process of the lab")
        try:
            (os.killpg if group else os.kill)(pid, number)
        except ProcessLookupError:
            raise Refused(f"process {pid} has ended already") from None
        if wait:
            self.children.pop(pid, None)
            deadline = time.monotonic() + 5
            while pid not in self.statuses:
                self._reap()
                if pid not in self.statuses:
                    if time.monotonic() > deadline:
                        raise Refused(f"process {pid} did not end within 5 s of signal {number}")
                    select.select([self._wake], [], [], 0.05)
        return {"t": time.time_ns()}, []

    # -- files and sockets ------------------------------------------------------------------------

    def _in_host(self, host: str, action):
        wiring.enter(self.wiring.hosts[host])
        try:
            return action()
        finally:
            wiring.enter(self.wiring.base)

    def do_files(self, fds: list[int], host: str, files: list[dict[str, Any]], directories: list[str] = ()):
        """Copy open files into `host`: each entry of `files` has `path` and `mode`, its content is the next fd."""

        def put() -> None:
            for directory in directories:
                os.makedirs(directory, exist_ok=True)
            for entry, source in zip(files, fds, strict=True):
                os.makedirs(os.path.dirname(entry["path"]), exist_ok=True)
                flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
                target = os.open(entry["path"], flags, entry["mode"])
                offset, size = 0, os.fstat(source).st_size
                while offset < size:
                    offset += os.sendfile(target, source, offset, size - offset)
                os.fchmod(target, entry["mode"])
                os.close(target)

        self._in_host(host, put)
        return {}, []

    def do_log(self, fds: list[int], host: str, path: str = jail.LOG_SOCKET):
        """Listen on the host's /dev/log (or where a product that changes its root has it) and report lines as events."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

        def bind() -> None:
            sock.bind(path)
            os.chmod(path, 0o666)

        self._in_host(host, bind)
        sock.setblocking(False)
        self.logs[sock.fileno()] = (sock, host)
        return {}, []

    def do_sockets(self, fds: list[int], host: str, sources: list[list[Any]]):
        """TCP sockets of `host`, one bound to each source (address, port; 0: a port is chosen at connect)."""
        if len(sources) > MAX_FDS:
            raise Refused(f"at most {MAX_FDS} sockets in one request")
        made: list[int] = []
        linux.setns(self.wiring.hosts[host].net, linux.CLONE_NEWNET)
        try:
            for source, port in sources:
                family = socket.AF_INET6 if ":" in source else socket.AF_INET
                sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                made.append(sock.detach())
                _prepare(made[-1], family, source, port)
        except OSError as error:
            for fd in made:
                os.close(fd)
            if error.errno == errno.EMFILE:
                raise Refused("too many open files: raise the limit (ulimit -n)") from None
            raise Refused(f"socket bound to {sources[len(made) - 1][0]}: {error.strerror}") from None
        finally:
            linux.setns(self.wiring.base.net, linux.CLONE_NEWNET)
        return {}, made

    def do_packets(self, fds: list[int], host: str, interface: str, protocol: int):
        """A socket for raw packets of one Ethernet `protocol` on an interface of `host`, and the interface's MAC address."""

        def opened() -> socket.socket:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(protocol))
            sock.bind((interface, protocol))
            return sock

        try:
            sock = self._in_host(host, opened)
        except PermissionError:
            raise Refused(f"raw packets are not allowed in {host}") from None
        return {"mac": sock.getsockname()[4].hex(":")}, [sock.detach()]

    def do_scan(self, fds: list[int], host: str, source: str, address: str):
        """Try all TCP ports of `address` from `source`; the reply's descriptor is the end of a pipe that the result comes from."""
        ours, theirs = os.pipe()
        try:
            self._fork(host, "scan", [theirs], lambda: scan.serve(theirs, source, address))
        finally:
            os.close(theirs)
        return {}, [ours]

    def do_unix(self, fds: list[int], host: str, path: str):
        """A connection to a UNIX socket of `host` (a product's admin socket)."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._in_host(host, lambda: sock.connect(path))
        except OSError:
            sock.close()
            raise
        return {}, [sock.detach()]

    def do_listening(self, fds: list[int], host: str):
        """Addresses and ports on which something in `host` accepts TCP connections."""
        return {"listening": self._in_host(host, _listening)}, []

    def do_processes(self, fds: list[int]):
        """Pids of everything that runs in the lab and the title that each gives itself; without the broker and what makes the hosts."""
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        pids = [pid for pid in pids if pid not in (1, *self.hosts.keepers)]
        return {"pids": pids, "titles": {str(pid): _title(pid) for pid in pids}}, []

    def do_parent(self, fds: list[int], pid: int):
        """The parent of a process of the lab; the broker is 1."""
        try:
            with open(f"/proc/{pid}/stat") as file:
                # The name in parentheses may hold anything, spaces and parentheses included.
                return {"parent": int(file.read().rpartition(")")[2].split()[1])}, []
        except FileNotFoundError:
            raise Refused(f"process {pid} has ended already") from None

    def do_connections(self, fds: list[int], host: str):
        """Established TCP connections of `host`: `local` and `remote` end, which `timer` runs, seconds until it is `due`."""
        return {"connections": self._in_host(host, _connections)}, []

    def do_holders(self, fds: list[int], host: str):
        """What of the product runs in `host`, and which established TCP connections each process holds.

        For each process `pid`, `title`, `uid` (real, effective, saved, file system), effective `capabilities` (a mask) and
        `connections` (local and remote end). Ours are left out: mock servers, and what the broker itself is.
        """
        ours = {pid for pid, name in self.children.items() if name != "product"} | {os.getpid()} | set(self.hosts.keepers)
        return {"processes": holders.of(self.wiring.hosts[host].net, ours)}, []

    # -- faults and evidence ----------------------------------------------------------------------

    def do_dark(self, fds: list[int], host: str, on: bool):
        """Drop every IP packet to and from `host`, as if its power were cut behind a router that is still there."""
        rules = (
            "table inet lbcert_dark {\n"
            " chain in { type filter hook prerouting priority -400; policy drop;\n }\n"
            " chain out { type filter hook output priority -400; policy drop;\n }\n}\n"
            if on
            else "delete table inet lbcert_dark\n"
        )
        script = os.memfd_create("nft", 0)
        errors = os.memfd_create("nft-errors", 0)
        os.write(script, rules.encode())
        os.lseek(script, 0, os.SEEK_SET)
        actions = [(os.POSIX_SPAWN_DUP2, script, 0), (os.POSIX_SPAWN_DUP2, errors, 2)]
        linux.setns(self.wiring.hosts[host].net, linux.CLONE_NEWNET)
        try:
            pid = os.posix_spawn(_NFT, [_NFT, "-f", "-"], {}, file_actions=actions)
        finally:
            linux.setns(self.wiring.base.net, linux.CLONE_NEWNET)
        _, status = os.waitpid(pid, 0)
        stamp = time.time_ns()
        text = os.pread(errors, 4096, 0).decode(errors="replace")
        os.close(script)
        os.close(errors)
        if status:
            raise Refused(f"nft in {host}: {text.strip().splitlines()[0] if text.strip() else f'status {status}'}")
        return {"t": stamp}, []

    def do_capture(self, fds: list[int]):
        """Start the capture process; `fds` is (the pcapng file)."""
        ours, theirs = Channel.pair()
        out = fds[0]
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                linux.die_with_parent()
                linux.set_name("lbcert-capture")
                _close_all_but({0, 1, 2, theirs.fileno(), out})
                capture.serve(theirs, out, self.wiring.ports)
            except BaseException:
                traceback.print_exc()
            os._exit(70)
        theirs.close()
        self.children[pid] = "capture"
        self.capture = ours
        try:
            ours.receive()
        except ChannelClosed:
            raise Refused("the capture process could not start: AF_PACKET is not available here") from None
        return {"pid": pid}, []

    def do_capture_sync(self, fds: list[int]):
        """Have everything captured so far in the file; answers with packets written and dropped."""
        if self.capture is None:
            raise Refused("no capture is running")
        try:
            self.capture.send({})
            return self.capture.receive()[0], []
        except ChannelClosed:
            raise Refused("the capture process has ended") from None

    def do_capture_leave_out(self, fds: list[int], address: str | None):
        """Record no packets from or to an IPv4 address any more; all again for None."""
        if self.capture is None:
            raise Refused("no capture is running")
        self.capture.send({"leave_out": address})
        return self.capture.receive()[0], []

    def do_lag(self, fds: list[int]):
        """Late wake-ups of the broker's own loop, as (time in ns, lateness in s)."""
        lags, self.lags = self.lags[-2000:], []
        return {"lags": lags}, []

    def do_tick(self, fds: list[int]):
        """Answer after at most 10 ms, with news of ended processes sent before the reply."""
        if select.select([self._wake], [], [], 0.01)[0]:
            os.read(self._wake, 4096)
            self._reap()
        return {}, []


_NFT = "/usr/sbin/nft"
_DESCRIPTORS = {"mock": 1, "balancer": 1, "spawn": 1, "capture": 1}
"""how many descriptors a request must bring"""


def _prepare(fd: int, family: int, source: str, port: int) -> None:
    sock = socket.socket(family, socket.SOCK_STREAM, fileno=fd)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        if port:
            # The same port again, for another VIP or right after it was used.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        if family == socket.AF_INET6:
            # IPv6 binds to addresses of interfaces only, even where a local route makes a whole prefix ours.
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        sock.bind((source, port))
    finally:
        sock.detach()


def _title(pid: int) -> str:
    """The command line of a process as it stands now; empty if it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _listening() -> list[tuple[str, int]]:
    return [_end(family, fields[1]) for family, fields in _tcp_table() if fields[3] == "0A"]


def _connections() -> list[dict[str, Any]]:
    found = []
    for family, fields in _tcp_table():
        if fields[3] != "01":
            continue
        timer, ticks = fields[5].split(":")
        found.append({"local": _end(family, fields[1]), "remote": _end(family, fields[2]),
                      "timer": _TIMERS.get(timer, timer), "due": int(ticks, 16) / os.sysconf("SC_CLK_TCK")})  # fmt: skip
    return found


def _tcp_table() -> Iterator[tuple[int, list[str]]]:
    return holders.tcp_table("self")


_end = holders.end


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        pass


def _close_all_but(keep: set[int]) -> None:
    for fd in sorted(int(name) for name in os.listdir("/proc/self/fd")):
        if fd not in keep:
            _close(fd)


def serve(control: Channel, message: dict[str, Any], make: Callable[[Plan, dict[str, str]], wiring.Hosts]) -> NoReturn:
    """Be PID 1 of the lab that `message` asks for, with hosts that `make` makes, until pytest's end of the channel closes."""
    try:
        linux.set_name("lbcert-broker")
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        _close_all_but({0, 1, 2, control.fileno()})
        plan = Plan.from_json(message["plan"])
        broker = Broker(control, plan, make(plan, message.get("hosts", {})))
        control.send({"event": "built"})
        broker.run()
    except ChannelClosed:
        pass
    except BaseException as error:
        detail = "" if isinstance(error, (OSError, wiring.WiringError)) else traceback.format_exc()
        try:
            control.send({"event": "failed", "error": f"{error}", "detail": detail})
        except ChannelClosed:
            pass
    os._exit(0)
