"""A process node and a Docker node of a test's own, gone again after it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest

from tests.contracts.runtime_subjects import DockerSubject, ProcessSubject
from tests.images.fixtures import engine

__all__ = ["docker_node", "engine", "process_node"]


@pytest.fixture
def process_node() -> Iterator[ProcessSubject]:
    node = ProcessSubject()
    yield node
    node.close()


@pytest.fixture
def docker_node(engine: docker.APIClient) -> Iterator[DockerSubject]:
    node = DockerSubject(engine, f"room{os.getpid()}")
    yield node
    node.close()
