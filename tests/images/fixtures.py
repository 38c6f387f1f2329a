"""Fixtures of tests that need an engine: they skip on a machine without one, and fail in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest

from tests.images import local
from workers.runtime.docker.engine import connect, reachable

# The names that the manifests of examples and tests use, made here as stand-ins where they are missing.
STAND_INS = {"busybox:1.36": local.ensure_busybox, "python:3.12-alpine": local.ensure_python}


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.APIClient]:
    """A connection to the engine, which has the image `tests.images.local.BUSYBOX`."""
    answers, said = reachable()
    if not answers:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have an engine: {said}")
        pytest.skip(f"needs a Docker engine: {said}")
    client = connect()
    local.ensure_busybox(client)
    yield client
    client.close()


@pytest.fixture(scope="session")
def images(engine: docker.APIClient) -> Iterator[docker.APIClient]:
    """An engine that has the images of the manifests. Stand-ins for public images go again at the end."""
    made = []
    for name, ensure in STAND_INS.items():
        if not local.has(engine, name):
            ensure(engine, name)
            made.append(name)
    yield engine
    for name in made:
        engine.remove_image(name, force=True)
