"""AdmissionReview: what a webhook is told, and what it answers.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, cast

import orjson

from app.base.errors import ApiError
from app.client.statuses import error_of
from app.objects.change import Object
from app.registry import versions
from app.registry.admission.attributes import Attributes
from app.schemas.kinds import Kind

API_VERSION = "admission.k8s.io/v1"


class BadAnswer(Exception):
    """What a webhook answered can't be used; says why."""


def question(attributes: Attributes, kind: Kind, uid: str) -> bytes:
    """The request's AdmissionReview, with its objects in the version that `kind` is."""
    asked = described(attributes, kind, uid)
    asked["object"] = attributes.obj if attributes.body else _shown(kind, attributes.obj)
    asked["oldObject"] = _shown(kind, attributes.old)
    return orjson.dumps({"kind": "AdmissionReview", "apiVersion": API_VERSION, "request": asked})


def described(attributes: Attributes, kind: Kind, uid: str) -> Object:
    """The request without its objects: who does what to which resource."""
    own = attributes.kind
    asked: Object = {
        "uid": uid,
        "kind": _gvk(attributes.body or kind),
        "resource": _gvr(kind),
        "requestKind": _gvk(attributes.body or own),
        "requestResource": _gvr(own),
        "operation": attributes.operation,
        "userInfo": {
            k: v
            for k, v in (
                ("username", attributes.user),
                ("uid", attributes.uid),
                ("groups", list(attributes.groups)),
            )
            if v
        },
        "dryRun": attributes.dry_run,
        "options": attributes.options,
    }
    for field, value in (
        ("subResource", attributes.subresource),
        ("requestSubResource", attributes.subresource),
        ("name", attributes.name),
        ("namespace", attributes.namespace),
    ):
        if value:
            asked[field] = value
    return asked


def answer(body: bytes, uid: str) -> Object:
    """The `response` of an AdmissionReview. Raises BadAnswer."""
    try:
        review = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise BadAnswer(f"couldn't get version/kind; json parse error: {exc}") from exc
    if not isinstance(review, dict) or review.get("kind") != "AdmissionReview":
        found = review.get("kind") if isinstance(review, dict) else type(review).__name__
        raise BadAnswer(
            f"received invalid webhook response: expected webhook response of {API_VERSION}, Kind=AdmissionReview, "
            f"got {review.get('apiVersion', '') if isinstance(review, dict) else ''}, Kind={found}"
        )
    if review.get("apiVersion") != API_VERSION:
        raise BadAnswer(
            f"received invalid webhook response: expected webhook response of {API_VERSION}, Kind=AdmissionReview, "
            f"got {review.get('apiVersion')}, Kind=AdmissionReview"
        )
    response = review.get("response")
    if not isinstance(response, dict):
        raise BadAnswer("received invalid webhook response: webhook response was absent")
    if response.get("uid") != uid:
        raise BadAnswer(
            f'received invalid webhook response: expected response.uid="{uid}", got "{response.get("uid", "")}"'
        )
    return response


def patch_of(response: Object) -> list[Any] | None:
    """The JSON patch in a response, if there is one. Raises BadAnswer."""
    given, form = response.get("patch"), response.get("patchType")
    if not given:
        return None
    if form is None:
        raise BadAnswer(
            "received invalid webhook response: webhook returned response.patch but not response.patchType"
        )
    if form != "JSONPatch":
        raise BadAnswer(
            f'received invalid webhook response: webhook returned invalid response.patchType of "{form}"'
        )
    try:
        operations = orjson.loads(base64.b64decode(str(given), validate=True))
    except (binascii.Error, ValueError) as exc:
        raise BadAnswer(f"received invalid webhook response: response.patch can't be read: {exc}") from exc
    return cast("list[Any]", operations)


def denial(name: str, response: Object) -> ApiError:
    """The refusal that a response with `allowed: false` is (`webhookerrors.ToStatusErr`)."""
    status = response.get("status")
    status = dict(status) if isinstance(status, dict) else {}
    code = status.get("code")
    code = code if isinstance(code, int) and 400 <= code < 600 else 400
    denied = f'admission webhook "{name}" denied the request'
    if status.get("message"):
        message = f"{denied}: {status['message']}"
    elif status.get("reason"):
        message = f"{denied}: {status['reason']}"
    else:
        message = f"{denied} without explanation"
    whole = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
    for field in ("reason", "details"):
        if status.get(field):
            whole[field] = status[field]
    error = error_of(code, orjson.dumps(whole))
    # Of its own, a refusal has no reason; clients show it then without one.
    error.reason = str(status.get("reason") or "")
    return error


def _shown(kind: Kind, obj: Object | None) -> Object | None:
    if obj is None or not obj.get("kind"):
        return obj
    return versions.shown_object(kind, obj)


def _gvk(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _gvr(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "resource": kind.plural}
