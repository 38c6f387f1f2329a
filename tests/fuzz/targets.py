"""What requests are about: every kind and subresource in discovery, and paths that name nothing at all."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from app.schemas import kinds
from app.schemas.custom.kinds import kinds_of
from app.schemas.custom.naming import accepted
from app.schemas.kind import Kind
from tests.fuzz import examples
from tests.fuzz.world import collection


class Target(NamedTuple):
    """A path, and what is behind it. `name` is empty for collections."""

    kind: Kind
    path: str
    name: str = ""
    subresource: str = ""


def _custom() -> tuple[Kind, ...]:
    definition = {
        **examples.DEFINITION,
        "metadata": {**examples.DEFINITION["metadata"], "uid": "u", "generation": 1},
    }
    return kinds_of(accepted(definition, [], 1_800_000_000.0), None)  # type: ignore[arg-type]


EVERY: tuple[Kind, ...] = (*kinds.ALL, *_custom())
COLLECTIONS = [Target(kind, collection(kind)) for kind in EVERY]
OBJECTS = [
    Target(kind, f"{collection(kind)}/{name}", name)
    for kind in EVERY
    for name in (examples.name_of(kind), "made")
    if kind.verbs != ("create",)
]
_PODS = kinds.by_resource("pods")
_RUNNING = Target(_PODS, f"{collection(_PODS)}/running", "running")
SUBRESOURCES = [
    target._replace(path=f"{target.path}/{name}", subresource=name)
    for target in (*OBJECTS, _RUNNING)
    for name in sorted(target.kind.subresources)
    if target.name != "made"
]
ELSEWHERE = [
    target._replace(path=target.path.replace("/default/", f"/{namespace}/"))
    for target in (*COLLECTIONS, *OBJECTS)
    if target.kind.namespaced
    for namespace in ("kube-system", "nowhere", "A%00")
] + [
    target._replace(path=target.path.replace("/namespaces/default", ""))
    for target in COLLECTIONS
    if target.kind.namespaced
]
_TAKE_PATCHES = ("status", "scale", "approval", "ephemeralcontainers", "resize")
ANY_PATCHED = st.sampled_from([target for target in SUBRESOURCES if target.subresource in _TAKE_PATCHES])
ANY_STORED = st.sampled_from([target for target in OBJECTS if "patch" in target.kind.verbs])
ANY_OBJECT = st.sampled_from(OBJECTS)
# Those of pods are many, and only of one that runs do they get anywhere.
INTO_PODS = ("exec", "attach", "portforward", "proxy", "log")
ANY_INTO_POD = st.sampled_from(
    [t for t in SUBRESOURCES if t.subresource in INTO_PODS and t.name in ("running", "seed")]
)
ANY_COLLECTION = st.sampled_from(COLLECTIONS)
ANY_SUBRESOURCE = st.sampled_from(SUBRESOURCES)
ANY_ELSEWHERE = st.sampled_from(ELSEWHERE)
PAGES = (
    "/", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/apis/apps/v9", "/apis/nobody", "/version", "/healthz", "/livez",
    "/readyz", "/readyz/etcd", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1", "/openapi/v3/x",
    "/.well-known/openid-configuration", "/openid/v1/jwks", "/apis/agent.beanpole.dev/v1/exchange", "/apis/agent.beanpole.dev/v1",
    "/apis/agent.beanpole.dev/v1/nodes/seed/streams/abc", "/apis/agent.beanpole.dev/v1/nodes/%00/streams/%2f", "/logs", "/ui",
    "//", "/api//v1//pods", "//api/v1/pods/", "/api/v1/namespaces/default/pods/", "/api/v1/namespaces//pods", "/api/v1/namespaces/",
    "/api/v1/namespaces/default/nodes", "/api/v1/nodes/seed/x/y/z", "/api/v1/pods/seed", "/apis//v1/pods", "/api/v1/watch/pods",
    "/api/v1/namespaces/default/pods/%2e%2e/x", "/api/v1/namespaces/default/pods/..", "/api/v1/namespaces/../namespaces/default",
    "/api/v1/namespaces/default/pods/a%2Fb", "/api/v1/namespaces/default/configmaps/%ff%fe", "/api/v1/namespaces/%C3%28/pods",
    "/api/v1/namespaces/default/pods/%00", "/api/v1/namespaces/default/pods/seed%20", "/api/v1/namespaces/default/pods/" + "a" * 3000,
    "/api/v1/namespaces/default/pods/seed/log/x", "/api/v1/namespaces/default/pods/seed/unknown", "/apis/apps/v1/pods", "/API/v1/pods",
    "/api/v1/namespaces/default/configmaps/%ED%A0%80", "/apis/%ff/v1/x", "/api/v1/%F0%9F%98%80", "/a%0d%0ab", "/api/v1/pods?x", "/api;a=b",
    "/api/v1/namespaces/default/services/seed/proxy", "/api/v1/namespaces/default/pods/running/proxy/x//y",
    "/api/v1/namespaces/default/pods/running/exec", "/api/v1/namespaces/default/pods/running/attach",
    "/api/v1/namespaces/default/pods/running/portforward", "/api/v1/nodes/seed/proxy/metrics", "/apis/example.com/v3/crontabs",
)  # fmt: skip
PATHS = st.sampled_from(PAGES)
