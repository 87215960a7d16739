"""What pytest can ask of a lab: sockets, files, listeners, logs, programs, power cuts, figures."""

import os
import signal
import socket
import stat
import time

import pytest
from topology_rig import PATIENCE, TS1, Program, ask, listener, python, run

from lbcert.topology.channel import MAX_FDS
from lbcert.topology.interface import LabError


class News:
    """Events that nobody asked for, from now on."""

    def __init__(self, broker):
        self.broker = broker
        self.seen: list[dict] = []
        broker.on_event = self.seen.append

    def first(self, kind: str) -> dict:
        """The first event of `kind`, waited for."""
        deadline = time.monotonic() + PATIENCE
        while not any(event["event"] == kind for event in self.seen):
            assert time.monotonic() < deadline, f"no {kind} within {PATIENCE} s: {self.seen}"
            self.broker.request("tick")
        return next(event for event in self.seen if event["event"] == kind)


@pytest.fixture(autouse=True)
def nobody_listens_afterwards(broker):
    yield
    broker.on_event = lambda event: None


def test_a_socket_comes_from_the_source_that_was_asked_for(broker):
    program = listener(broker, "ts1", TS1, 7001)
    (sock,) = broker.sockets("client", ["10.200.3.4"])
    assert not sock.getblocking() and not os.get_inheritable(sock.fileno())
    assert ask(sock, (TS1, 7001)) == "10.200.3.4"
    program.kill()


@pytest.mark.parametrize("count", [0, 1, MAX_FDS, 2 * MAX_FDS + 1])
def test_as_many_sockets_as_are_wanted(broker, count):
    sources = [f"10.129.{number // 200}.{number % 200 + 1}" for number in range(count)]
    made = broker.sockets("client", sources)
    assert [sock.getsockname()[0] for sock in made] == sources
    for sock in made:
        sock.close()


def test_files_arrive_with_content_mode_and_folders(broker, tmp_path):
    (tmp_path / "large").write_bytes(os.urandom(300_000))
    (tmp_path / "empty").write_bytes(b"")
    broker.put_files("dut", {"/etc/a/b/large": (str(tmp_path / "large"), 0o750), "/run/x/empty": (str(tmp_path / "empty"), 0o600)},
                     ["/var/lib/cell/deep"])  # fmt: skip
    described = python(broker, "dut", "import os; print(*[(os.stat(p).st_mode, os.stat(p).st_size) "
                       "for p in ('/etc/a/b/large', '/run/x/empty', '/var/lib/cell/deep')])")  # fmt: skip
    assert f"({stat.S_IFREG | 0o750}, 300000) ({stat.S_IFREG | 0o600}, 0) ({stat.S_IFDIR | 0o755}," in described


def test_a_file_replaces_the_one_before(broker, tmp_path):
    for text in ("a longer text", "short"):
        (tmp_path / "file").write_text(text)
        broker.put_files("ts1", {"/etc/file": (str(tmp_path / "file"), 0o644)})
    assert run(broker, "ts1", "/bin/cat", "/etc/file") == "short"


def test_connections_are_seen_with_their_keepalive_timers(broker):
    code = (
        "import socket, time\nserver = socket.create_server(('127.0.0.9', 7009))\nquiet = socket.create_connection(('127.0.0.9', 7009))\n"
        "kept = socket.create_connection(('127.0.0.9', 7009))\nkept.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
        "kept.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 500)\nprint(quiet.getsockname()[1], kept.getsockname()[1], flush=True)\n"
        "ends = server.accept(), server.accept()\ntime.sleep(600)"
    )  # fmt: skip
    program = Program(broker, "ts1", "/usr/bin/python3", "-I", "-c", code)
    program.wait(lambda: program.output.endswith("\n"))
    quiet, kept = map(int, program.output.split())
    found = {one["local"][1]: one for one in broker.request("connections", host="ts1")["connections"]}
    assert (found[quiet]["remote"], found[quiet]["timer"]) == (["127.0.0.9", 7009], "none")
    assert found[kept]["timer"] == "keepalive" and 500 - PATIENCE < found[kept]["due"] <= 500
    assert broker.request("connections", host="ts2")["connections"] == []
    program.kill()


def test_parents_are_told(broker):
    child = "import os, time\npid = os.fork()\nif pid:\n    print(pid, flush=True)\ntime.sleep(600)"
    program = Program(broker, "ts1", "/usr/bin/python3", "-I", "-c", child)
    program.wait(lambda: program.output.endswith("\n"))
    assert broker.request("parent", pid=int(program.output))["parent"] == program.pid
    assert broker.request("parent", pid=program.pid)["parent"] == 1
    program.kill()
    with pytest.raises(LabError, match="process 4000000 has ended already"):
        broker.request("parent", pid=4_000_000)


def test_listeners_are_seen_without_their_help(broker):
    assert broker.request("listening", host="ts2")["listening"] == []
    program = listener(broker, "ts2", "127.0.0.5", 7002)
    sixth = listener(broker, "ts2", "::1", 7003)
    assert sorted(broker.request("listening", host="ts2")["listening"]) == [["127.0.0.5", 7002], ["::1", 7003]]
    program.kill()
    sixth.kill()
    assert broker.request("listening", host="ts2")["listening"] == []


