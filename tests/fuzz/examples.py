"""A valid object of every kind that is served: what fuzzed bodies are made of, and what they meet in the cluster."""

from __future__ import annotations

import base64
import copy
from functools import cache
from typing import Any

from app.schemas import kinds
from app.schemas.kind import Kind
from app.trust.requests import CLIENT, make_request
from tests import definitions
from tests.fuzz.examples_cluster import CLUSTER
from tests.fuzz.examples_workloads import WORKLOADS

Object = dict[str, Any]
# Every object that is there from the beginning is called this; fuzzed ones take its place or stand beside it.
SEED = "seed"
DEFAULT = "default"
# Kinds with rules for their names.
_NAMES = {
    "CustomResourceDefinition": "tops.toys.example.com",
    "CSIDriver": "disk.example.com",
    "IPAddress": "10.200.0.7",
    "Namespace": "fuzz",
}
# A custom kind of two versions with everything that a definition may declare.
DEFINITION = definitions.definition(
    definitions.version("v1"),
    definitions.version("v2", storage=False),
    plural=definitions.CRONTABS.partition(".")[0],
)
CRONTAB = definitions.crontab(SEED, parts=[{"name": "a"}], sizes={"s": 1}, any={"a": {"b": 1}})
# The bodies of subresources that take another kind than their own.
BELOW: dict[str, Object] = {
    "scale": {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 3}},
    "binding": {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": SEED}},
    "eviction": {"apiVersion": "policy/v1", "kind": "Eviction", "deleteOptions": {"gracePeriodSeconds": 0}},
    "token": {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [], "expirationSeconds": 3600},
    },
}
DELETE_OPTIONS: Object = {
    "apiVersion": "v1",
    "kind": "DeleteOptions",
    "gracePeriodSeconds": 0,
    "propagationPolicy": "Background",
}


def name_of(kind: Kind) -> str:
    """What the first object of a kind is called."""
    return _NAMES.get(kind.kind, SEED)


@cache
def _contents() -> dict[tuple[str, str], Object]:
    pem, _ = make_request("joe", ["devs"])
    request = {
        "spec": {"request": base64.b64encode(pem).decode(), "signerName": CLIENT, "usages": ["client auth"]}
    }
    given = {(version, name): content for version, name, content in (*WORKLOADS, *CLUSTER)}
    given["certificates.k8s.io/v1", "CertificateSigningRequest"] = request
    given["v1", "Binding"] = {"target": BELOW["binding"]["target"]}
    for version in ("v1", "v2"):
        given[f"example.com/{version}", "CronTab"] = {"spec": CRONTAB["spec"]}
    return given


def example(kind: Kind, name: str = "") -> Object:
    """A valid object, for whoever asks to keep. Raises KeyError for a kind without one."""
    meta: Object = {"name": name or name_of(kind), "labels": {"app": "web"}, "annotations": {"note": "x"}}
    if kind.namespaced:
        meta["namespace"] = DEFAULT
    if kind.verbs == ("create",):
        meta = {"namespace": DEFAULT} if kind.namespaced else {}
    served_only = "create" not in kind.verbs
    content = {} if served_only else copy.deepcopy(_contents()[kind.api_version, kind.kind])
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, **content}


def storable() -> list[Kind]:
    """The kinds of which there can be objects, in an order in which they can be made."""
    found = [
        kind
        for kind in kinds.ALL
        if "create" in kind.verbs and "get" in kind.verbs and kind.conversion is None
    ]
    first = ("Namespace", "Node", "PriorityClass", "ClusterRole", "Role", "ServiceCIDR")
    return sorted(found, key=lambda kind: first.index(kind.kind) if kind.kind in first else len(first))
