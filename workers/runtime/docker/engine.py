"""The connection to the engine, and what its errors mean to a user."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import docker
import docker.errors
import requests.exceptions
import urllib3.exceptions

from workers.runtime.docker.client import Client
from workers.runtime.protocol import UNAVAILABLE, ContainerError

# As many requests may be under way at once: waits, followed logs and the event stream hold one each.
CONNECTIONS = 128
# How long the engine may take to answer, in seconds. Starting a container on a busy machine takes some.
TIMEOUT = 120
# How long to wait for an engine that may not be there, in seconds.
PROBE_TIMEOUT = 3

# What the SDK raises when a connection or a stream breaks; its streams are read past `requests`.
BROKEN = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
)


def connect(timeout: float = TIMEOUT) -> Client:
    """The engine that DOCKER_HOST names, else the one on /var/run/docker.sock.

    Raises:
        ContainerError: RuntimeUnavailable.
    """
    with translated(UNAVAILABLE):
        client = Client(
            base_url=os.environ.get("DOCKER_HOST"),
            version="auto",
            timeout=timeout,
            num_pools=4,
            max_pool_size=CONNECTIONS,
            use_ssh_client=False,
        )
    # Without this, requests looks for proxies and passwords in files on every call.
    client.trust_env = False
    return client


def reachable() -> tuple[bool, str]:
    """Whether an engine answers, and its name and version, or why not."""
    try:
        client = connect(PROBE_TIMEOUT)
        try:
            with translated(UNAVAILABLE):
                version = client.version()
        finally:
            client.close()
    except ContainerError as exc:
        return False, exc.message
    platform = (version.get("Platform") or {}).get("Name") or "Docker Engine"
    return True, f"{platform} {version['Version']} answers at {where()}"


def where() -> str:
    return os.environ.get("DOCKER_HOST", "/var/run/docker.sock")


@contextlib.contextmanager
def translated(reason: str) -> Iterator[None]:
    """Turn the SDK's errors into ContainerError: `reason` with the engine's own words, or
    RuntimeUnavailable when the engine can't be spoken to."""
    try:
        yield
    except docker.errors.APIError as exc:
        raise ContainerError(reason, str(exc.explanation or exc).strip()) from exc
    except TimeoutError:
        # Of a command that was to be done in time, not of the connection: requests has its own for that.
        raise
    except (*BROKEN, OSError) as exc:
        raise ContainerError(UNAVAILABLE, f"the engine at {where()} does not answer: {_root(exc)}") from exc


def is_gone(exc: docker.errors.APIError) -> bool:
    return exc.status_code == 404


def is_conflict(exc: docker.errors.APIError) -> bool:
    return exc.status_code == 409


def _root(exc: BaseException) -> str:
    """The last words of a chain of wrapped errors, where the cause is."""
    while True:
        inner = exc.args[-1] if exc.args else None
        below = inner if isinstance(inner, BaseException) else exc.__cause__
        if below is None:
            break
        exc = below
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return str(exc) or type(exc).__name__