def test_a_line_in_the_hosts_log_is_news(broker):
    news = News(broker)
    broker.request("log", host="dut")
    python(broker, "dut", "import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
                          "s.connect('/dev/log'); s.send('<30>hello \u00e4'.encode())")  # fmt: skip
    event = news.first("log")
    assert (event["host"], event["text"]) == ("dut", "<30>hello ä")


def test_a_unix_socket_of_a_host_can_be_used(broker):
    code = "import socket\nserver = socket.socket(socket.AF_UNIX)\nserver.bind('/run/admin')\nserver.listen()\nprint('up', flush=True)\n" \
           "conn, _ = server.accept()\nconn.sendall(conn.recv(9).upper())"  # fmt: skip
    program = Program(broker, "ts1", "/usr/bin/python3", "-I", "-c", code)
    program.wait(lambda: program.output.startswith("up"))
    with broker.unix("ts1", "/run/admin") as sock:
        sock.sendall(b"show info")
        assert sock.recv(9) == b"SHOW INFO"
    program.wait()


def test_a_program_tells_how_it_ended(broker):
    program = Program(broker, "dut", "/bin/sh", "-c", "echo out; echo err >&2; exit 7")
    assert program.wait() == "out\nerr\n" and program.status == 7


def test_a_program_that_is_not_there_says_so(broker):
    program = Program(broker, "dut", "/usr/sbin/absent")
    assert program.wait() == "/usr/sbin/absent: No such file or directory\n" and program.status == 127


def test_a_killed_program_is_news_only_if_nobody_waited(broker):
    news = News(broker)
    waited, other = (Program(broker, "dut", "/bin/sleep", "600") for _ in range(2))
    waited.kill()
    broker.request("signal", pid=other.pid, number=int(signal.SIGTERM))
    assert news.first("exit") == {**news.first("exit"), "pid": other.pid, "name": "product", "status": -signal.SIGTERM}


def test_after_a_kill_the_sockets_are_closed(broker):
    program = listener(broker, "ts1", TS1, 7004)
    before = time.time_ns()
    assert before < broker.kill(program.pid) < time.time_ns()
    assert broker.request("listening", host="ts1")["listening"] == []


def test_working_folder_and_environment_are_as_told(broker):
    assert run(broker, "dut", "/bin/pwd", cwd="/etc") == "/etc\n"
    assert "\nX=1\n" in run(broker, "dut", "/usr/bin/env", env={"X": "1"})


def test_processes_of_the_lab_are_listed(broker):
    program = Program(broker, "dut", "/bin/sleep", "600")
    pids = broker.request("processes")["pids"]
    assert program.pid in pids and 1 not in pids
    program.kill()
    assert program.pid not in broker.request("processes")["pids"]


def test_a_dark_host_neither_hears_nor_answers_until_it_is_restored(broker):
    program = listener(broker, "ts1", TS1, 7005)
    broker.request("dark", host="ts1", on=True)
    (sock,) = broker.sockets("client", ["10.128.0.5"])
    sock.settimeout(0.5)
    with sock, pytest.raises(TimeoutError):
        sock.connect((TS1, 7005))
    broker.request("dark", host="ts1", on=False)
    (sock,) = broker.sockets("client", ["10.128.0.6"])
    assert ask(sock, (TS1, 7005)) == "10.128.0.6"
    program.kill()


def test_a_hung_process_still_gets_connections(broker):
    program = listener(broker, "ts1", TS1, 7006)
    broker.request("signal", pid=program.pid, number=int(signal.SIGSTOP))
    (sock,) = broker.sockets("client", ["10.128.0.7"])
    sock.settimeout(0.5)
    with sock:
        sock.connect((TS1, 7006))
        with pytest.raises(TimeoutError):
            sock.recv(1)
    program.kill()


def test_the_brokers_own_lateness_can_be_asked_for_and_is_told_once(broker):
    broker.request("lag")
    lags = broker.request("lag")["lags"]
    assert all(late > 0 for _, late in lags) and len(lags) < 5


@pytest.mark.parametrize("host", ["client", "dut", "ts1"])
def test_every_host_reaches_every_other(broker, host):
    plan = {"client": "192.0.2.252", "dut": "192.0.2.10", "ts1": TS1, "ts2": "192.0.2.12"}
    code = "import socket\n" + "".join(f"print(socket.socket().connect_ex(('{ip}', 1)))\n" for ip in plan.values())
    assert set(python(broker, host, code).split()) == {"111"}


def test_sockets_stand_in_the_clients_host_however_busy_the_broker_was(broker):
    """A request that fails leaves the broker in its own namespaces."""
    for _ in range(3):
        with pytest.raises(Exception, match="No such file"):
            broker.unix("dut", "/run/absent")
    (sock,) = broker.sockets("client", ["172.20.1.1"])
    with sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
