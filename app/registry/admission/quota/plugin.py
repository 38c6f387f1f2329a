"""The check: may this still be charged to the namespace's quotas?

The last of the plugins, so that nothing is charged that another refuses. What is charged commits only while no
other batch was charged to the namespace since the view on which it was checked (`Guard.counted`): the sum never
exceeds the quota, whoever creates at the same time.
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quota_ledger import charge, concerns
from app.objects.quota_usage import Amounts, added, amounts_of, grown, listed, unsaid
from app.registry.admission.attributes import Attributes, Surroundings, forbidden

RESOURCE = "resourcequotas"
# Updates by these subresources may use up more; by any other they don't.
_COUNTED = ("", "resize")


def holds(attributes: Attributes, around: Surroundings) -> bool:
    """Whether there is a quota that the request could be charged to."""
    return bool(
        attributes.namespace
        and attributes.operation in ("CREATE", "UPDATE")
        and attributes.subresource in _COUNTED
        and around.view.keys(RESOURCE, attributes.namespace)
    )


def charge_to(attributes: Attributes, around: Surroundings) -> bool:
    """Charge the request; whether it uses up anything. Hold the view's lock.

    Raises:
        Forbidden: it exceeds a quota, or leaves unsaid what a quota wants said.
    """
    due = _due(attributes, around)
    if due and _exceeded(due, around):
        # Something may have been given up meanwhile.
        around.fresh()
        due = _due(attributes, around)
        for name, (requested, used, hard) in _exceeded(due, around).items():
            raise forbidden(
                attributes,
                f"exceeded quota: {name}, requested: {listed(requested)}, used: {listed(used)}, "
                f"limited: {listed(hard)}",
            )
    for quota, more in due:
        key = _key(quota)
        around.pending[key] = added(around.pending.get(key, {}), more)
    return bool(due)


def _due(attributes: Attributes, around: Surroundings) -> list[tuple[Object, Amounts]]:
    """Each quota that the request uses up some of, and how much. Raises Forbidden."""
    due = []
    resource, obj, old = attributes.kind.resource, attributes.obj, attributes.old
    assert obj is not None
    for quota in around.view.list(RESOURCE, attributes.namespace):
        if not concerns(quota, resource, obj):
            continue
        hard = quota["spec"].get("hard") or {}
        silent = unsaid(obj, hard) if resource == "pods" and old is None else ""
        if silent:
            raise forbidden(attributes, f"failed quota: {quota['metadata']['name']}: must specify {silent}")
        more = grown(charge(quota, resource, obj), charge(quota, resource, old) if old is not None else {})
        if more:
            due.append((quota, more))
    return due


def _exceeded(
    due: list[tuple[Object, Amounts]], around: Surroundings
) -> dict[str, tuple[Amounts, Amounts, Amounts]]:
    """`(requested, used, hard)` of each quota that has too little left, of those names only."""
    found = {}
    for quota, more in due:
        hard = amounts_of(quota["spec"].get("hard"))
        used = added(around.usage.used(quota), around.pending.get(_key(quota), {}))
        over = [name for name, amount in more.items() if used.get(name, 0) + amount > hard[name]]
        if over:
            found[str(quota["metadata"]["name"])] = (
                {name: more[name] for name in over},
                {name: used.get(name, 0) for name in over},
                {name: hard[name] for name in over},
            )
    return found


def _key(quota: Object) -> str:
    meta = quota["metadata"]
    return f"{meta['namespace']}/{meta['name']}"
