"""Fixtures of tests that need an engine: they skip on a machine without one, and fail in CI."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import docker
import docker.errors
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
def images(engine: docker.APIClient) -> docker.APIClient:
    """An engine that has the images of the manifests."""
    for name, ensure in STAND_INS.items():
        if not local.has(engine, name):
            ensure(engine, name)
    return engine


def remove_stand_ins() -> None:
    """Take away the stand-ins for public images that this test run made, once none of its processes needs them."""
    answers, _ = reachable()
    if not answers:
        return
    with contextlib.closing(connect()) as client:
        for image in client.images(filters={"label": f"{local.MADE_BY}={local.RUN}"}):
            # A public image of the same name may have been pulled over it meanwhile, and containers may still use it.
            with contextlib.suppress(docker.errors.APIError):
                client.remove_image(image["Id"], force=True)
