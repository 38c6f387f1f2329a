"""Rules for what a pod can know of itself: fieldRef and resourceFieldRef, in variables and in files
(k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

import re

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import qualified_name

OF_VARIABLES = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
OF_FILES = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
# What can be converted at all; of a field that can't, Kubernetes says so in other words.
KNOWN = frozenset((*OF_VARIABLES, *OF_FILES, "spec.restartPolicy", "spec.schedulerName", "status.phase"))
RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
    "requests.memory",
)  # fmt: skip
HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SUBSCRIPTED = re.compile(r"([^\[]*)\['(.*)'\]", re.DOTALL)


def field_ref(given: Object, allowed: tuple[str, ...], path: str, faults: Faults) -> None:
    """A field of the pod. That one is named is declared on the field."""
    text = given.get("fieldPath") or ""
    if not text:
        return
    version = given.get("apiVersion") or "v1"
    if version != "v1":
        faults.invalid(
            f"{path}.fieldPath", text, f"error converting fieldPath: unsupported pod version: {version}"
        )
        return
    subscripted = _SUBSCRIPTED.fullmatch(text)
    if subscripted:
        name, key = subscripted.groups()
        if name == "metadata.annotations":
            faults.all_invalid(path, key.lower(), qualified_name(key.lower()))
        elif name == "metadata.labels":
            faults.all_invalid(path, key, qualified_name(key))
        else:
            faults.invalid(
                f"{path}.fieldPath",
                text,
                f"error converting fieldPath: field label does not support subscript: {name}",
            )
    elif text not in KNOWN:
        faults.invalid(
            f"{path}.fieldPath", text, f"error converting fieldPath: field label not supported: {text}"
        )
    elif text not in allowed:
        faults.not_supported(f"{path}.fieldPath", text, allowed)


def resource_ref(given: Object, path: str, faults: Faults, *, of_file: bool) -> None:
    """A limit or request of a container. Files must say of which one."""
    name = given.get("resource") or ""
    if of_file and not given.get("containerName"):
        faults.required(f"{path}.containerName")
    elif name and name not in RESOURCES and not name.startswith(HUGE_PAGES):
        faults.not_supported(f"{path}.resource", name, RESOURCES)
    divisor = given.get("divisor") or "0"
    if divisor == "0":
        return
    what = name.partition(".")[2]
    if what == "cpu":
        if divisor not in ("1m", "1"):
            faults.invalid(
                f"{path}.divisor", name, "only divisor's values 1m and 1 are supported with the cpu resource"
            )
        return
    called = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(what, "hugepages")
    if divisor not in _SIZES and (name in RESOURCES or name.startswith(HUGE_PAGES)):
        faults.invalid(
            f"{path}.divisor",
            name,
            f"only divisor's values {', '.join(_SIZES)} are supported with the {called} resource",
        )
