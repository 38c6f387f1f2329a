"""One cluster for the client libraries' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.cluster import Cluster, running


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    with running("process", BEANPOLE_EXCHANGE="1") as made:
        yield made


@pytest.fixture
def kubeconfig(cluster: Cluster) -> str:
    return str(cluster.state / "kubeconfig")
