"""The names of a cluster's keys in Redis.

They share one hash tag, so that a cluster's state lies in one slot of a Redis Cluster, where one
script may touch all of it, and many clusters spread over the slots.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the cluster named `cluster`."""

    cluster: str

    def of(self, name: str) -> str:
        return f"{{beanpole:{self.cluster}}}:{name}"

    @property
    def revision(self) -> str:
        return self.of("revision")

    @property
    def epoch(self) -> str:
        return self.of("epoch")

    @property
    def log(self) -> str:
        return self.of("log")

    @property
    def resources(self) -> str:
        return self.of("resources")

    @property
    def bound(self) -> str:
        return self.of("bound")

    @property
    def claims(self) -> str:
        return self.of("claims")

    @property
    def admitted(self) -> str:
        return self.of("admitted")

    @property
    def running(self) -> str:
        return self.of("work:running")

    def objects(self, resource: str) -> str:
        return self.of(f"objects:{resource}")
