"""What an agent can be told on its own machine, by who may read its state folder: that the machine shuts down.

It listens on a socket in that folder, `beanpole-<node>.sock`. One line is said, and lines are answered until there is
nothing more to tell.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from app.base.errors import BeanpoleError

SHUTDOWN, CANCEL = "shutdown", "cancel"
_FORM = "beanpole-{}.sock"


class NoAnswer(BeanpoleError):
    """The agent does not run, or does not answer."""


def socket_path(state_dir: Path, node: str) -> Path:
    """Where the agent of a node listens."""
    return state_dir / _FORM.format(node)


def listening(state_dir: Path) -> dict[str, Path]:
    """The sockets in a folder, by node; those of agents that run no longer may be among them."""
    before, after = _FORM.split("{}")
    return {p.name[len(before) : -len(after)]: p for p in sorted(state_dir.glob(_FORM.format("*")))}


@contextlib.contextmanager
def short_name(path: Path) -> Iterator[str]:
    """The path as the kernel takes it for a socket, however deep it lies: a name has at most 107 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def ask(path: Path, word: str, timeout: float) -> Iterator[str]:
    """Say it, and hear the lines that are answered.

    Raises:
        NoAnswer: nobody listens, or says anything for `timeout` seconds.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(timeout)
        try:
            with short_name(path) as name:
                line.connect(name)
            line.sendall(f"{word}\n".encode())
            with line.makefile("r") as answer:
                for text in answer:
                    yield text.rstrip("\n")
        except OSError as exc:
            raise NoAnswer(f"no agent answers at {path}: {exc.strerror or exc}") from exc
