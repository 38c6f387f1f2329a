"""MutatingAdmissionWebhook: webhooks that may change the object, one after the other.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
"""

from __future__ import annotations

from app.base.errors import ApiError
from app.objects import json_patch
from app.objects.change import Object, ReadView
from app.registry import versions
from app.registry.admission.attributes import Attributes, Surroundings
from app.registry.admission.webhooks import hooks, review
from app.registry.admission.webhooks.calls import ask, unusable
from app.registry.admission.webhooks.hooks import MUTATING, Hook
from app.registry.admission.webhooks.review import BadAnswer
from app.schemas import defaults
from app.schemas.decode import decode


def due(attributes: Attributes, around: Surroundings) -> list[Hook]:
    """The webhooks to be asked. Hold the view's lock."""
    return hooks.due(MUTATING, attributes, around)


def any_hooks(view: ReadView) -> bool:
    return hooks.any_of(MUTATING, view)


def call(attributes: Attributes, around: Surroundings, asked: list[Hook]) -> bool:
    """Ask them in order; those that want it once more if others changed the object after them. Whether the object
    was changed.

    Raises:
        ApiError: one refuses, or can't be reached, or makes of the object what can't be read.
    """
    # What each saw last; who has seen the object as it is now need not be asked again.
    seen: dict[int, Object | None] = {}
    first = attributes.obj
    for at, hook in enumerate(asked):
        _ask(hook, attributes, around)
        seen[at] = attributes.obj
    for at, hook in enumerate(asked):
        if hook.said.get("reinvocationPolicy") == "IfNeeded" and seen[at] != attributes.obj:
            _ask(hook, attributes, around)
    return attributes.obj is not first


def _ask(hook: Hook, attributes: Attributes, around: Surroundings) -> None:
    response = ask(hook, attributes, around)
    if response is None:
        return
    try:
        patch = review.patch_of(response)
    except BadAnswer as exc:
        if hook.fails_open:
            return
        raise unusable(hook, str(exc)) from exc
    if not patch or attributes.obj is None or attributes.body is not None:
        return
    shown = versions.shown_object(hook.kind, attributes.obj)
    try:
        patched = json_patch.apply(shown, patch)
        read, _ = decode(hook.kind, patched)
    except ApiError as exc:
        if hook.fails_open:
            return
        raise unusable(hook, f"the patch can't be applied: {exc.message}") from exc
    whole = {**read, "apiVersion": hook.kind.api_version, "kind": hook.kind.kind}
    made = versions.stored(hook.kind, defaults.apply(hook.kind, whole))
    if made != attributes.obj:
        attributes.obj = made
