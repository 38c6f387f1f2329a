"""ServiceAccount: who a pod's programs are, towards the API, and the token by which they show it.

https://kubernetes.io/docs/concepts/security/service-accounts/ and
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
"""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import MIRROR
from app.registry.admission.attributes import Attributes, Surroundings, forbidden

RESOURCE = "serviceaccounts"
DEFAULT = "default"
MOUNTED_AT = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME = "kube-api-access-"
ROOT_CA = "kube-root-ca.crt"
# An hour and some seconds more, by which kubelet knows that nobody asked for just this.
TOKEN_SECONDS = 3607


def mutate(attributes: Attributes, around: Surroundings) -> None:
    """Give a new pod its account, the account's pull secrets and, where tokens are issued, a volume with its token.

    Raises:
        Forbidden: there is no such account.
    """
    pod = attributes.obj
    if pod is None or attributes.operation != "CREATE" or attributes.subresource:
        return
    if MIRROR in ((pod.get("metadata") or {}).get("annotations") or {}):
        return
    spec = dict(pod.get("spec") or {})
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT
    account = _account(attributes, around, name)
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]
    if around.settings.account_key_file and _wants_token(spec, account):
        spec = with_token(spec, VOLUME + around.ids.suffix())
    attributes.obj = {**pod, "spec": spec}


def with_token(spec: Object, volume_name: str) -> Object:
    """The spec with the volume mounted into every container that has nothing at its place yet."""
    volumes = list(spec.get("volumes") or ())
    known = next((v["name"] for v in volumes if v.get("name", "").startswith(VOLUME)), "")
    name = known or volume_name
    mount = {"name": name, "readOnly": True, "mountPath": MOUNTED_AT}
    spec = dict(spec)
    needed = False
    for field in ("containers", "initContainers"):
        containers = []
        for container in spec.get(field) or ():
            mounts = container.get("volumeMounts") or []
            if not any(m.get("mountPath") == MOUNTED_AT for m in mounts):
                container = {**container, "volumeMounts": [*mounts, mount]}
                needed = True
            containers.append(container)
        if containers:
            spec[field] = containers
    if needed and not known:
        spec["volumes"] = [*volumes, {"name": name, "projected": _projection()}]
    return spec


def _projection() -> Object:
    """Token, certificate of the API's authority and namespace, as every in-cluster client looks for them."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": ROOT_CA, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
    }


def _account(attributes: Attributes, around: Surroundings, name: str) -> Object:
    key = f"{attributes.namespace}/{name}"
    found = around.lookup(RESOURCE, key)
    if found is None:
        raise forbidden(
            attributes,
            f'error looking up service account {key}: serviceaccount "{name}" not found',
        )
    return found


def _wants_token(spec: Object, account: Object) -> bool:
    for said in (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")):
        if said is not None:
            return bool(said)
    return True
