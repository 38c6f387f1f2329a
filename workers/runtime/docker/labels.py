"""The labels and names by which an agent knows its containers again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workers.runtime.protocol import PodRef

PREFIX = "beanpole.dev/"
CLUSTER = PREFIX + "cluster"
NODE = PREFIX + "node"
POD_UID = PREFIX + "pod-uid"
POD_NAMESPACE = PREFIX + "pod-namespace"
POD_NAME = PREFIX + "pod-name"
ADDRESS = PREFIX + "address"
CONTAINER = PREFIX + "container"
ATTEMPT = PREFIX + "attempt"


@dataclass(frozen=True, slots=True)
class Owner:
    """The node of which cluster it is all about."""

    cluster: str
    node: str

    @property
    def labels(self) -> dict[str, str]:
        return {CLUSTER: self.cluster, NODE: self.node}

    @property
    def network(self) -> str:
        return f"beanpole-{self.cluster}-{self.node}"

    def filter(self, **more: str) -> dict[str, list[str]]:
        """The engine's filter for what carries these labels."""
        return {"label": [f"{key}={value}" for key, value in (self.labels | more).items()]}

    def of_pod(self, pod: PodRef) -> dict[str, str]:
        """The labels of a sandbox; a container has two more."""
        return self.labels | {POD_UID: pod.uid, POD_NAMESPACE: pod.namespace, POD_NAME: pod.name}

    def of_volume(self) -> dict[str, str]:
        """The labels of a volume, which pods of other nodes may use too."""
        return {CLUSTER: self.cluster}

    def sandbox_name(self, uid: str) -> str:
        """The names are drawn from what they stand for, so that the engine refuses a double."""
        return f"beanpole_{self.cluster}_{self.node}_{uid}"

    def container_name(self, uid: str, container: str, attempt: int) -> str:
        return f"{self.sandbox_name(uid)}_{container}_{attempt}"


def pod(labels: Mapping[str, str]) -> PodRef:
    return PodRef(labels[POD_UID], labels.get(POD_NAMESPACE, ""), labels.get(POD_NAME, ""))
