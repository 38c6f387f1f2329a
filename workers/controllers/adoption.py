"""Which objects a controller holds: those it owns, orphans that it takes, and what it lets go.

Rules: https://github.com/kubernetes/design-proposals-archive/blob/main/api-machinery/controller-ref.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.objects.change import NOBODY, Interest, Object, ReadView
from app.objects.meta import controller_of, controller_reference, is_deleting, labels, with_meta
from app.objects.selectors import Selector, of_label_selector
from workers.controllers.interests import watches

Matches = Callable[[Object], bool]


def matcher(selector: Object | None) -> Matches:
    """Whether an object's labels satisfy a LabelSelector. Plain matchLabels, by far the most common
    and asked of thousands of pods, are compared as sets."""
    if selector is not None and not selector.get("matchExpressions") and selector.get("matchLabels"):
        wanted = selector["matchLabels"].items()

        def plain(obj: Object) -> bool:
            return bool(wanted <= labels(obj).items())

        return plain
    parsed: Selector = of_label_selector(selector)

    def general(obj: Object) -> bool:
        return not parsed.everything and parsed.matches(labels(obj))

    return general


def orphans(view: ReadView, resource: str, namespace: str, matches: Matches) -> list[Object]:
    """Objects that match, are not going, and that no controller holds."""
    found = []
    for obj in view.list(resource, namespace):
        meta = obj["metadata"]
        owners = meta.get("ownerReferences")
        # Nearly every object has one owner, which controls it: thousands are told by their first.
        if owners and (owners[0].get("controller") or controller_of(obj) is not None):
            continue
        if not meta.get("deletionTimestamp") and matches(obj):
            found.append(obj)
    return found


def adopted(obj: Object, owner: Object) -> Object:
    """`obj` with `owner` as its controller."""
    uid = owner["metadata"]["uid"]
    others = [r for r in obj["metadata"].get("ownerReferences") or () if r["uid"] != uid]
    return with_meta(obj, ownerReferences=[*others, controller_reference(owner)])


def released(obj: Object, owner: Object) -> Object:
    """`obj` without its reference to `owner`."""
    uid = owner["metadata"]["uid"]
    kept = [r for r in obj["metadata"].get("ownerReferences") or () if r["uid"] != uid]
    return with_meta(obj, ownerReferences=kept or None)


def label_selector_of(owner: Object) -> Object | None:
    """The LabelSelector that most kinds have in their spec."""
    selector: Object | None = owner["spec"].get("selector")
    return selector


def takes(
    resource: str, taker: str, selector: Callable[[Object], Object | None] = label_selector_of
) -> Interest:
    """An orphan of `resource` is work on the objects of `taker` in the same namespace whose selector matches it."""
    return watches(resource, _takers(taker, selector), holder=NOBODY)


def _takers(
    resource: str, selector: Callable[[Object], Object | None]
) -> Callable[[Object, ReadView], Iterable[str]]:

    def find(orphan: Object, view: ReadView) -> Iterable[str]:
        owners = orphan["metadata"].get("ownerReferences")
        if owners and (owners[0].get("controller") or controller_of(orphan) is not None):
            return ()
        namespace = orphan["metadata"]["namespace"]
        return [
            f"{namespace}/{owner['metadata']['name']}"
            for owner in view.list(resource, namespace)
            if not is_deleting(owner) and matcher(selector(owner))(orphan)
        ]

    return find
