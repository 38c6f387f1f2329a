"""The subjects of the Runtime contract: one of each runtime."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest

from tests.contracts.runtime_subjects import DockerSubject, ProcessSubject, SimulatedSubject, Subject
from tests.images.fixtures import engine
from workers.runtime.protocol import Runtime

__all__ = ["docker_subject", "engine"]


@pytest.fixture
def docker_subject(engine: docker.APIClient) -> DockerSubject:
    """A node on the engine, in a cluster of this test process's own. Whoever takes it closes it."""
    return DockerSubject(engine, f"contract{os.getpid()}")


DOCKER = pytest.param("docker", marks=pytest.mark.xdist_group("docker"))


def subject_of(request: pytest.FixtureRequest) -> Subject:
    if request.param == "docker":
        made: Subject = request.getfixturevalue("docker_subject")
        return made
    return SimulatedSubject() if request.param == "simulated" else ProcessSubject()


@pytest.fixture(params=["simulated", "process", DOCKER])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Every runtime in turn."""
    subject = subject_of(request)
    yield subject
    subject.close()


@pytest.fixture(params=["process", DOCKER])
def real(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Those that run processes."""
    subject = subject_of(request)
    yield subject
    subject.close()


@pytest.fixture
def runtime(subject: Subject) -> Runtime:
    return subject.runtime()
