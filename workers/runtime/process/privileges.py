"""Giving up privileges, between fork and exec of a container's process.

Run by `python -I -S -E`, with the standard library only. What is told comes from `rights.told`.
"""

from __future__ import annotations

import ctypes
import os

CLONE_NEWUTS = 0x04000000
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 22, 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER = 4, 2
# capabilities(7), capget(2): two words of 32 bits for each of the three sets.
CAPABILITY_VERSION = 0x20080522
EPERM, EINVAL = 1, 22

_libc = ctypes.CDLL(None, use_errno=True)


class Rights:
    """What a process may do.

    Attributes:
        hostname: its own; empty: the machine's. groups: supplementary ones; None: as they are.
        keep: bits of the capabilities it may have at all; None: as they are. no_new: nothing it runs gains any.
        read_only: its root is. program: a filter of system calls in the kernel's words; empty: none.
    """

    def __init__(self, told: dict[bytes, bytes]) -> None:
        self.hostname = os.fsdecode(told.get(b"hostname", b""))
        groups = told.get(b"groups")
        self.groups = None if groups is None else [int(each) for each in groups.split(b",") if each]
        keep = told.get(b"keep")
        self.keep = None if keep is None else int(keep, 16)
        self.no_new = b"no_new" in told
        self.read_only = b"read_only" in told
        self.program = bytes.fromhex(told.get(b"filter", b"").decode())

    def name_host(self) -> None:
        """Have a host name of its own."""
        _check(_libc.unshare(CLONE_NEWUTS), "unshare")
        name = os.fsencode(self.hostname)
        _check(_libc.sethostname(name, len(name)), "sethostname")

    def before_user(self) -> None:
        """What only the user can do that the process is not going to be."""
        if self.groups is not None:
            os.setgroups(self.groups)
        if self.program and not self.no_new:
            # Whoever may install a filter without giving up more has to do it while it may.
            if not _may_filter():
                self.no_new = True
            else:
                self._filter()
        if self.keep is not None and not self._bound():
            # What can't be taken out of its reach must not come within it either.
            self.no_new = True

    def after_user(self) -> None:
        """What holds for the program that comes."""
        if self.keep is not None:
            self._limit()
        if self.no_new:
            _check(_prctl(PR_SET_NO_NEW_PRIVS, 1), "prctl")
            if self.program:
                self._filter()

    def _bound(self) -> bool:
        """Whether the bounding set could be cut: then no program gets more, whatever its file says."""
        for number in range(64):
            if (self.keep or 0) >> number & 1:
                continue
            if _prctl(PR_CAPBSET_DROP, number) != 0:
                return ctypes.get_errno() == EINVAL
        return True

    def _limit(self) -> None:
        keep = self.keep or 0
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        sets = (ctypes.c_uint32 * 6)()
        _check(_libc.capget(header, sets), "capget")
        for word in range(2):
            part = keep >> (32 * word) & 0xFFFFFFFF
            effective, permitted = sets[3 * word] & part, sets[3 * word + 1] & part
            sets[3 * word : 3 * word + 3] = [effective, permitted, 0]
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
        _check(_libc.capset(header, sets), "capset")

    def _filter(self) -> None:
        code, self.program = ctypes.create_string_buffer(self.program), b""

        class Program(ctypes.Structure):
            _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

        told = Program((len(code) - 1) // 8, ctypes.addressof(code))
        _check(_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(told)), "seccomp")


def _may_filter() -> bool:
    """Whether a filter may be had without no_new_privs: by CAP_SYS_ADMIN (seccomp(2))."""
    with open("/proc/self/status", "rb") as file:
        effective = next(line for line in file if line.startswith(b"CapEff:"))
    return bool(int(effective.split()[1], 16) >> 21 & 1)


def _prctl(option: int, first: int = 0, second: int = 0) -> int:
    return int(_libc.prctl(option, ctypes.c_ulong(first), ctypes.c_ulong(second), ctypes.c_ulong(0), 0))


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
