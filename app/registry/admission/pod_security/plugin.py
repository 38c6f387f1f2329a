"""The plugin: a namespace's labels say which level is enforced, which is warned of, which is noted in the audit log.

Pods are refused; whatever holds a pod template is only warned of, since its pods are checked when they are made.
"""

from __future__ import annotations

import re

from app.base.errors import Cause, Invalid
from app.objects.change import Object
from app.registry.admission.attributes import Attributes, Surroundings, forbidden
from app.registry.admission.pod_security import baseline, restricted

LABEL = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
MODES = ("enforce", "audit", "warn")
_VERSION = re.compile(r"latest|v1\.(0|[1-9][0-9]*)")
# Checks of baseline that one of restricted says more strictly.
_STRICTER = {baseline.capabilities, baseline.seccomp, baseline.host_path}
# Where the pod of each kind with a template stands.
TEMPLATED: dict[str, tuple[str, ...]] = {
    "replicationcontrollers": ("spec", "template"),
    "podtemplates": ("template",),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}


def validate(attributes: Attributes, around: Surroundings) -> None:
    """Raises Forbidden where a pod violates the level that its namespace enforces."""
    obj = attributes.obj
    if obj is None or attributes.subresource not in ("", "ephemeralcontainers"):
        return
    namespace = around.view.get("namespaces", attributes.namespace)
    labels = ((namespace or {}).get("metadata") or {}).get("labels") or {}
    if not any(key.startswith(LABEL) for key in labels):
        return
    is_pod = attributes.kind.resource == "pods"
    pod = obj if is_pod else _template(attributes.kind.resource, obj)
    if pod is None or (is_pod and _same(attributes.old, obj)):
        return
    enforced = _broken(labels, "enforce", pod) if is_pod else ""
    if enforced:
        raise forbidden(attributes, f"violates PodSecurity {enforced}")
    warned = _broken(labels, "warn", pod)
    if warned:
        attributes.warn(f"would violate PodSecurity {warned}")
    noted = _broken(labels, "audit", pod)
    if noted:
        attributes.annotations["pod-security.kubernetes.io/audit-violations"] = (
            f"would violate PodSecurity {noted}"
        )


def validate_namespace(attributes: Attributes, around: Surroundings) -> None:
    """The labels must name levels and versions there are; and who begins to enforce one hears which pods break it.

    Raises:
        Invalid: a label has another value.
    """
    obj = attributes.obj
    if obj is None or attributes.subresource:
        return
    labels = obj["metadata"].get("labels") or {}
    if not any(key.startswith(LABEL) for key in labels):
        return
    causes = [*_faults(labels)]
    if causes:
        name = obj["metadata"].get("name") or ""
        said = [f"{cause.field}: {cause.message}" for cause in causes]
        raise Invalid(
            f'Namespace "{name}" is invalid: {said[0] if len(said) == 1 else "[" + ", ".join(said) + "]"}',
            resource="Namespace",
            name=name,
            causes=causes,
        )
    before = ((attributes.old or {}).get("metadata") or {}).get("labels") or {}
    enforce = (LABEL + "enforce", LABEL + "enforce-version")
    if attributes.operation == "UPDATE" and any(labels.get(k) != before.get(k) for k in enforce):
        _warn_of_present(attributes, around, labels)


def violations(level: str, pod: Object) -> list[str]:
    """What of the pod violates the level."""
    if level == "privileged":
        return []
    strict = level == "restricted"
    checks = [check for check in baseline.CHECKS if not (strict and check in _STRICTER)]
    if strict:
        checks += restricted.CHECKS
    found = [violation for check in checks if (violation := check(pod)) is not None]
    return [str(each) for each in found]


def _broken(labels: dict[str, str], mode: str, pod: Object) -> str:
    """`"baseline:latest": privileged (...)`, or "" if the pod violates nothing that the mode is about."""
    level = labels.get(LABEL + mode, "privileged")
    found = violations(level if level in LEVELS else "restricted", pod)
    if not found:
        return ""
    return f'"{level}:{labels.get(f"{LABEL}{mode}-version", "latest")}": {", ".join(found)}'


def _faults(labels: dict[str, str]) -> list[Cause]:
    found = []
    for mode in MODES:
        level, version = labels.get(LABEL + mode), labels.get(f"{LABEL}{mode}-version")
        if level is not None and level not in LEVELS:
            found.append(_fault(LABEL + mode, level, "must be one of privileged, baseline, restricted"))
        if version is not None and not _VERSION.fullmatch(version):
            found.append(_fault(f"{LABEL}{mode}-version", version, 'must be "latest" or "v1.x"'))
    return found


def _fault(label: str, value: str, why: str) -> Cause:
    return Cause(f"metadata.labels[{label}]", "FieldValueInvalid", f'Invalid value: "{value}": {why}')


def _warn_of_present(attributes: Attributes, around: Surroundings, labels: dict[str, str]) -> None:
    name = str((attributes.obj or {})["metadata"]["name"])
    broken: dict[str, list[str]] = {}
    for pod in around.view.list("pods", name):
        found = _broken(labels, "enforce", pod)
        if found:
            reasons = sorted({part.partition(" (")[0] for part in found.partition(": ")[2].split("), ")})
            broken.setdefault(", ".join(reasons), []).append(pod["metadata"]["name"])
    if not broken:
        return
    level = f"{labels.get(LABEL + 'enforce', 'privileged')}:{labels.get(LABEL + 'enforce-version', 'latest')}"
    attributes.warn(
        f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{level}"'
    )
    for reasons_text, pods in broken.items():
        more = "" if len(pods) == 1 else f" (and {len(pods) - 1} other pod{'s' if len(pods) > 2 else ''})"
        attributes.warn(f"{pods[0]}{more}: {reasons_text}")


def _template(resource: str, obj: Object) -> Object | None:
    found: object = obj
    for step in TEMPLATED[resource]:
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None
    return {"metadata": found.get("metadata") or {}, "spec": found.get("spec") or {}}


def _same(old: Object | None, new: Object) -> bool:
    """Whether an update changes nothing that the checks look at."""
    return old is not None and old.get("spec") == new.get("spec")
