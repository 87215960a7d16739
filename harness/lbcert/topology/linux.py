"""The handful of Linux calls that Python 3.11's standard library lacks.

Each wrapper raises OSError with the call's name, so that a refusal (AppArmor, seccomp, an old kernel)
can be told to the user in one sentence. Sources: man pages unshare(2), setns(2), mount(2),
pivot_root(2), mount_setattr(2), prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24
_LINUX_CAPABILITY_VERSION_3 = 0x20080522
_SYS_PIVOT_ROOT = 155
_SYS_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 0x1

if os.uname().machine == "aarch64":
    _SYS_PIVOT_ROOT = 41

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Move the calling process into new namespaces of the kinds in `flags`."""
    _check(_libc.unshare(ctypes.c_int(flags)), f"unshare({flags:#x})")


def setns(fd: int, kind: int = 0) -> None:
    """Join the namespace that `fd` (an open /proc/PID/ns file) refers to."""
    _check(_libc.setns(ctypes.c_int(fd), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, fstype: str | None = None, flags: int = 0, data: str = "") -> None:
    """mount(2); `data` is the file system's own option string."""
    result = _libc.mount(
        source.encode(), target.encode(), fstype.encode() if fstype else None, ctypes.c_ulong(flags), data.encode()
    )
    _check(result, f"mount {fstype or 'bind'} on {target}")


def umount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _check(_libc.umount2(target.encode(), flags), f"umount {target}")


def bind_read_only(source: str, target: str) -> None:
    """Show the tree `source` at `target`, with every mount below it read-only (needs Linux 5.12)."""
    mount(source, target, flags=MS_BIND | MS_REC)
    attributes = struct.pack("QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR), _AT_FDCWD, target.encode(), _AT_RECURSIVE, attributes, len(attributes)
    )
    _check(result, f"mount_setattr {target}")


def make_writable(target: str) -> None:
    """Have the part of a read-only mount that lies at `target` writable again, in this mount namespace."""
    mount(target, target, flags=MS_BIND)
    mount("none", target, flags=MS_BIND | MS_REMOUNT)


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root of this mount namespace and put the former root at `old`."""
    _check(_libc.syscall(ctypes.c_long(_SYS_PIVOT_ROOT), new.encode(), old.encode()), "pivot_root")


def die_with_parent(signal_number: int = 9) -> None:
    """Have the kernel send `signal_number` when the creating thread dies.

    Cleared by any change of credentials and by exec of a set-id program: call it again after those.
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0), "prctl(PDEATHSIG)")


def allow_inspection() -> None:
    """Let processes of the same ids read this one's /proc entries again (a change of ids forbids it)."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(1), 0, 0, 0), "prctl(DUMPABLE)")


def no_new_privileges() -> None:
    """Make set-id bits meaningless for this process and all that it starts."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0), "prctl(NO_NEW_PRIVS)")


def keep_capabilities(kept: frozenset[int]) -> None:
    """Give up every other capability, also for all programs that are ever executed from here (capabilities(7), capget(2))."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        every = range(int(file.read()) + 1)
    for number in every:
        if number not in kept:
            _check(_libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0), "prctl(CAPBSET_DROP)")
    header = struct.pack("Ii", _LINUX_CAPABILITY_VERSION_3, 0)
    data = ctypes.create_string_buffer(24)
    _check(_libc.capget(header, data), "capget")
    words = list(struct.unpack("6I", data.raw))
    for word in range(6):
        # Effective, permitted, inheritable of capabilities 0 to 31, then of 32 to 63; none is inheritable.
        allowed = sum(1 << number % 32 for number in kept if number // 32 == word // 3)
        words[word] = 0 if word % 3 == 2 else words[word] & allowed
    _check(_libc.capset(header, struct.pack("6I", *words)), "capset")


def set_name(name: str) -> None:
    """The name that `ps` and `top` show (15 characters)."""
    _libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]), 0, 0, 0)
