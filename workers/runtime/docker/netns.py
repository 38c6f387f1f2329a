"""Doing something in the network of another process, as network_namespaces(7) has it. Needs root.

What is made there stays there: a socket, or a program that was started.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from typing import TypeVar

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")


def within(pid: int, do: Callable[[], T]) -> T:
    """What `do` returns when it is called in the network that process `pid` is in.

    Raises:
        OSError: there is no such process, or it may not be entered. And whatever `do` raises.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def entered() -> None:
        try:
            fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                if _libc.setns(fd, _CLONE_NEWNET) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number))
            finally:
                os.close(fd)
            returned.append(do())
        except BaseException as exc:
            raised.append(exc)

    # A thread of its own: one that has entered must not serve anybody else.
    thread = threading.Thread(target=entered, name=f"network-of-{pid}")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return returned[0]
