"""The file system a lab sees: programs of the machine, read-only, and nothing of its people.

A configuration is code (Lua, external checks). So a lab gets a root of its own with `/usr` and `/opt`
bound read-only, a `/proc` of its own, five device nodes, and fresh tmpfs for everything else: no home
directory, no agent socket, no `/run` or `/tmp` of the machine, no secrets of `/etc`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from . import linux

_PROGRAMS = ("/usr", "/opt")
_LINKED = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_FRESH = ("/etc", "/run", "/var", "/tmp", "/home", "/root")
_ETC = (
    "passwd", "group", "nsswitch.conf", "services", "protocols", "ethertypes", "localtime", "timezone", "host.conf",
    "gai.conf", "ld.so.cache", "ld.so.conf", "os-release", "debian_version", "mime.types", "ssl/openssl.cnf",
    "iproute2/rt_tables", "iproute2/rt_protos", "iproute2/rt_scopes", "nftables.conf", "login.defs",
)  # fmt: skip
_ETC_TREES = ("alternatives", "haproxy/errors")
# Accounts that balancers' configurations name, for machines where the package is not installed.
_ACCOUNTS = {"haproxy": 64001, "nginx": 64002, "www-data": 33, "stunnel4": 64003, "keepalived_script": 64004}


LOG_SOCKET = "/run/lbcert-log"
"""where a host's /dev/log leads"""


@dataclass(frozen=True)
class EtcCopy:
    """The harmless part of the machine's /etc, read once and written into each host."""

    files: dict[str, bytes]
    links: dict[str, str]


def read_etc() -> EtcCopy:
    """Read what programs need of /etc; what is absent or unreadable is left out."""
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    names = list(_ETC)
    for tree in _ETC_TREES:
        if os.path.isdir(f"/etc/{tree}"):
            names += [f"{tree}/{entry}" for entry in os.listdir(f"/etc/{tree}")]
    for name in names:
        path = f"/etc/{name}"
        try:
            if os.path.islink(path) and os.readlink(path).startswith("/usr/"):
                links[name] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    files[name] = file.read()
        except OSError:
            continue
    for table, line in (("passwd", "{n}:x:{i}:{i}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{n}:x:{i}:\n")):
        text = files.get(table, b"root:x:0:0:root:/root:/bin/sh\n" if table == "passwd" else b"root:x:0:\n").decode()
        known = {row.split(":", 1)[0] for row in text.splitlines()}
        text += "".join(line.format(n=name, i=number) for name, number in _ACCOUNTS.items() if name not in known)
        files[table] = text.encode()
    return EtcCopy(files, links)


def enter_root() -> None:
    """Replace the root of the calling process's (new) mount namespace by the lab's own."""
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    new = "/tmp"
    linux.mount("lbcert", new, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=64m")
    for directory in (*_FRESH, "/proc", "/sys", "/dev", "/mnt", "/srv", "/media"):
        os.mkdir(new + directory)
    for program in _PROGRAMS:
        if os.path.isdir(program):
            os.mkdir(new + program)
            linux.bind_read_only(program, new + program)
    for name in _LINKED:
        if os.path.islink(name):
            os.symlink(os.readlink(name), new + name)
        elif os.path.isdir(name):
            os.mkdir(new + name)
            linux.bind_read_only(name, new + name)
    _make_dev(new + "/dev")
    linux.mount("proc", new + "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    os.chdir(new)
    linux.pivot_root(".", ".")
    linux.umount(".", linux.MNT_DETACH)
    os.chdir("/")


def _make_dev(dev: str) -> None:
    linux.mount("dev", dev, "tmpfs", linux.MS_NOSUID, "mode=755,size=1m")
    for name in _DEVICES:
        target = f"{dev}/{name}"
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o666))
        linux.mount(f"/dev/{name}", target, flags=linux.MS_BIND)
    os.mkdir(f"{dev}/shm", 0o1777)
    _make_terminals(dev)
    os.symlink("/proc/self/fd", f"{dev}/fd")
    # /dev is one for the whole lab; each host has a log socket of its own behind this name.
    os.symlink(LOG_SOCKET, f"{dev}/log")


def _make_terminals(dev: str) -> None:
    """Terminals of the lab's own (pty(7)); where the kernel refuses them a lab has none, and tests need none."""
    os.mkdir(f"{dev}/pts")
    try:
        linux.mount("devpts", f"{dev}/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC,
                    "newinstance,ptmxmode=0666,mode=0620,gid=5")  # fmt: skip
    except OSError:
        return
    os.symlink("pts/ptmx", f"{dev}/ptmx")


def furnish_host(name: str, hosts_file: str, etc: EtcCopy) -> None:
    """Give the calling process's (new) mount namespace fresh tmpfs, its own /etc and host name."""
    for directory in _FRESH:
        mode = "1777" if directory == "/tmp" else "700" if directory == "/root" else "755"
        linux.mount("lbcert", directory, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, f"mode={mode},size=256m")
    for directory in ("lib", "log", "cache", "spool"):
        os.mkdir(f"/var/{directory}")
    os.mkdir("/var/tmp", 0o1777)
    os.chmod("/var/tmp", 0o1777)
    os.mkdir("/run/lock", 0o1777)
    os.symlink("/run", "/var/run")
    made: set[str] = set()
    for entry in (*etc.files, *etc.links):
        folder = os.path.dirname(f"/etc/{entry}")
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
    for entry, content in etc.files.items():
        _write(f"/etc/{entry}", content)
    for entry, target in etc.links.items():
        os.symlink(target, f"/etc/{entry}")
    _write("/etc/hostname", f"{name}\n".encode())
    _write("/etc/hosts", hosts_file.encode())
    _write("/etc/resolv.conf", b"")


def _write(path: str, content: bytes, mode: int = 0o644) -> None:
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    try:
        os.write(fd, content)
    finally:
        os.close(fd)
