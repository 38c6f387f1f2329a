"""Removing a cluster from an engine: all that carries its name, whichever node it was for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import docker.errors

from workers.runtime.docker import engine, firewall, labels
from workers.runtime.docker.engine import is_conflict, is_gone, translated
from workers.runtime.docker.sub_paths import SubPaths

REASON = "CleanupFailed"
# How many containers are stopped side by side: most of them only wait for their time to be over.
SIDE_BY_SIDE = 32


def pods(cluster: str) -> int:
    """How many pods of the cluster the engine has. Raises ContainerError."""
    client = engine.connect()
    try:
        return len({entry["Labels"].get(labels.POD_UID) for entry in _containers(client, cluster)})
    finally:
        client.close()


def remove(cluster: str, grace: float) -> None:
    """Stop and remove the cluster's containers, its networks, and the packet filter's rules.

    Args:
        grace: seconds between SIGTERM and SIGKILL.

    Raises:
        ContainerError: the engine does not answer, or refuses. Doing it again goes on where this ended.
    """
    client = engine.connect()
    try:
        found = _containers(client, cluster)
        # Sandboxes know no SIGTERM, and hold the network that the others may need to end well.
        working = [entry for entry in found if labels.CONTAINER in entry["Labels"]]
        _each(
            lambda entry: _stop(client, entry["Id"], grace), (e for e in working if e["State"] == "running")
        )
        _each(lambda entry: _remove(client, entry["Id"]), working)
        _each(lambda entry: _remove(client, entry["Id"]), (e for e in found if e not in working))
        with translated(REASON):
            for network in client.networks(filters={"label": [f"{labels.CLUSTER}={cluster}"]}):
                client.remove_network(network["Id"])
    finally:
        client.close()
    SubPaths.remove(cluster)
    firewall.part_nodes(cluster)


def remove_volumes(cluster: str) -> None:
    """Remove the cluster's volumes with their data; no container may use them any more. Raises ContainerError."""
    client = engine.connect()
    try:
        with translated(REASON):
            found = client.volumes(filters={"label": [f"{labels.CLUSTER}={cluster}"]})
            for volume in found.get("Volumes") or ():
                client.remove_volume(volume["Name"])
    finally:
        client.close()


def _containers(client: docker.APIClient, cluster: str) -> list[dict[str, Any]]:
    with translated(REASON):
        return list(client.containers(all=True, filters={"label": [f"{labels.CLUSTER}={cluster}"]}))


def _each(do: Any, entries: Iterable[dict[str, Any]]) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for _ in pool.map(do, entries):
            continue


def _stop(client: docker.APIClient, container: str, grace: float) -> None:
    with translated(REASON):
        try:
            client.stop(container, timeout=math.ceil(grace))
        except docker.errors.APIError as exc:
            if not is_gone(exc):
                raise


def _remove(client: docker.APIClient, container: str) -> None:
    with translated(REASON):
        try:
            client.remove_container(container, v=True, force=True)
        except docker.errors.APIError as exc:
            # Gone, or just being removed.
            if not (is_gone(exc) or is_conflict(exc)):
                raise
