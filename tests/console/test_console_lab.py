"""`lbcert lab`, `fault` and `shell` as people use them: on terminals and in pipelines."""

import os
import re
import signal
import socket

import pytest
from console_rig import PATIENCE, lbcert

from lbcert import cli
from lbcert.console import runtime

pytestmark = pytest.mark.xdist_group("console")  # one worker: they share what is dear to make

VISIT = (
    "import socket, sys\n"
    "s = socket.create_connection(('192.168.0.10', 3389))\n"
    "body = b'Cookie: mstshash=alice\\r\\n\\x01\\x00\\x08\\x00\\x03\\x00\\x00\\x00'\n"
    "s.sendall(bytes([3, 0, 0, 11 + len(body), 6 + len(body), 0xe0, 0, 0, 0, 0, 0]) + body)\n"
    "print(s.recv(100)[5:6].hex(), flush=True)\n"
    "sys.stdin.read()\n"
)
"""a client of one's own: it shows the type of the answer (d0: Connection Confirm) and stays until its input ends"""


@pytest.fixture
def fault(capsys, place):
    """`fault(words...)`: exit status, standard output and error of `lbcert fault`, from a process that is not the lab's."""

    def run(*words):
        capsys.readouterr()
        status = cli.main(["fault", *words])
        return (status, *capsys.readouterr())

    return run


def test_a_lab_with_a_table_faults_and_clients_from_other_terminals(terminal, fault, place):
    """The whole story, since a lab costs a second: addresses, who is connected where, faults, a client of one's own, Ctrl-C."""
    lab = terminal("lab", "ideal")
    assert re.search(r"VIP +192\.168\.0\.10:3389.*ts1 +192\.168\.0\.11:3389", lab.read("who is connected where"), re.S)

    client = terminal("shell", "client", "--", "/usr/bin/python3", "-Ic", VISIT)
    client.read("d0")
    server = re.search(r"(ts\d): alice connected, from 192\.168\.0\.", lab.read(r"alice \(\d+ s\)"))[1]

    assert fault(server, "crash") == (0, f"{server}: crash\n", "")
    assert re.search(rf"{server} +crashed +0\n", fault()[1])
    assert fault(server, "dark")[2] == f"lbcert: {server} is crashed already; first: lbcert fault {server} restore\n"
    assert fault(server, "restore")[1] == f"{server}: restored (crash)\n"
    assert "is no real server of this lab; it has: ts1, ts2, ts3" in fault("ts9", "dark")[2]
    assert "'burn' is no fault; known: crash, hang, refuse, dark, restore" in fault("ts1", "burn")[2]
    client.type("\x04")
    assert client.wait() == 0
    lab.type("\x03")
    assert lab.wait() == 0
    assert [name for name in os.listdir(place) if name != ".lock"] == []


def test_a_shell_has_a_terminal_of_its_own(terminal, place):
    """Job control, the window's size and its changes, Ctrl-C for the program and not for the lab, the exit status."""
    shell = terminal("lab", "ideal", "--host", "ts2")
    shell.read(r"ts2:~# ")
    shell.type("tty; stty size\n")
    shell.read(r"/dev/pts/0\s+30 100\s")
    shell.type("sh -c 'echo rea\"\"dy; exec cat'\n")
    shell.read("ready")
    shell.type("hello\n")
    shell.read(r"hello\s+hello")
    shell.type("\x1a")
    shell.read("Stopped")
    shell.resize(41, 83)
    shell.type("fg\n")
    shell.read(r"exec cat'\s")
    shell.type("again\n")
    shell.read(r"again\s+again")
    shell.type("\x03")
    shell.read(r"ts2:~# ")
    shell.type("stty size; exit 9\n")
    shell.read("41 83")
    assert shell.wait() == 9


@pytest.mark.nightly
def test_a_program_in_a_pipeline_gets_our_streams_and_gives_its_status(place):
    """The lab's own words go to standard error."""
    done = lbcert("lab", "ideal", "--host", "dut", "--", "sh", "-c", "read x; echo $x at $(hostname); kill -9 $$", input="me\n")
    assert (done.returncode, done.stdout) == (128 + signal.SIGKILL, "me at dut\n")
    assert "VIP" in done.stderr and os.listdir(place) == [".lock"]


