"""Clusters for end-to-end tests: one a runtime and test process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, running


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one module and runtime share a cluster, so they run in one test process. (xdist reads the marks in this
    same hook, so ours comes first.)"""
    for item in items:
        runtime = getattr(item, "callspec", None) and item.callspec.params.get("cluster")
        if runtime in ("process", "docker") and item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{runtime}"))


@pytest.fixture(scope="module", params=["process", "docker"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A running cluster of one node under each runtime."""
    if request.param == "docker":
        request.getfixturevalue("images")
    with running(
        request.param, BEANPOLE_NODE_GRACE="3", BEANPOLE_EXCHANGE="1", BEANPOLE_UNREACHABLE_TOLERATION="8"
    ) as made:
        yield made
