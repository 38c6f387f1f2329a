"""A node's network: a bridge whose subnet is the node's pod CIDR, open to the cluster's other nodes."""

from __future__ import annotations

import ipaddress

import docker
import docker.errors

from workers.runtime.docker import isolation, links
from workers.runtime.docker.engine import UNAVAILABLE, is_conflict, is_gone, translated
from workers.runtime.docker.labels import ADDRESS, CLUSTER, NODE, Owner
from workers.runtime.docker.links import Bridge
from workers.runtime.protocol import ContainerError

# From this version on the engine shuts a bridge's addresses off from its neighbours, unless told otherwise
# (https://docs.docker.com/engine/network/packet-filtering-firewalls/).
_PROTECTS_SINCE = 27
_OPEN_BRIDGE = {"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"}


def ensure(
    client: docker.APIClient, owner: Owner, pod_cidr: str, engine_version: str, *, anew: bool = False
) -> Bridge:
    """Have the node's network; its bridge.

    Args:
        anew: even if the engine has it, for its bridge is gone. Pods that the engine linked are parted from it
            (see `lost`).

    Raises:
        ContainerError: NetworkNotReady: the range is taken, or pods still hold a network of another range, or that of
            a node that had the range before.
    """
    gateway = str(_gateway(pod_cidr).ip)
    with translated("NetworkNotReady"):
        existing = _find(client, owner)
        if existing is not None:
            fits = _subnet(existing) == pod_cidr
            if fits and not anew:
                return _bridge(existing)
            if not fits and _has_pods(client, existing):
                raise ContainerError(
                    "NetworkNotReady",
                    f"network {owner.network} has the range {_subnet(existing)}, not {pod_cidr}, and pods in it",
                )
            # By its name the engine finds also one that it has lost.
            for joined in (existing["Containers"] or {}).values():
                client.disconnect_container_from_network(joined["Name"], existing["Id"], force=True)
            client.remove_network(owner.network)
        _remove_former(client, owner, pod_cidr)
        major = engine_version.partition(".")[0]
        protects = major.isdigit() and int(major) >= _PROTECTS_SINCE
        try:
            client.create_network(
                owner.network,
                driver="bridge",
                ipam={"Driver": "default", "Config": [{"Subnet": pod_cidr, "Gateway": gateway}]},
                labels=owner.labels,
                options=_OPEN_BRIDGE if protects else None,
                check_duplicate=True,
            )
        except docker.errors.APIError as exc:
            # Another agent of this node made it in the meantime.
            if not is_conflict(exc):
                raise
        return _bridge(client.inspect_network(owner.network))


def remove(client: docker.APIClient, owner: Owner) -> bool:
    """Remove the node's network. Whether the cluster has no other left on this machine."""
    with translated("NetworkNotReady"):
        try:
            client.remove_network(owner.network)
        except docker.errors.APIError as exc:
            if not is_gone(exc):
                raise
        return not client.networks(filters={"label": [f"{CLUSTER}={owner.cluster}"]})


def exists(client: docker.APIClient, owner: Owner, pod_cidr: str) -> bool:
    """Whether the node's network is there, and has that range. Raises ContainerError."""
    with translated(UNAVAILABLE):
        existing = _find(client, owner)
    return existing is not None and _subnet(existing) == pod_cidr


def lost(owner: Owner, sandbox: dict) -> bool:
    """Whether a running sandbox was parted from the node's network, in which it was started.

    Args:
        sandbox: as the engine's list or an inspection shows it.
    """
    joined = (sandbox.get("NetworkSettings") or {}).get("Networks")
    started_in = (sandbox.get("HostConfig") or {}).get("NetworkMode")
    if started_in == isolation.NO_NETWORK:
        return not links.is_whole(sandbox["Id"])
    return started_in == owner.network and joined is not None and owner.network not in joined


def _remove_former(client: docker.APIClient, owner: Owner, pod_cidr: str) -> None:
    """Remove the network of a node that was deleted, if its range was given to this node. No two nodes of a cluster have
    one range, so that whoever had it is none any more."""
    for network in client.networks(filters={"label": [f"{CLUSTER}={owner.cluster}"]}):
        if network["Name"] == owner.network or _subnet(network) != pod_cidr:
            continue
        if _has_pods(client, client.inspect_network(network["Id"])):
            raise ContainerError(
                "NetworkNotReady",
                f"network {network['Name']}, of a node that was deleted, has the range {pod_cidr}, and pods in it",
            )
        client.remove_network(network["Id"])


def _has_pods(client: docker.APIClient, network: dict) -> bool:
    """Whether pods run in it. The engine knows of those only that it linked itself."""
    if network["Containers"]:
        return True
    among = [f"{key}={network['Labels'][key]}" for key in (CLUSTER, NODE)]
    inside = ipaddress.ip_network(_subnet(network))
    return any(
        ipaddress.ip_address(each["Labels"][ADDRESS]) in inside
        for each in client.containers(filters={"label": [*among, ADDRESS]})
    )


def _bridge(network: dict) -> Bridge:
    options = network.get("Options") or {}
    name = options.get("com.docker.network.bridge.name") or f"br-{network['Id'][:12]}"
    return Bridge(name, _gateway(_subnet(network)), int(options.get("com.docker.network.driver.mtu") or 1500))


def _gateway(cidr: str) -> ipaddress.IPv4Interface:
    """Its first address."""
    network = ipaddress.IPv4Network(cidr)
    return ipaddress.IPv4Interface(f"{network[1]}/{network.prefixlen}")


def _find(client: docker.APIClient, owner: Owner) -> dict | None:
    try:
        return dict(client.inspect_network(owner.network))
    except docker.errors.APIError as exc:
        if is_gone(exc):
            return None
        raise


def _subnet(network: dict) -> str:
    ranges = network["IPAM"]["Config"] or [{}]
    return str(ranges[0].get("Subnet", ""))
