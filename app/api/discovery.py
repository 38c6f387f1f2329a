"""Discovery: which groups, versions and kinds are served, in the classic documents and in the aggregated one.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, cast

import orjson

from app.api import negotiate
from app.api.answers import Answer
from app.registry.catalog import Catalog
from app.schemas.kinds import Kind

# Those of `proxy` are the methods that are passed on.
_PROXIED = ("create", "delete", "get", "patch", "update")
_PROXIES = {"Pod": "PodProxyOptions", "Service": "ServiceProxyOptions", "Node": "NodeProxyOptions"}
# What a subresource answers with, and which verbs it takes.
_SUBRESOURCES: dict[str, tuple[dict[str, str] | None, tuple[str, ...]]] = {
    "status": (None, ("get", "patch", "update")),
    "scale": ({"group": "autoscaling", "version": "v1", "kind": "Scale"}, ("get", "patch", "update")),
    "binding": ({"group": "", "version": "v1", "kind": "Binding"}, ("create",)),
    "eviction": ({"group": "policy", "version": "v1", "kind": "Eviction"}, ("create",)),
    "log": (None, ("get",)),
    "finalize": (None, ("update",)),
    "token": ({"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}, ("create",)),
    "approval": (None, ("get", "patch", "update")),
    "exec": ({"group": "", "version": "v1", "kind": "PodExecOptions"}, ("create", "get")),
    "attach": ({"group": "", "version": "v1", "kind": "PodAttachOptions"}, ("create", "get")),
    "portforward": ({"group": "", "version": "v1", "kind": "PodPortForwardOptions"}, ("create", "get")),
    "ephemeralcontainers": (None, ("get", "patch", "update")),
    "resize": (None, ("get", "patch", "update")),
}


def answer(parts: list[str], accept: str, catalog: Catalog, if_none_match: str = "") -> Answer | None:
    """The document at `/api`, `/apis`, `/api/v1`, `/apis/<group>` or `/apis/<group>/<version>`, or None if
    there is none. The aggregated one has an ETag."""
    catalog.catch_up()
    if parts in (["api"], ["apis"]):
        core = parts[0] == "api"
        body: bytes | None
        if negotiate.wants_aggregated_discovery(accept):
            body = _kept(catalog, ("aggregated", core), lambda: _aggregated(catalog, core))
            tag = hashlib.sha512(body).hexdigest().upper()
            headers = [("ETag", f'"{tag}"'), ("Vary", "Accept")]
            if tag in if_none_match:
                return Answer(304, b"", negotiate.AGGREGATED, headers)
            return Answer(200, body, negotiate.AGGREGATED, headers)
        body = _versions() if core else _kept(catalog, "groups", lambda: _groups(catalog))
        return Answer(200, body or b"", headers=[("Vary", "Accept")])
    negotiate.form(accept)
    if len(parts) == 2 and parts[0] == "apis":
        body = _group(catalog, parts[1])
    elif len(parts) == 2:
        body = _resources(catalog, "", parts[1])
    elif len(parts) == 3 and parts[0] == "apis":
        body = _resources(catalog, parts[1], parts[2])
    else:
        return None
    return Answer(200, body) if body is not None else None


def _below(kind: Kind, subresource: str) -> tuple[dict[str, str] | None, tuple[str, ...]]:
    """What a subresource answers with (None: the kind itself), and its verbs."""
    if subresource == "proxy":
        return {"group": "", "version": "v1", "kind": _PROXIES[kind.kind]}, _PROXIED
    return _SUBRESOURCES.get(subresource, (None, ("get",)))


def _kept(catalog: Catalog, key: object, make: Callable[[], bytes]) -> bytes:
    return cast(bytes, catalog.remembered(("discovery", key), make))


def _served(catalog: Catalog) -> dict[str, dict[str, list[Kind]]]:
    """group -> version -> kinds, in the order in which they are registered."""
    found: dict[str, dict[str, list[Kind]]] = {}
    for kind in catalog.all():
        found.setdefault(kind.group, {}).setdefault(kind.version, []).append(kind)
    return found


def _versions() -> bytes:
    return orjson.dumps(
        {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }
    )


def _group_document(group: str, versions: dict[str, list[Kind]]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def _groups(catalog: Catalog) -> bytes:
    groups = [_group_document(group, versions) for group, versions in _served(catalog).items() if group]
    return orjson.dumps({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})


def _group(catalog: Catalog, group: str) -> bytes | None:
    versions = _served(catalog).get(group) if group else None
    if versions is None:
        return None
    return orjson.dumps({"kind": "APIGroup", "apiVersion": "v1", **_group_document(group, versions)})


def _resources(catalog: Catalog, group: str, version: str) -> bytes | None:
    served = _served(catalog).get(group, {}).get(version)
    if served is None:
        return None
    listed: list[dict[str, Any]] = []
    for kind in served:
        entry: dict[str, Any] = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": sorted(kind.verbs),
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        listed.append(entry)
        for name in sorted(kind.subresources):
            shown, verbs = _below(kind, name)
            below: dict[str, Any] = {
                "name": f"{kind.plural}/{name}",
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": shown["kind"] if shown else kind.kind,
                "verbs": list(verbs),
            }
            if shown:
                below |= {"group": shown["group"], "version": shown["version"]}
            listed.append(
                {key: value for key, value in below.items() if value != "" or key == "singularName"}
            )
    group_version = f"{group}/{version}" if group else version
    return orjson.dumps(
        {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}
    )


def _aggregated(catalog: Catalog, core: bool) -> bytes:
    items = []
    for group, versions in _served(catalog).items():
        if (group == "") is not core:
            continue
        documents = [
            {"version": version, "resources": [_described(kind) for kind in served], "freshness": "Current"}
            for version, served in versions.items()
        ]
        metadata: dict[str, Any] = {"creationTimestamp": None}
        if group:
            metadata["name"] = group
        items.append({"metadata": metadata, "versions": documents})
    return orjson.dumps(
        {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {},
            "items": items,
        }
    )


def _described(kind: Kind) -> dict[str, Any]:
    """A kind as `APIResourceDiscovery`."""
    own = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    entry: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": own,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": sorted(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    below = []
    for name in sorted(kind.subresources):
        shown, verbs = _below(kind, name)
        below.append({"subresource": name, "responseKind": shown or own, "verbs": list(verbs)})
    if below:
        entry["subresources"] = below
    return entry
