"""Defaults: what a field means when its author left it out.

Plain defaults are declared on the fields. What depends on other fields is in the functions below, after
k8s.io/kubernetes/pkg/apis/{core,apps,discovery}/v1/defaults.go and the conversions beside them.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from app.objects import jobs, pod_resources
from app.objects.change import Object
from app.schemas import defaults_access, defaults_autoscaling, defaults_sets
from app.schemas.custom import naming
from app.schemas.fields import ABSENT, Field, ListOf, MapOf, Recursive, Struct, Type
from app.schemas.kind import Kind
from app.schemas.types import (
    apiextensions,
    apps,
    apps_daemon,
    apps_stateful,
    autoscaling_v2,
    batch,
    core_config,
    core_container,
    core_node,
    core_pod,
    core_quota,
    core_replication,
    core_service,
    core_volume,
    network_policy,
    rbac,
)

Fill = Callable[[Any], Any]


def apply(kind: Kind, obj: Object) -> Object:
    """`obj` with the defaults of its kind; what it says itself stays. `obj` is not changed."""
    if kind.custom is not None:
        return kind.custom.filled(obj)
    fill = _filler(kind.schema)
    return fill(obj) if fill else obj


@cache
def _filler(schema: type[Type]) -> Fill | None:
    """The function that fills in objects of a type; None if nothing in it has a default."""
    fields = schema.fields_of()
    plain = [(name, f.default) for name, f in fields.items() if f.default is not ABSENT]
    nested = [(name, inner) for name, f in fields.items() if (inner := _field_filler(f))]
    depending = _DEPENDING.get(schema)
    if not (plain or nested or depending):
        return None

    def fill(obj: Object) -> Object:
        out = dict(obj)
        for name, default in plain:
            if out.get(name) is None:
                out[name] = copy.copy(default) if type(default) in (dict, list) else default
        if depending:
            depending(out)
        for name, inner in nested:
            value = out.get(name)
            if value is not None:
                out[name] = inner(value)
        return out

    return fill


def _field_filler(field: Field) -> Fill | None:
    if isinstance(field, Recursive):
        return None
    if isinstance(field, Struct):
        return _filler(field.schema)
    inner = _field_filler(field.inner) if isinstance(field, ListOf | MapOf) else None
    if inner is None:
        return None
    if isinstance(field, ListOf):
        return lambda items: [inner(item) for item in items]
    return lambda items: {key: inner(item) for key, item in items.items()}


def _container(container: Object) -> None:
    """Images of the tag `latest`, which may become another one any day, are pulled at every start."""
    if not container.get("imagePullPolicy"):
        latest = _tag(container.get("image", "")) == "latest"
        container["imagePullPolicy"] = "Always" if latest else "IfNotPresent"


def _tag(image: str) -> str:
    """The tag of an image's name; `latest` where there is neither tag nor digest."""
    name, _, digest = image.partition("@")
    last = name.rpartition("/")[2]
    tag = last.partition(":")[2]
    return tag or ("" if digest else "latest")


def _pod_spec(spec: Object) -> None:
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    if spec.get("hostNetwork"):
        for kind in ("containers", "initContainers"):
            if spec.get(kind):
                spec[kind] = [_on_host_network(container) for container in spec[kind]]


def _on_host_network(container: Object) -> Object:
    """On the node's own network, a port is a port of the node."""
    ports = container.get("ports")
    if not ports:
        return container
    return {
        **container,
        "ports": [{**p, "hostPort": p.get("hostPort") or p.get("containerPort")} for p in ports],
    }


def _pod(pod: Object) -> None:
    """Only pods get these, not the templates they are made from."""
    spec = pod.get("spec")
    if spec is None:
        return
    spec = dict(spec)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    for kind in ("containers", "initContainers"):
        if spec.get(kind):
            spec[kind] = [_requesting_limits(container) for container in spec[kind]]
    if spec.get("resources"):
        spec["resources"] = _of_whole(spec)
    pod["spec"] = spec


def _of_whole(spec: Object) -> Object:
    """A pod's own resources: what it doesn't say of its requests is the sum of its containers', or else its limit
    (`defaultPodRequests`)."""
    whole = spec["resources"]
    limits = whole.get("limits") or {}
    summed = pod_resources.totals({**spec, "resources": {}, "overhead": None}, "requests")
    asked = {
        **limits,
        **{name: amount for name, amount in summed.items() if name in _POD_LEVEL},
        **(whole.get("requests") or {}),
    }
    return {**whole, "requests": asked} if asked else whole


# What a whole pod can ask for.
_POD_LEVEL = ("cpu", "memory")


