"""What nodes reported that they and their pods use, as objects of metrics.k8s.io.

https://github.com/kubernetes/metrics/blob/master/pkg/apis/metrics/v1beta1/types.go
"""

from __future__ import annotations

from collections.abc import Mapping

from app.base.clock import rfc3339
from app.objects.change import Object
from app.objects.quantity import of_bytes, of_nanos

GROUP = "metrics.k8s.io"
API_VERSION = f"{GROUP}/v1beta1"
PODS = f"pods.{GROUP}"
NODES = f"nodes.{GROUP}"


class Usage:
    """What is known now.

    Args:
        by_node: name -> `{at, window, cpu, memory, pods}` as the node's agent reported: `at` in seconds since the
            epoch, `window` in seconds, `cpu` in billionths of one, `memory` in bytes, `pods` by uid `{window, containers}`,
            where each container has cpu and memory as a pair.
    """

    def __init__(self, by_node: Mapping[str, Object]) -> None:
        self._by_node = by_node

    def of_node(self, node: Object) -> Object | None:
        """The NodeMetrics of a Node; None if nothing is known of it."""
        found = self._by_node.get(node["metadata"]["name"])
        if found is None:
            return None
        head = _head("NodeMetrics", node, found["at"], found["window"])
        return {**head, "usage": _amounts(found["cpu"], found["memory"])}

    def of_pod(self, pod: Object) -> Object | None:
        """The PodMetrics of a Pod; None if it does not run, or nothing is known of it."""
        found = self._by_node.get(pod["spec"].get("nodeName") or "")
        mine = found["pods"].get(pod["metadata"]["uid"]) if found else None
        if found is None or mine is None or (pod.get("status") or {}).get("phase") != "Running":
            return None
        head = _head("PodMetrics", pod, found["at"], mine["window"])
        parts = [{"name": name, "usage": _amounts(*used)} for name, used in mine["containers"].items()]
        return {**head, "containers": parts}


def _head(kind: str, of: Object, at: float, window: float) -> Object:
    meta: Object = {"name": of["metadata"]["name"]}
    if "namespace" in of["metadata"]:
        meta["namespace"] = of["metadata"]["namespace"]
    meta["creationTimestamp"] = rfc3339(at)
    if of["metadata"].get("labels"):
        meta["labels"] = of["metadata"]["labels"]
    return {
        "kind": kind,
        "apiVersion": API_VERSION,
        "metadata": meta,
        "timestamp": rfc3339(at),
        "window": duration(window),
    }


def _amounts(cpu: int, memory: int) -> Object:
    return {"cpu": of_nanos(cpu), "memory": of_bytes(memory)}


def duration(seconds: float) -> str:
    """A span of time as Go writes it, in milliseconds at the finest: `15.2s`, `1m30s`."""
    millis = round(seconds * 1000)
    if 0 < millis < 1000:
        return f"{millis}ms"
    minutes, rest = divmod(millis, 60_000)
    text = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else "") + text
