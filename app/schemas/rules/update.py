"""What an update may not change (the ValidateXUpdate functions of Kubernetes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.objects.change import Object
from app.objects.deletion import DEFINITIONS
from app.schemas.custom.definition_rules import definition_update
from app.schemas.faults import Faults
from app.schemas.fields import Struct, Type
from app.schemas.kind import Kind
from app.schemas.rules import access as rules_access
from app.schemas.rules import mirror
from app.schemas.rules.batch_update import job_update
from app.schemas.rules.certificates import request_update
from app.schemas.rules.cluster_update import UPDATE_RULES
from app.schemas.rules.ephemeral import ephemeral_update
from app.schemas.rules.resize import resize_update
from app.schemas.rules.sets import stateful_set_update
from app.schemas.spec_diff import spec_diff
from app.schemas.types.core_pod import PodSpec

IMMUTABLE = "field is immutable"
KEPT = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def unchanged(kind: Kind, old: Object, new: Object, faults: Faults, subresource: str = "") -> None:
    """Everything that must stay as it was."""
    _meta(old["metadata"], new["metadata"], faults)
    _declared(kind.schema, old, new, faults)
    rule = _RULES.get(f"{kind.resource}/{subresource}") if subresource else None
    rule = rule or _RULES.get(kind.resource)
    if rule:
        rule(old, new, faults)


def _meta(old: Object, new: Object, faults: Faults) -> None:
    for field in KEPT:
        before, after = old.get(field), new.get(field)
        # A client may leave out what the server sets.
        if after is not None and after != before:
            faults.invalid(f"metadata.{field}", after, IMMUTABLE)


def _declared(schema: type[Type], old: Object, new: Object, faults: Faults) -> None:
    """Fields declared immutable, of the object itself and of its spec."""
    for name, field in schema.fields_of().items():
        if field.immutable:
            _same(old.get(name), new.get(name), name, faults)
        elif name == "spec" and isinstance(field, Struct):
            before, after = old.get("spec") or {}, new.get("spec") or {}
            for inner, declared in field.schema.fields_of().items():
                if declared.immutable:
                    _same(before.get(inner), after.get(inner), f"spec.{inner}", faults)


def _same(before: Any, after: Any, path: str, faults: Faults) -> None:
    if before is not None and before != after:
        faults.invalid(path, after, IMMUTABLE)


def _pod(old: Object, new: Object, faults: Faults) -> None:
    mirror.on_update(old, new, faults)
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if before == after:
        return
    for section in ("containers", "initContainers"):
        if len(before.get(section) or ()) != len(after.get(section) or ()):
            faults.forbidden(f"spec.{section}", "pod updates may not add or remove containers")
            return
    _deadline(before, after, faults)
    _tolerations(before.get("tolerations") or [], after.get("tolerations") or [], faults)
    _gates(before.get("schedulingGates") or [], after.get("schedulingGates") or [], faults)
    if before.get("schedulingGates"):
        after = _gated(before, after, faults)
    if _fixed(before) != _fixed(after):
        diff = spec_diff(PodSpec, _fixed(before), _fixed(after), "core.PodSpec")
        faults.forbidden("spec", f"{_POD_RULE}\n{diff}")


def _fixed(spec: Object) -> Object:
    """A pod's spec without what may change."""
    free = ("activeDeadlineSeconds", "tolerations", "schedulingGates")
    fixed = {k: v for k, v in spec.items() if k not in free}
    for section in ("containers", "initContainers"):
        if spec.get(section):
            fixed[section] = [{k: v for k, v in c.items() if k != "image"} for c in spec[section]]
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        fixed["terminationGracePeriodSeconds"] = 1
    return fixed


def _deadline(before: Object, after: Object, faults: Faults) -> None:
    old, new = before.get("activeDeadlineSeconds"), after.get("activeDeadlineSeconds")
    if old is None:
        return
    if new is None:
        faults.invalid(
            "spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value"
        )
    elif new > old:
        faults.invalid("spec.activeDeadlineSeconds", new, "must be less than or equal to previous value")


def _tolerations(before: list[Object], after: list[Object], faults: Faults) -> None:
    def known(toleration: Object) -> Object:
        return {k: v for k, v in toleration.items() if k != "tolerationSeconds"}

    kept = [known(toleration) for toleration in after]
    if any(known(toleration) not in kept for toleration in before):
        faults.forbidden(
            "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"
        )


def _gates(before: list[Object], after: list[Object], faults: Faults) -> None:
    names = {gate.get("name") for gate in before}
    for i, gate in enumerate(after):
        name = gate.get("name", "")
        if name not in names:
            faults.forbidden(
                f"spec.schedulingGates[{i}].name",
                f"only deletion is allowed, but found new scheduling gate '{name}'",
            )


def _gated(before: Object, after: Object, faults: Faults) -> Object:
    """The new spec of a pod that waits, without what may still change: it can be told of more labels a node must
    have, and of nodes if nothing was said of them yet."""
    old, new = before.get("nodeSelector") or {}, after.get("nodeSelector") or {}
    if any(new.get(key) != value for key, value in old.items()):
        faults.invalid(
            "spec.nodeSelector",
            new,
            "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
        )
    kept = {name: value for name, value in after.items() if name != "nodeSelector"}
    if "nodeSelector" in before:
        kept["nodeSelector"] = before["nodeSelector"]
    if before.get("affinity") is None and set(after.get("affinity") or ()) <= {"nodeAffinity"}:
        kept.pop("affinity", None)
    return kept


def _service(old: Object, new: Object, faults: Faults) -> None:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if "ExternalName" in (before.get("type"), after.get("type")):
        return
    if before.get("clusterIP") and after.get("clusterIP") != before["clusterIP"]:
        faults.invalid("spec.clusterIPs[0]", after.get("clusterIPs") or [], "may not change once set")


def _sealed(*sections: str) -> Callable[[Object, Object, Faults], None]:
    """Data that was once declared immutable stays, and stays so."""
    reason = f"{IMMUTABLE} when `immutable` is set"

    def rule(old: Object, new: Object, faults: Faults) -> None:
        if not old.get("immutable"):
            return
        if not new.get("immutable"):
            faults.forbidden("immutable", reason)
        for section in sections:
            if (old.get(section) or {}) != (new.get(section) or {}):
                faults.forbidden(section, reason)

    return rule


def _node(old: Object, new: Object, faults: Faults) -> None:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if before.get("podCIDR") and before["podCIDR"] != after.get("podCIDR"):
        faults.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    if before.get("providerID") and before["providerID"] != after.get("providerID"):
        faults.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')


_RULES: dict[str, Callable[[Object, Object, Faults], None]] = {
    **UPDATE_RULES,
    "certificatesigningrequests.certificates.k8s.io": request_update,
    "clusterrolebindings.rbac.authorization.k8s.io": rules_access.same_role,
    DEFINITIONS: definition_update,
    "configmaps": _sealed("data", "binaryData"),
    "jobs.batch": job_update,
    "nodes": _node,
    "pods": _pod,
    "pods/ephemeralcontainers": ephemeral_update,
    "pods/resize": resize_update,
    "rolebindings.rbac.authorization.k8s.io": rules_access.same_role,
    "secrets": _sealed("data"),
    "services": _service,
    "statefulsets.apps": stateful_set_update,
}
