"""The wire: commands to Redis and their answers, with little in between.

redis-py's client takes every command through retries, metrics and a poll of the socket, which costs several
times what Redis takes to answer. Its connections know how to connect, log in and speak; the rest is here.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from redis.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ResponseError

# Calls at a time; more of them wait. Redis does one thing after another anyway.
CONNECTIONS = 64
# State of a TCP connection that both sides hold open (tcp_states.h).
_ESTABLISHED = 1

Argument = bytes | str | int | float


class Wire:
    """Connections to one Redis, made as `pool` would make them. For any number of threads or greenlets.

    A command is sent once. If its answer doesn't come, nobody knows whether it was carried out, and that is
    what the error says; a connection that the server has closed since its last use is not tried.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._connect: Callable[[], AbstractConnection] = lambda: pool.connection_class(
            **pool.connection_kwargs
        )
        self._begin()

    def call(self, *command: Argument) -> Any:
        """The answer to one command, undecoded.

        Raises:
            ResponseError: Redis refuses it. RedisError: the answer did not come.
        """
        self._check_process()
        with self._room:
            connection = self._borrow()
            try:
                connection.send_packed_command(connection.pack_command(*command), check_health=False)
                reply = connection.read_response()
            except ResponseError:
                self._idle.append(connection)
                raise
            except BaseException:
                # Its answer may still come, and must not be taken for that of the next command.
                connection.disconnect()
                raise
            self._idle.append(connection)
            return reply

    def together(self, *commands: Sequence[Argument]) -> list[Any]:
        """The answers to commands sent together. Raises as `call` does."""
        replies = self.pipeline(commands)
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return replies

    def pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """The answers to commands sent together, on one connection; a refusal is the ResponseError in its place.

        Raises:
            RedisError: not all answers came.
        """
        self._check_process()
        with self._room:
            connection = self._borrow()
            try:
                connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                replies = [_reply(connection) for _ in commands]
            except BaseException:
                connection.disconnect()
                raise
            self._idle.append(connection)
            return replies

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().disconnect()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._room = threading.Semaphore(CONNECTIONS)
        self._idle: list[AbstractConnection] = []

    def _check_process(self) -> None:
        if self._process != os.getpid():
            # Forked: the parent's connections are the parent's.
            self._begin()

    def _borrow(self) -> AbstractConnection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
                connection.connect()
                return connection
            if _is_open(connection):
                return connection
            connection.disconnect()


def _reply(connection: AbstractConnection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refusal:
        return refusal


def _is_open(connection: AbstractConnection) -> bool:
    """Whether the server has not closed an idle connection, as a restarted one has. Doesn't block or read."""
    sock = connection._get_socket()
    if sock is None:
        return False
    try:
        if sock.family == socket.AF_UNIX:
            sock.send(b"")  # fails if the other end is closed
            return True
        if not hasattr(socket, "TCP_INFO"):
            return True
        return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED)
    except OSError:
        return False
