"""Calling one webhook: conditions, the call, what its failure means."""

from __future__ import annotations

import logging
from typing import Protocol

from app.base.errors import ApiError, BadRequest, Cause
from app.client.webhooks import CallFailed, Endpoint
from app.objects.change import Object
from app.registry.admission import conditions
from app.registry.admission.attributes import Attributes, Surroundings, forbidden
from app.registry.admission.expressions import of_request
from app.registry.admission.webhooks import review
from app.registry.admission.webhooks.hooks import Hook
from app.registry.admission.webhooks.review import BadAnswer

log = logging.getLogger("beanpole.admission")

_HARMLESS = ("None", "NoneOnDryRun")
# Warnings of one webhook are cut to so many characters, as kube-apiserver cuts them.
LONGEST_WARNING = 256


class Caller(Protocol):
    """What carries a request to a webhook: `app.client.webhooks.WebhookClient`."""

    def post(self, endpoint: Endpoint, body: bytes, seconds: float) -> bytes: ...


def ask(hook: Hook, attributes: Attributes, around: Surroundings) -> Object | None:
    """The webhook's response; None if it is not asked, or could not be and may be left out.

    Raises:
        ApiError: it refuses, or it could not be asked and its failurePolicy is Fail.
    """
    try:
        wanted = hook.said.get("matchConditions")
        if wanted and not conditions.hold(wanted, of_request(attributes)):
            return None
    except conditions.Failed as exc:
        if hook.fails_open:
            return None
        raise forbidden(attributes, str(exc)) from exc
    if attributes.dry_run and hook.said.get("sideEffects") not in _HARMLESS:
        raise BadRequest(f'admission webhook "{hook.name}" does not support dry run')
    try:
        response = _called(hook, attributes, around)
    except BadAnswer as exc:
        if not hook.fails_open:
            raise _failed(hook, str(exc)) from exc
        log.warning("failed calling webhook %s, failing open: %s", hook.name, exc)
        return None
    for text in response.get("warnings") or ():
        attributes.warn(str(text)[:LONGEST_WARNING])
    for key, value in (response.get("auditAnnotations") or {}).items():
        attributes.annotations[f"{hook.name}/{key}"] = str(value)
    if not response.get("allowed"):
        raise review.denial(hook.name, response)
    return response


def _called(hook: Hook, attributes: Attributes, around: Surroundings) -> Object:
    """Raises BadAnswer, also for no answer."""
    assert around.webhooks is not None
    if not isinstance(hook.where, Endpoint):
        raise BadAnswer(f"failed to call webhook: {hook.where}")
    uid = around.ids.uid()
    try:
        body = around.webhooks.post(hook.where, review.question(attributes, hook.kind, uid), hook.seconds)
    except CallFailed as exc:
        raise BadAnswer(f"failed to call webhook: {exc}") from exc
    return review.answer(body, uid)


def _failed(hook: Hook, why: str) -> ApiError:
    text = f'failed calling webhook "{hook.name}": {why}'
    return ApiError(f"Internal error occurred: {text}", causes=[Cause("", "", text)])


def unusable(hook: Hook, why: str) -> ApiError:
    """The request can't go on with what the webhook answered."""
    return _failed(hook, why)
