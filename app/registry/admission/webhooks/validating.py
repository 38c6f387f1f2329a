"""ValidatingAdmissionWebhook: webhooks that may refuse, asked side by side."""

from __future__ import annotations

import threading

from app.base.errors import ApiError
from app.objects.change import ReadView
from app.registry.admission.attributes import Attributes, Surroundings
from app.registry.admission.webhooks import hooks
from app.registry.admission.webhooks.calls import ask
from app.registry.admission.webhooks.hooks import VALIDATING, Hook


def due(attributes: Attributes, around: Surroundings) -> list[Hook]:
    """The webhooks to be asked. Hold the view's lock."""
    return hooks.due(VALIDATING, attributes, around)


def any_hooks(view: ReadView) -> bool:
    return hooks.any_of(VALIDATING, view)


def call(attributes: Attributes, around: Surroundings, asked: list[Hook]) -> None:
    """Ask them all; raises what the first of those that refuse, by name, says."""
    refusals: list[Exception | None] = [None] * len(asked)

    def one(at: int, hook: Hook) -> None:
        try:
            ask(hook, attributes, around)
        except Exception as exc:
            refusals[at] = exc

    if len(asked) == 1:
        ask(asked[0], attributes, around)
        return
    threads = [
        threading.Thread(target=one, args=(at, hook), name=f"webhook-{hook.name}", daemon=True)
        for at, hook in enumerate(asked)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [exc for exc in refusals if exc is not None]
    # A webhook that denies says more than one that could not be reached.
    for exc in sorted(found, key=lambda e: isinstance(e, ApiError) and e.code == 500):
        raise exc
