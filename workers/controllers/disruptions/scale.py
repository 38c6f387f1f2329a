"""How many pods there should be, by what their owners want: what a share of a budget is a share of."""

from __future__ import annotations

from app.objects.change import Object, ReadView
from app.objects.meta import controller_of
from workers.controllers.scalable import Scalable, find

_DEPLOYMENT = ("apps", "Deployment")


class Unknown(Exception):
    """Nobody can say how many pods there should be."""


def expected_scale(view: ReadView, own: list[Object]) -> int:
    """The sizes of all owners of the pods together, a Deployment's instead of its ReplicaSets'. Pods without an
    owner don't count.

    Raises:
        Unknown: an owner is gone, or has no size.
    """
    sizes: dict[str, int] = {}
    for pod in own:
        reference = controller_of(pod)
        if reference is None or reference["uid"] in sizes:
            continue
        namespace = pod["metadata"]["namespace"]
        scalable, owner = _owner(view, reference, namespace, pod)
        above = controller_of(owner)
        if above is not None and _group_and_kind(above) == _DEPLOYMENT:
            scalable, owner = _owner(view, above, namespace, pod)
            # Each of its ReplicaSets counts once, as nothing, and the Deployment as itself.
            sizes[reference["uid"]] = 0
        sizes[owner["metadata"]["uid"]] = scalable.wanted(owner)
    return sum(sizes.values())


def share(value: int | str, whole: int) -> int:
    """A number of pods, or a share of `whole`, rounded up."""
    if isinstance(value, int):
        return value
    return -(-whole * int(value.rstrip("%") or 0) // 100)


def _group_and_kind(reference: Object) -> tuple[str, str]:
    return reference["apiVersion"].rpartition("/")[0], reference["kind"]


def _owner(view: ReadView, reference: Object, namespace: str, pod: Object) -> tuple[Scalable, Object]:
    group, kind = _group_and_kind(reference)
    scalable = find(view, group, kind)
    if scalable is None:
        plural = f"{kind.lower()}s" + (f".{group}" if group else "")
        raise Unknown(f"{plural} does not implement the scale subresource")
    owner = view.get(scalable.resource, f"{namespace}/{reference['name']}")
    if owner is None or owner["metadata"]["uid"] != reference["uid"]:
        raise Unknown(f'found no controllers for pod "{pod["metadata"]["name"]}"')
    return scalable, owner
