"""What a configuration, which is code, can see and do in a lab: programs of the machine, and nothing of its people."""

import os
import pwd
import socket

import pytest
from topology_rig import listener, python, run

from lbcert.topology.netns import Zygote
from lbcert.topology.plan import make_plan


def lines(text: str) -> set[str]:
    return set(text.split())


def test_the_environment_is_empty_but_for_three_names(broker):
    assert {line.split("=")[0] for line in run(broker, "dut", "/usr/bin/env").splitlines()} == {"PATH", "HOME", "LANG"}


def test_no_process_of_the_lab_tells_our_environment(monkeypatch):
    monkeypatch.setenv("LBCERT_TEST_TOKEN", "not-for-the-lab")
    zygote = Zygote()
    made = zygote.start(make_plan(["192.0.2.10"], {"ts1": "192.0.2.11"}))
    try:
        seen = run(made, "dut", "/bin/sh", "-c", "cat /proc/[0-9]*/environ")
    finally:
        made.close()
        zygote.close()
    assert "PATH=" in seen and "LBCERT_TEST_TOKEN" not in seen and "not-for-the-lab" not in seen


@pytest.mark.parametrize("folder", ["/home", "/root", "/tmp", "/sys", "/mnt", "/media", "/srv"])
def test_folders_of_people_are_empty(broker, folder):
    assert run(broker, "dut", "/bin/ls", "-A", folder) == ""


def test_run_is_not_the_machines(broker):
    assert lines(run(broker, "dut", "/bin/ls", "-A", "/run")) == {"lock"}


def test_what_is_written_on_the_machine_stays_out(broker, tmp_path):
    (tmp_path / "note").write_text("secret")
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert python(broker, "dut", f"import os; print(os.path.exists({str(tmp_path)!r}), os.listdir({home!r}) "
                                 f"if os.path.exists({home!r}) else [])").split() == ["False", "[]"]  # fmt: skip


def test_etc_holds_no_secret(broker):
    entries = lines(run(broker, "dut", "/bin/ls", "-A", "/etc"))
    assert {"passwd", "group", "hosts", "hostname", "resolv.conf"} <= entries
    assert not entries & {"shadow", "gshadow", "ssh", "sudoers", "subuid", "machine-id", "fstab", "lbcert"}


@pytest.mark.parametrize("path", ["/usr/lbcert-was-here", "/bin/lbcert-was-here"])
def test_programs_are_read_only(broker, path):
    code = f"import errno\ntry:\n    open({path!r}, 'w')\nexcept OSError as error:\n    print(errno.errorcode[error.errno])"
    assert python(broker, "dut", code).strip() == "EROFS"


def test_no_new_privileges(broker):
    assert "NoNewPrivs:\t1" in run(broker, "dut", "/bin/cat", "/proc/self/status")


def test_no_signal_comes_ignored_or_blocked(broker):
    status = dict(line.split(":\t") for line in run(broker, "dut", "/bin/cat", "/proc/self/status").splitlines() if ":\t" in line)
    ours = ~(1 << 31 | 1 << 32)  # 32 and 33 belong to the C library; make hands them down ignored
    assert int(status["SigIgn"], 16) & ours == int(status["SigBlk"], 16) & ours == 0


def test_only_the_labs_processes_are_there(broker):
    pids = python(broker, "dut", "import os; print(*[p for p in os.listdir('/proc') if p.isdigit()])").split()
    names = [run(broker, "dut", "/bin/cat", f"/proc/{pid}/comm").strip() for pid in pids if pid == "1"]
    assert names == ["lbcert-broker"]
    assert len(pids) < 10 and str(os.getpid()) not in pids


def test_descriptors_are_the_standard_three(broker):
    assert python(broker, "dut", "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:3], "
                                 "len(os.listdir('/proc/self/fd')))").strip() == "[0, 1, 2] 4"  # fmt: skip


def test_the_network_is_the_labs(broker):
    interfaces = {line.split(":")[0].strip() for line in run(broker, "dut", "/bin/cat", "/proc/net/dev").splitlines()[2:]}
    assert interfaces == {"lo", "eth0"}


def test_the_machines_own_listeners_are_out_of_reach(broker):
    with socket.create_server(("127.0.0.1", 0)) as ours:
        code = f"import socket; print(socket.socket().connect_ex(('127.0.0.1', {ours.getsockname()[1]})))"
        assert python(broker, "dut", code).strip() != "0"


def test_abstract_sockets_of_the_machine_are_out_of_reach(broker):
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind("\0lbcert-test-agent")
        ours.listen()
        code = "import socket; print(socket.socket(socket.AF_UNIX).connect_ex('\\0lbcert-test-agent'))"
        assert python(broker, "dut", code).strip() != "0"


def test_root_of_the_lab_is_nobody_outside(broker):
    inside, outside, _count = run(broker, "dut", "/bin/cat", "/proc/self/uid_map").split()[:3]
    assert inside == "0" and outside != "0"


@pytest.mark.parametrize(
    "name, allowed",
    [("vm/swappiness", False), ("kernel/core_pattern", False), ("net/ipv4/ip_forward", True), ("net/ipv6/conf/all/forwarding", True)],
)
def test_only_the_labs_own_network_can_be_tuned(broker, name, allowed):
    code = f"import os; print(os.access('/proc/sys/{name}', os.W_OK))"
    assert python(broker, "dut", code).strip() == str(allowed)


@pytest.mark.parametrize("host", ["client", "dut", "ts1"])
def test_hosts_know_their_names_and_each_other(broker, host):
    assert run(broker, host, "/bin/hostname").strip() == run(broker, host, "/bin/cat", "/etc/hostname").strip() == host
    known = run(broker, host, "/bin/cat", "/etc/hosts")
    assert "192.0.2.11 ts1" in known and "192.0.2.10 balancer.example" in known


def test_a_product_may_change_user_and_chroot(broker):
    code = "import os, pwd\nos.mkdir('/var/lib/cell')\nos.chroot('/var/lib/cell')\nos.setgid(65000)\nos.setuid(65000)\n" \
           "print(os.getuid(), os.listdir('/'))"  # fmt: skip
    assert python(broker, "dut", code).strip() == "65000 []"


def test_each_host_has_files_of_its_own(broker):
    python(broker, "ts1", "open('/tmp/mine', 'w').write('x')")
    assert run(broker, "ts1", "/bin/ls", "/tmp").split() == ["mine"]
    assert run(broker, "ts2", "/bin/ls", "/tmp") == ""
    run(broker, "ts1", "/bin/rm", "/tmp/mine")


def test_labs_do_not_hear_each_other(broker, build):
    other = build(make_plan(["192.0.2.10"], {"ts1": "192.0.2.11"}))
    program = listener(broker, "ts1", "192.0.2.11", 7001)
    try:
        assert other.request("listening", host="ts1")["listening"] == []
        (sock,) = other.sockets("client", ["10.128.0.9"])
        sock.settimeout(10)
        with sock, pytest.raises(ConnectionRefusedError):
            sock.connect(("192.0.2.11", 7001))
    finally:
        program.kill()
