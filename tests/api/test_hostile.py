"""Whatever is sent, the server neither breaks nor lets a refused request change anything."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CONFIGS = "/api/v1/namespaces/default/configmaps"
COLLECTIONS = [
    CONFIGS,
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
]
MEDIA = [
    "application/json",
    "application/yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "",
]
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"])
LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=60)
NAMES = st.sampled_from(["a", "metadata", "name", "spec", "data", "labels", "kind", "apiVersion", "status", "containers",
                         "selector", "template", "ports", "replicas", "op", "path", "value", "$patch", "items"])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20) | NAMES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=20,
)
BODIES = st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode())
CHECKED = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def judge(api, before, method, path, body, headers):
    """No answer may be a failure of the server, and only a success may have changed anything."""
    answer = api.ask(method, path, body, **headers)
    answer.close()
    shown = (method, path, body, headers, answer.status_code)
    assert answer.status_code < 500 or answer.status_code in (501, 504), shown
    if answer.status_code >= 400:
        assert api.store.revision() == before, shown
    return answer


@CHECKED
@given(METHODS, st.sampled_from(COLLECTIONS), st.sampled_from(["", "/a", "/a/status", "/a/scale", "/a/log"]), BODIES,
       st.sampled_from(MEDIA))  # fmt: skip
def test_bodies(api, method, collection, rest, body, media):
    judge(api, api.store.revision(), method, collection + rest, body, {"Content_Type": media})


@CHECKED
@given(st.sampled_from(COLLECTIONS), VALUES, VALUES)
def test_objects_that_are_nearly_right(api, collection, spec, meta):
    obj = {
        "metadata": {"name": "a", **(meta if isinstance(meta, dict) else {"labels": meta})},
        "spec": spec,
        "data": spec,
    }
    judge(api, api.store.revision(), "POST", collection, json.dumps(obj).encode(), {})


@CHECKED
@given(
    METHODS,
    LATIN,
    st.dictionaries(st.sampled_from(["Accept", "Content_Type", "If_None_Match", "Impersonate_User"]), LATIN),
)
def test_paths_and_headers(api, method, path, headers):
    # The test client takes what follows two slashes for a host.
    path = path.lstrip("/")
    for prefix in ("/", "/api/v1/", "/apis/", f"{CONFIGS}/"):
        judge(
            api, api.store.revision(), method, prefix + path.replace("?", "").replace("#", ""), b"{}", headers
        )


QUERIES = st.lists(
    st.tuples(
        st.sampled_from(["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch",
                         "pretty", "dryRun", "fieldValidation", "includeObject", "fieldManager", "timeoutSeconds"]),
        st.text(max_size=20) | st.integers(-5, 5).map(str) | st.sampled_from(["a=b", "a in (b", "Exact", "metadata.name=a"]),
    ),
    max_size=5,
)  # fmt: skip


@CHECKED
@given(st.sampled_from(COLLECTIONS), QUERIES)
def test_queries(api, collection, pairs):
    query = urlencode([(name, value.encode("utf-8", "replace")) for name, value in pairs])
    judge(api, api.store.revision(), "GET", f"{collection}?{query}", None, {})
