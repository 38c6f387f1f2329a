"""What a cluster on Docker leaves on the machine on purpose when it stops, so that it can go on later:
its network and its service rules. Clusters made for a measurement don't go on."""

from __future__ import annotations

import contextlib
from pathlib import Path

from workers.network.nft import NftPlane


def remove(cluster: str, service_cidr: str, pod_cidr: str, state: Path) -> None:
    import docker

    engine = docker.from_env()
    try:
        prefix = f"beanpole-{cluster}-"
        for network in engine.networks.list(names=[prefix]):
            if network.name.startswith(prefix):
                with contextlib.suppress(docker.errors.APIError):  # in use: another measurement's
                    network.remove()
    finally:
        engine.close()
    NftPlane(cluster, service_cidr, pod_cidr, state).remove()
