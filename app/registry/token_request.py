"""TokenRequest: a token for a ServiceAccount, bound to an object if asked for.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from app.base.clock import rfc3339
from app.base.errors import BadRequest, Conflict, Forbidden, NotFound, NotImplementedHere, not_found
from app.objects.change import Object
from app.registry import admission, incoming, read
from app.registry.request import Request
from app.schemas import kinds
from app.schemas.faults import Faults
from app.trust.requests import NODE_PREFIX, NODES
from app.trust.tokens import account_claims

if TYPE_CHECKING:
    from app.registry.registry import Registry

MASTERS = "system:masters"
SHORTEST = 600
LONGEST = 1 << 32
# Who asks for this many seconds for a pod, and for this API, means to renew the token but may forget: such a token is
# good for a year, and whoever shows it late is told so in the claim `warnafter`.
RENEWED = 3607
YEAR = 365 * 86400
_BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


def request_token(registry: Registry, request: Request, namespace: str, name: str, raw: Any) -> bytes:
    """The TokenRequest in `raw`, with the token.

    Raises:
        BadRequest, Invalid: it is not what it should be. NotFound: there is no such account, or no such object to
            bind the token to. Conflict: that object is another one.
    """
    trust = registry.trust
    if trust.signer is None:
        raise NotImplementedHere(
            "this API server has no key to sign tokens with; set BEANPOLE_ACCOUNT_KEY_FILE"
        )
    account = orjson.loads(read.stored(registry, kinds.by_resource("serviceaccounts"), namespace, name).body)
    asked = incoming.accept(request, kinds.TOKEN_REQUEST, namespace, raw)
    accounts = kinds.by_resource("serviceaccounts")
    admission.of_subresource(
        registry, request, accounts, namespace, name, "token", kinds.TOKEN_REQUEST, asked
    )
    given = asked["metadata"].get("name")
    if given and given != name:
        raise BadRequest(f"the name of the object ({given}) does not match the name on the URL ({name})")
    spec = {k: v for k, v in (asked.get("spec") or {}).items() if v not in (None, [])}
    spec.setdefault("audiences", list(trust.audiences))
    seconds = spec.setdefault("expirationSeconds", 3600)
    _check(spec, name)
    _check_node(registry, request, namespace, name, spec.get("boundObjectRef") or {})
    bound, spec["boundObjectRef"] = _bound(registry, namespace, name, spec.get("boundObjectRef"))
    if spec["boundObjectRef"] is None:
        del spec["boundObjectRef"]
    now = registry.clock.now()
    lasts, warn_after = seconds, 0
    if seconds == RENEWED and "pod" in bound and set(spec["audiences"]) <= set(trust.audiences):
        lasts, warn_after = YEAR, RENEWED
    token = trust.signer.sign(
        account_claims(
            namespace,
            {"name": name, "uid": account["metadata"]["uid"]},
            issuer=trust.issuer,
            audiences=spec["audiences"],
            now=now,
            seconds=lasts,
            token_id=registry.ids.uid(),
            bound=bound,
            warn_after=warn_after,
        )
    )
    return orjson.dumps(
        {
            "kind": "TokenRequest",
            "apiVersion": kinds.TOKEN_REQUEST.api_version,
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": rfc3339(now)},
            "spec": spec,
            "status": {"token": token, "expirationTimestamp": rfc3339(int(now) + seconds)},
        }
    )


def _check(spec: Object, name: str) -> None:
    faults = Faults()
    seconds = spec["expirationSeconds"]
    if seconds < SHORTEST:
        faults.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > LONGEST:
        faults.invalid(
            "spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"
        )
    faults.check(kinds.TOKEN_REQUEST, name)


def _check_node(registry: Registry, request: Request, namespace: str, account: str, ref: Object) -> None:
    """A node gets tokens for its own pods only (admission plugin NodeRestriction). Raises Forbidden."""
    if NODES not in request.groups or MASTERS in request.groups:
        return
    why = ""
    if ref.get("kind") != "Pod":
        why = "node requested token not bound to a pod"
    elif not ref.get("uid"):
        why = "node requested token with a pod binding without a uid"
    elif request.user.startswith(NODE_PREFIX):
        found = registry.store.get("pods", f"{namespace}/{ref.get('name') or ''}")
        node = request.user.removeprefix(NODE_PREFIX)
        if found is not None and (orjson.loads(found.body).get("spec") or {}).get("nodeName") != node:
            why = "node requested token bound to a pod scheduled on a different node"
    if why:
        raise Forbidden(
            f'serviceaccounts "{account}" is forbidden: {why}', resource="serviceaccounts", name=account
        )


def _bound(
    registry: Registry, namespace: str, account: str, ref: Object | None
) -> tuple[dict[str, Any], Object | None]:
    """The claims of the object that the token is bound to, and the reference with its uid."""
    if not ref:
        return {}, None
    resource = _BOUND.get(ref.get("kind") or "")
    if resource is None or ref.get("apiVersion") not in (None, "", "v1"):
        group, _, version = str(ref.get("apiVersion") or "").rpartition("/")
        raise BadRequest(
            f"cannot bind token to object of type {group}/{version}, Kind={ref.get('kind') or ''}"
        )
    name = ref.get("name") or ""
    kind = kinds.by_resource(resource)
    found = registry.store.get(resource, read.key(kind, namespace, name))
    if found is None:
        raise not_found("", resource, name)
    obj = orjson.loads(found.body)
    uid = obj["metadata"]["uid"]
    if ref.get("uid") and ref["uid"] != uid:
        raise Conflict(
            f'Operation cannot be fulfilled on {ref["kind"]} "{name}": the UID in the bound object reference '
            f"({ref['uid']}) does not match the UID in record. The object might have been deleted and then recreated",
            resource=ref["kind"],
            name=name,
        )
    claims: dict[str, Any] = {kind.singular: {"name": name, "uid": uid}}
    if resource == "pods":
        if (obj["spec"].get("serviceAccountName") or "default") != account:
            raise BadRequest(
                f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
            )
        claims.update(_node_of(registry, obj))
    return claims, {**ref, "uid": uid}


def _node_of(registry: Registry, pod: Object) -> dict[str, Any]:
    """The node that a pod runs on, for who wants to know; the token does not end with it."""
    name = pod["spec"].get("nodeName")
    if not name:
        return {}
    try:
        node = orjson.loads(read.stored(registry, kinds.by_resource("nodes"), "", name).body)
    except NotFound:
        return {"node": {"name": name}}
    return {"node": {"name": name, "uid": node["metadata"]["uid"]}}