@pytest.mark.parametrize(("words", "says"), [
    (["fault", "ts1", "dark"], "no lab of this user is running; start one: lbcert lab DUT"),
    (["fault", "ts1"], "what is to happen to ts1? dark, hang, crash, refuse or restore"),
    (["shell", "client"], "no lab of this user is running"),
    (["lab", "no-such-dut"], "--dut: 'no-such-dut' is no known DUT and no folder"),
    (["lab", "ideal", "--capture", "/no/such/file"], "/no/such/file: cannot be written: No such file or directory."),
    pytest.param(["lab", "ideal", "--host", "mars", "--", "true"], "no host 'mars' in this lab; it has: client, dut, ts1, ts2, ts3",
                 marks=pytest.mark.nightly),
])  # fmt: skip
def test_one_clear_error(place, capsys, words, says):
    assert cli.main(words) == 2
    _, error = capsys.readouterr()
    assert says in error and "Traceback" not in error
    assert not os.path.exists(place) or os.listdir(place) in ([], [".lock"])


@pytest.mark.parametrize("folder", ["file", "open", "link"])
def test_a_place_that_others_may_use_is_refused(tmp_path, monkeypatch, capsys, folder):
    place = tmp_path / "p"
    {"file": place.touch, "open": lambda: place.mkdir(mode=0o755), "link": lambda: place.symlink_to(tmp_path)}[folder]()
    monkeypatch.setenv("LBCERT_RUNTIME_DIR", str(place))
    assert cli.main(["lab", "ideal"]) == 2
    assert "p" in capsys.readouterr().err


def test_what_a_dead_lab_left_is_no_lab(tmp_path, monkeypatch):
    """Death gives up the lock and nothing else."""
    monkeypatch.setenv("LBCERT_RUNTIME_DIR", str(tmp_path / "r"))
    living, dead = runtime.Claim("one"), runtime.Claim("two")
    assert [(place.number, place.about) for place in runtime.running()] == [(1, "one"), (2, "two")]
    os.close(dead._lock)
    assert [place.number for place in runtime.running()] == [1] and not dead.place.folder.exists()
    assert (again := runtime.Claim("three")).place.number == 2
    for claim in (living, again):
        claim.close()
    assert runtime.running() == [] and os.listdir(tmp_path / "r") == [".lock"]


@pytest.mark.nightly
def test_a_killed_lab_is_forgotten(place, terminal, fault):
    """kill -9 leaves a folder, which nobody takes for a lab and the next command removes."""
    lab = terminal("lab", "ideal")
    lab.read("Ctrl-C ends the lab")
    folder = place / "1"
    processes = children(lab.pid)
    os.kill(lab.pid, signal.SIGKILL)
    assert lab.wait() == -signal.SIGKILL and folder.exists()
    assert fault()[2].startswith("lbcert: no lab of this user is running")
    assert not folder.exists()
    assert processes and not any(os.path.exists(f"/proc/{pid}/exe") for pid in processes)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


@pytest.mark.nightly
def test_rubbish_on_the_control_socket_does_no_harm(place, terminal, fault):
    lab = terminal("lab", "ideal")
    lab.read("Ctrl-C ends the lab")
    for rubbish in (b"\xff", b"[]", b"{}", b'{"do": "program", "host": 3}', b'{"do": "program", "host": "dut", "argv": ["x"], "env": {}, '
                    b'"terminal": "big"}'):  # fmt: skip
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(place / "1" / "control"))
            sock.send(rubbish)
            assert b"refused" in sock.recv(4096)
    assert fault()[0] == 0
    lab.type("\x04")
    assert lab.wait() == 0


@pytest.mark.nightly
def test_of_several_labs_one_is_to_be_chosen(place, terminal, fault):
    first, second = terminal("lab", "ideal"), terminal("lab", "null")
    for lab in (first, second):
        lab.read("Ctrl-C ends the lab")
    said = fault("ts1", "dark")[2]
    assert re.fullmatch(r"lbcert: several labs are running: 1 \((ideal|null)\), 2 \((ideal|null)\); choose one with --lab NUMBER\n", said)
    assert fault("--lab", "2", "ts1", "dark")[1] == "ts1: dark\n"
    assert "no lab 7 is running" in fault("--lab", "7")[2]


