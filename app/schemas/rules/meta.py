"""Rules for metadata and label selectors (k8s.io/apimachinery/pkg/api/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.selectors import of_label_selector
from app.schemas.faults import Faults
from app.schemas.formats import label_value, qualified_name

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
ANNOTATIONS_LIMIT = 256 * 1024
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def labels(given: Object, path: str, faults: Faults) -> None:
    """Keys are qualified names, values short and plain."""
    for key, value in given.items():
        faults.all_invalid(path, key, qualified_name(key))
        faults.all_invalid(path, value, label_value(value))


def object_meta(meta: Object, path: str, faults: Faults) -> None:
    """Labels, annotations, finalizers and owners, of an object or a template."""
    if meta.get("labels"):
        labels(meta["labels"], f"{path}.labels", faults)
    annotations = meta.get("annotations")
    if annotations:
        for key in annotations:
            # Kubernetes allows capitals in the prefix of an annotation.
            faults.all_invalid(f"{path}.annotations", key, qualified_name(key.lower()))
        size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
        if size > ANNOTATIONS_LIMIT:
            faults.too_long(f"{path}.annotations", ANNOTATIONS_LIMIT)
    for i, finalizer in enumerate(meta.get("finalizers") or ()):
        faults.all_invalid(f"{path}.finalizers[{i}]", finalizer, qualified_name(finalizer))
    if meta.get("ownerReferences"):
        _owners(meta["ownerReferences"], f"{path}.ownerReferences", faults)
    if (meta.get("generation") or 0) < 0:
        faults.invalid(f"{path}.generation", meta["generation"], "must be greater than or equal to 0")


def finalizers(meta: Object, faults: Faults) -> None:
    """Those of built-in kinds say whose they are (`ValidateFinalizerName`, k8s.io/kubernetes/pkg/apis/core/validation);
    custom resources may have any."""
    for i, finalizer in enumerate(meta.get("finalizers") or ()):
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            faults.invalid(
                f"metadata.finalizers[{i}]",
                finalizer,
                "name is neither a standard finalizer name nor is it fully qualified",
            )


def _owners(owners: list[Object], path: str, faults: Faults) -> None:
    for i, owner in enumerate(owners):
        _owner(owner, f"{path}[{i}]", faults)
    controllers = [owner for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        first, second = controllers[0], controllers[1]
        faults.invalid(
            path,
            owners,
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{first.get('kind')}/{first.get('name')} and {second.get('kind')}/{second.get('name')}",
        )


def _owner(owner: Object, path: str, faults: Faults) -> None:
    version, kind = owner.get("apiVersion") or "", owner.get("kind") or ""
    if not version.rpartition("/")[2]:
        faults.invalid(f"{path}.apiVersion", version, "version must not be empty")
    for field in ("kind", "name", "uid"):
        if not owner.get(field):
            faults.invalid(f"{path}.{field}", "", "must not be empty")
    if kind == "Event" and version == "v1":
        faults.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")


def label_selector(selector: Object, path: str, faults: Faults) -> None:
    """Keys and values are well-formed, and operators have the values that they need."""
    if selector.get("matchLabels"):
        labels(selector["matchLabels"], f"{path}.matchLabels", faults)
    for i, expression in enumerate(selector.get("matchExpressions") or ()):
        where = f"{path}.matchExpressions[{i}]"
        operator, values = expression.get("operator"), expression.get("values") or ()
        if operator in ("In", "NotIn") and not values:
            faults.required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        if operator in ("Exists", "DoesNotExist") and values:
            faults.forbidden(
                f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
        if operator not in OPERATORS:
            faults.invalid(f"{where}.operator", operator or "", "not a valid selector operator")
        key = expression.get("key") or ""
        faults.all_invalid(f"{where}.key", key, qualified_name(key))
        for j, value in enumerate(values):
            faults.all_invalid(f"{where}.values[{j}]", value, label_value(value))


def selects(selector: Object, given: Object) -> bool:
    """Whether a label selector without faults matches these labels."""
    return of_label_selector(selector).matches(given)
