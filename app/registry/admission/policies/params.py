"""The objects from which a policy takes its parameters."""

from __future__ import annotations

from app.objects import selectors
from app.objects.change import Object, ReadView
from app.schemas import kinds


class NoParams(Exception):
    """There is none of the objects that a binding names; says so."""


def params_of(policy: Object, binding: Object, namespace: str, view: ReadView) -> list[Object | None]:
    """Each object with which the policy is evaluated; `[None]` for a policy without parameters, and nothing for one
    that is let go where its parameters are missing.

    Raises:
        NoParams: they are missing, and the binding does not allow that.
    """
    kind_said = (policy.get("spec") or {}).get("paramKind")
    reference = (binding.get("spec") or {}).get("paramRef")
    if not kind_said or not reference:
        return [None]
    group, _, _ = str(kind_said.get("apiVersion") or "").rpartition("/")
    kind = kinds.by_kind(group, str(kind_said.get("kind") or ""))
    if kind is None:
        raise NoParams(
            f"failed to configure policy: failed to find resource referenced by paramKind: {kind_said}"
        )
    where = str(reference.get("namespace") or namespace) if kind.namespaced else None
    found = _found(view, kind.storage.resource, where, reference)
    if not found and reference.get("parameterNotFoundAction") == "Deny":
        raise NoParams("no params found for policy binding with `Deny` parameterNotFoundAction")
    return list(found)


def _found(view: ReadView, resource: str, namespace: str | None, reference: Object) -> list[Object]:
    if reference.get("name"):
        key = f"{namespace}/{reference['name']}" if namespace else str(reference["name"])
        one = view.get(resource, key)
        return [one] if one is not None else []
    wanted = selectors.of_label_selector(reference.get("selector") or {})
    return [
        each
        for each in view.list(resource, namespace)
        if wanted.matches(each["metadata"].get("labels") or {})
    ]