def _requesting_limits(container: Object) -> Object:
    """Who sets a limit and asks for nothing asks for the limit."""
    limits = container.get("resources", {}).get("limits")
    if not limits:
        return container
    requests = {**limits, **(container["resources"].get("requests") or {})}
    return {**container, "resources": {**container["resources"], "requests": requests}}


_NOT_SOURCES = frozenset({"name"})


def _volume(volume: Object) -> None:
    if not volume.keys() - _NOT_SOURCES:
        volume["emptyDir"] = {}


def _service_port(port: Object) -> None:
    if not port.get("targetPort") and port.get("port"):
        port["targetPort"] = port["port"]


def _service_spec(spec: Object) -> None:
    kind = spec["type"]
    if spec["sessionAffinity"] == "ClientIP":
        given = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800, **given}}
    if kind == "ExternalName":
        return
    if kind in ("NodePort", "LoadBalancer"):
        spec["externalTrafficPolicy"] = spec.get("externalTrafficPolicy") or "Cluster"
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        spec["allocateLoadBalancerNodePorts"] = True
    if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
        spec["internalTrafficPolicy"] = spec.get("internalTrafficPolicy") or "Cluster"
        _service_addresses(spec)


def _service_addresses(spec: Object) -> None:
    """clusterIP is the first of clusterIPs; a service speaks IPv4 unless its address says otherwise."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    elif spec.get("clusterIPs") and not spec.get("clusterIP"):
        spec["clusterIP"] = spec["clusterIPs"][0]
    if not spec.get("ipFamilies"):
        spec["ipFamilies"] = ["IPv6" if ":" in spec.get("clusterIP", "") else "IPv4"]
    spec["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or "SingleStack"


def _secret(secret: Object) -> None:
    """What is written to stringData is read from data."""
    texts = secret.pop("stringData", None)
    if texts:
        encoded = {
            key: base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
            for key, text in texts.items()
        }
        secret["data"] = {**(secret.get("data") or {}), **encoded}


def _namespace(namespace: Object) -> None:
    """Every namespace carries its name as a label, so that selectors can name it."""
    meta = namespace.get("metadata") or {}
    if meta.get("name"):
        labels = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}
        namespace["metadata"] = {**meta, "labels": labels}


def _node_spec(spec: Object) -> None:
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]


def _node_status(status: Object) -> None:
    if status.get("capacity") and not status.get("allocatable"):
        status["allocatable"] = dict(status["capacity"])


def _limit_range_item(item: Object) -> None:
    """A container that names no limit gets the maximum, and one that names no request its limit."""
    if item.get("type") != "Container":
        return
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    if limits:
        item["default"] = limits
    if requests:
        item["defaultRequest"] = requests


def _job(job: Object) -> None:
    """A Job's own; a template of jobs gets them when a Job is made of it."""
    if job.get("spec") is not None:
        job["spec"] = jobs.with_defaults(job["spec"])


def _job_spec(spec: Object) -> None:
    """An alpha feature of Kubernetes, which drops the field while it is off."""
    spec.pop("scheduling", None)


def _network_policy(spec: Object) -> None:
    """A policy is about ingress, and about egress too if it says anything of it."""
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _definition_spec(spec: Object) -> None:
    """What a kind is called besides, if it isn't said; objects of all versions are alike unless it is said."""
    names = spec.get("names") or {}
    spec["names"] = naming.with_defaults(names) if names.get("kind") else names
    spec["conversion"] = spec.get("conversion") or {"strategy": "None"}


_DEPENDING: dict[type[Type], Callable[[Object], None]] = {
    apiextensions.CustomResourceDefinitionSpec: _definition_spec,
    apps.DeploymentStrategy: defaults_sets.strategy,
    apps_daemon.DaemonSetUpdateStrategy: defaults_sets.strategy,
    apps_stateful.StatefulSetSpec: defaults_sets.stateful_set_spec,
    apps_stateful.StatefulSetUpdateStrategy: defaults_sets.strategy,
    autoscaling_v2.HorizontalPodAutoscalerSpec: defaults_autoscaling.spec,
    batch.Job: _job,
    batch.JobSpec: _job_spec,
    core_config.Namespace: _namespace,
    core_config.Secret: _secret,
    core_container.Container: _container,
    core_container.EphemeralContainer: _container,
    core_node.NodeSpec: _node_spec,
    core_node.NodeStatus: _node_status,
    core_pod.Pod: _pod,
    core_pod.PodSpec: _pod_spec,
    network_policy.NetworkPolicySpec: _network_policy,
    core_quota.LimitRangeItem: _limit_range_item,
    core_replication.ReplicationController: defaults_sets.replication_controller,
    core_service.ServicePort: _service_port,
    core_service.ServiceSpec: _service_spec,
    core_volume.Volume: _volume,
    rbac.Subject: defaults_access.subject,
}
