"""The paths of an OpenAPI document: which requests a resource takes, with which query parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.schemas.kind import Kind

Document = dict[str, Any]

PATCH_TYPES: tuple[str, ...] = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale", "io.k8s.api.autoscaling.v1.Scale"),
    "binding": ("", "v1", "Binding", "io.k8s.api.core.v1.Binding"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", "io.k8s.api.authentication.v1.TokenRequest"),
    "eviction": ("policy", "v1", "Eviction", "io.k8s.api.policy.v1.Eviction"),
}
_OK, _CREATED, _ACCEPTED = ("200", "OK"), ("201", "Created"), ("202", "Accepted")
# What the answer to an operation that went well may say.
_CODES = {
    "get": (_OK,),
    "list": (_OK,),
    "post": (_OK, _CREATED, _ACCEPTED),
    "put": (_OK, _CREATED),
    "patch": (_OK, _CREATED),
    "delete": (_OK, _ACCEPTED),
    "deletecollection": (_OK,),
}
_STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
_DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


def _query(name: str, type_: str, description: str) -> Document:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": type_, "uniqueItems": True},
    }


_PRETTY = _query("pretty", "string", "If true, the answer is indented.")
_DRY_RUN = _query("dryRun", "string", "All: check the request, and store nothing.")
_MANAGER = _query("fieldManager", "string", "Who makes the change.")
_VALIDATION = _query("fieldValidation", "string", "What to do about unknown fields: Ignore, Warn or Strict.")
_FORCE = _query("force", "boolean", "Take fields over from other managers, in an apply.")
_WRITE = (_DRY_RUN, _MANAGER, _VALIDATION)
_LIST = (
    _query("allowWatchBookmarks", "boolean", "Send bookmarks in a watch."),
    _query("continue", "string", "Continue a list where its last part ended."),
    _query("fieldSelector", "string", "Only objects with these values of fields."),
    _query("labelSelector", "string", "Only objects with these labels."),
    _query("limit", "integer", "How many objects to send at most."),
    _query("resourceVersion", "string", "As of when."),
    _query("resourceVersionMatch", "string", "How resourceVersion is meant."),
    _query("sendInitialEvents", "boolean", "Begin a watch with what there is."),
    _query("timeoutSeconds", "integer", "How long to watch."),
    _query("watch", "boolean", "Send changes as they happen."),
)
_DELETE = (
    _DRY_RUN,
    _query("gracePeriodSeconds", "integer", "Time to end gracefully."),
    _query("orphanDependents", "boolean", "Former name of propagationPolicy."),
    _query("propagationPolicy", "string", "Orphan, Background or Foreground."),
)
_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}
_NAMESPACE = {**_NAME, "name": "namespace"}


def paths(served: Iterable[Kind]) -> dict[str, Document]:
    """The paths at which these kinds are served."""
    found: dict[str, Document] = {}
    for kind in served:
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        place = (_NAMESPACE,) if kind.namespaced else ()
        within = f"{root}/namespaces/{{namespace}}" if kind.namespaced else root
        collection, one = f"{within}/{kind.plural}", f"{within}/{kind.plural}/{{name}}"
        if kind.verbs == ("create",):
            found[collection] = {"post": _write(kind, "post", _WRITE), "parameters": [*place, _PRETTY]}
            continue
        if kind.namespaced:
            found[f"{root}/{kind.plural}"] = {"get": _list(kind), "parameters": [_PRETTY]}
        found[collection] = {
            "get": _list(kind),
            "post": _write(kind, "post", _WRITE),
            "parameters": [*place, _PRETTY],
        }
        if "deletecollection" in kind.verbs:
            found[collection]["delete"] = _remove(kind, "deletecollection", (*_LIST, *_DELETE))
        found[one] = {
            **_read_and_change(kind),
            "delete": _remove(kind, "delete", _DELETE),
            "parameters": [_NAME, *place, _PRETTY],
        }
        for name in sorted(kind.subresources - CONNECTIONS):
            found[f"{one}/{name}"] = {**_subresource(kind, name), "parameters": [_NAME, *place, _PRETTY]}
    return dict(sorted(found.items()))


# Subresources that are connections: a document of requests and answers has no words for what travels on them.
CONNECTIONS = frozenset({"exec", "attach", "portforward", "proxy"})


def _subresource(kind: Kind, name: str) -> Document:
    if name == "log":
        return {"get": _operation(kind, "get", (), {"schema": {"type": "string"}}, media="text/plain")}
    if name in ("binding", "eviction", "token"):
        return {"post": _write(kind, "post", _WRITE, _SUBRESOURCE_KINDS[name])}
    if name == "finalize":
        return {"put": _write(kind, "put", _WRITE)}
    return _read_and_change(kind, _SUBRESOURCE_KINDS.get(name))


def patch_types(kind: Kind) -> tuple[str, ...]:
    """The forms of patches of a kind: there is no strategic merge patch of custom resources."""
    return PATCH_TYPES if kind.custom is None else tuple(t for t in PATCH_TYPES if "strategic" not in t)


def _own(kind: Kind) -> tuple[str, str, str, str]:
    return kind.group, kind.version, kind.kind, kind.openapi_name


def _read_and_change(kind: Kind, body: tuple[str, str, str, str] | None = None) -> Document:
    name = (body or _own(kind))[3]
    patch = _write(kind, "patch", (*_WRITE, _FORCE), body)
    patch["requestBody"] = {
        "required": True,
        "content": {t: {"schema": {"type": "object"}} for t in patch_types(kind)},
    }
    return {
        "get": _operation(kind, "get", (), _schema(name), body),
        "put": _write(kind, "put", _WRITE, body),
        "patch": patch,
    }


def _list(kind: Kind) -> Document:
    return _operation(kind, "list", _LIST, _schema(f"{kind.openapi_name}List"))


def _write(
    kind: Kind, action: str, query: Iterable[Document], body: tuple[str, str, str, str] | None = None
) -> Document:
    schema = _schema((body or _own(kind))[3])
    operation = _operation(kind, action, query, schema, body)
    operation["requestBody"] = {"required": True, "content": {"application/json": schema}}
    return operation


def _remove(kind: Kind, action: str, query: Iterable[Document]) -> Document:
    operation = _operation(kind, action, query, _schema(_STATUS))
    operation["requestBody"] = {"content": {"application/json": _schema(_DELETE_OPTIONS)}}
    return operation


def _schema(name: str) -> Document:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def _operation(
    kind: Kind,
    action: str,
    query: Iterable[Document],
    answer: Document,
    body: tuple[str, str, str, str] | None = None,
    media: str = "application/json",
) -> Document:
    group, version, name, _ = body or _own(kind)
    return {
        "tags": [f"{(kind.group or 'core').split('.')[0]}_{kind.version}"],
        "parameters": list(query),
        "responses": {
            **{code: {"description": said, "content": {media: answer}} for code, said in _CODES[action]},
            "401": {"description": "Unauthorized"},
        },
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": group, "kind": name, "version": version},
    }
