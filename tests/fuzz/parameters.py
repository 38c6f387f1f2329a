"""Query parameters and headers: every one that means something, with values that do and values that don't."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from hypothesis import strategies as st

_SELECTORS = (
    "app=web", "app==web", "app!=web", "app", "!app", "app in (web,a)", "app notin (web)", "app in ()", "app in (", "app in web",
    "app>1", "app<x", "app>=1", "a=b=c", "=", ",", ",,", "a=b,", "app=web,app!=web", "!", "!!a", "a/b/c=d", "A/=x", "é=é",
    "app=" + "a" * 64, "x" * 300, "a in (b,c),d notin (e),f,!g", "app in (web", "app\x00=web", "in in (in)", "notin", "()", "a ()",
)  # fmt: skip
_FIELDS = (
    "metadata.name=seed", "metadata.name!=seed", "metadata.namespace=default", "metadata.name==seed,metadata.name=a",
    "spec.nodeName=seed", "status.phase=Running", "status.phase!=Running", "type=Opaque", "involvedObject.kind=Pod", "spec.type=ClusterIP",
    "metadata.name", "=", "metadata.name>a", "spec.unknown=1", "metadata.labels.app=web", "metadata.name=\\", "metadata.name=a\\,b",
    "metadata.name=" + "a" * 300, ",", "status.successful=1", "spec.unschedulable=true", "reason=x", "spec.signerName=a", "é=1",
)  # fmt: skip
_NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "+1",
    "007",
    "1.5",
    "1e3",
    "",
    " 1",
    "1 ",
    "0x1",
    "9" * 18,
    "9" * 19,
    "9" * 30,
    "١",
    "NaN",
    "null",
    "--1",
    "+-1",
    "_1",
    "1_0",
)
_FLAGS = ("true", "false", "1", "0", "", "TRUE", "yes", "maybe")


def _token(*said: object) -> list[str]:
    return [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in said]


_TOKENS = (
    "", "a", "====", "é", "a" * 3000, "bnVsbA", "eyJ",
    *_token(
        {"v": "meta.k8s.io/v1", "rv": 1, "start": ""}, {"v": "meta.k8s.io/v1", "rv": -1, "start": "a"}, {"rv": 10**30, "start": "a"},
        {"v": "meta.k8s.io/v1", "rv": 100, "start": "default/a"}, {"rv": 10**12, "start": "a"}, {"rv": "1", "start": "a"}, {"rv": 1},
        {"rv": 1.5, "start": "a"}, {"rv": True, "start": "a"}, {"rv": 100, "start": 5}, [1], 7, None, {"rv": 100, "start": "\x00"},
        {"rv": 100, "start": "\ud800"}, {"v": "other", "rv": 100, "start": "a"},
    ),
)  # fmt: skip
_VALUES: dict[str, tuple[str, ...]] = {
    "labelSelector": _SELECTORS,
    "fieldSelector": _FIELDS,
    "limit": _NUMBERS,
    "continue": _TOKENS,
    "resourceVersion": (*_NUMBERS, "100", "104", "99999999"),
    "resourceVersionMatch": ("Exact", "NotOlderThan", "", "exact", "Newer"),
    "timeoutSeconds": _NUMBERS,
    "timeout": (
        "1s",
        "0",
        "1",
        "-1s",
        "1h30m",
        "5x",
        "",
        "1e9s",
        "99999999h",
        ".5s",
        "µs",
        "." * 50,
        "1" * 400 + "s",
    ),
    "sendInitialEvents": _FLAGS,
    "allowWatchBookmarks": _FLAGS,
    "watch": _FLAGS,
    "dryRun": ("All", "All", "All", "all", "", "None", "All,All"),
    "fieldManager": ("me", "kubectl", "", "a" * 128, "a" * 129, "\x00", "é", "a b", "unknown"),
    "fieldValidation": ("Strict", "Warn", "Ignore", "strict", "", "Never"),
    "force": _FLAGS,
    "propagationPolicy": ("Orphan", "Background", "Foreground", "orphan", "", "Never"),
    "orphanDependents": _FLAGS,
    "gracePeriodSeconds": _NUMBERS,
    "pretty": _FLAGS,
    "includeObject": ("None", "Metadata", "Object", "object", ""),
    "container": ("web", "x", "", "\x00"),
    "follow": _FLAGS,
    "tailLines": _NUMBERS,
    "sinceTime": ("2026-01-31T12:00:00Z", "yesterday", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-14:00"),
    "sinceSeconds": _NUMBERS,
    "limitBytes": _NUMBERS,
    "previous": _FLAGS,
    "hash": ("x", ""),
    "verbose": _FLAGS,
    "unknown": ("1",),
}
_PAIRS = tuple(
    f"{name}={quote(value, errors='replace')}" for name, values in _VALUES.items() for value in values
)
# As a careless client writes them.
_RAW = ("&&&", "%", "%zz=1", "=", "a", "limit", "limit=1&limit=x", "%00=%00", "a=%ff", "dryRun=All;limit=1", "+=+", "labelSelector=%C3%28",
        "&".join(f"p{i}=1" for i in range(250)), "watch=true&watch=false")  # fmt: skip
_pair = st.sampled_from((*_PAIRS, *_RAW))
_pairs = st.lists(_pair, max_size=4).map("&".join)
_READING = (
    "labelSelector",
    "fieldSelector",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "includeObject",
)
_reading = st.lists(st.sampled_from(tuple(p for p in _PAIRS if p.split("=")[0] in _READING)), max_size=4).map(
    "&".join
)
_WRITING = (
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "propagationPolicy",
    "gracePeriodSeconds",
    "orphanDependents",
)
_writing = st.lists(st.sampled_from(tuple(p for p in _PAIRS if p.split("=")[0] in _WRITING)), max_size=3).map(
    "&".join
)
_nothing = st.just("")
READING = _reading | _reading | _pairs | _nothing
WRITING = _nothing | _writing | _writing | _pairs
ANY = _pairs
# Half a watch's parameters are chosen, and the other half make it end soon.
WATCHING = st.tuples(
    st.sampled_from(("watch=true", "watch=1", "watch")),
    st.sampled_from(("timeoutSeconds=1",)),
    st.sampled_from(("", "resourceVersion=0", "resourceVersion=1", "resourceVersion=99999999", "resourceVersion=x",
                     "sendInitialEvents=true&resourceVersionMatch=NotOlderThan", "sendInitialEvents=true",
                     "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
                     "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1",
                     "resourceVersionMatch=Exact&resourceVersion=5")),
    _reading,
).map("&".join)  # fmt: skip
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
_ADMIN = ("Authorization", "Bearer admin-token")
_HEADERS: tuple[tuple[str, str], ...] = (
    ("Accept", TABLE), ("Accept", PARTIAL), ("Accept", f"{TABLE}, application/json"), ("Accept", "text/html"), ("Accept", "*/*;q=0"),
    ("Accept", "application/vnd.kubernetes.protobuf"), ("Accept", "application/json;as=Table;v=v9;g=meta.k8s.io"), ("Accept", ",;=,;;"),
    ("Accept", "application/json;q=nan"), ("Accept", "é"), ("Accept", "application/json;" * 100), ("Accept", ""),
    ("Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"), ("Accept", "application/*;q=inf"),
    ("Authorization", ""), ("Authorization", "Bearer"), ("Authorization", "Bearer "), ("Authorization", "Bearer \xe9"),
    ("Authorization", "Basic YTpi"), ("Authorization", "Bearer joe-token"), ("Authorization", "Bearer n1-token"),
    ("Authorization", "Bearer a.b.c"), ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."), ("Authorization", "Bearer abcdef.0123456789abcdef"),
    ("Authorization", "bearer admin-token"), ("Authorization", "Bearer admin-token admin-token"), ("Authorization", "Bearer " + "a" * 5000),
    ("Authorization", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6Wzd9.W10.YQ"), ("Authorization", "Bearer ..."),
    ("Impersonate-User", "joe"), ("Impersonate-User", ""), ("Impersonate-User", "\xe9"), ("Impersonate-User", "system:serviceaccount:a"),
    ("Impersonate-User", "system:serviceaccount:default:seed"), ("Impersonate-User", "system:anonymous"), ("Impersonate-User", "system:node:seed"),
    ("Impersonate-User", "system:serviceaccount::"), ("Impersonate-Group", "system:masters"), ("Impersonate-Group", ",,"),
    ("Impersonate-Uid", "7"), ("Impersonate-Extra-Scopes", "a,b"), ("Impersonate-Extra-%zz", "a"), ("Impersonate-Extra-", ""),
    ("If-None-Match", '"x"'), ("If-Match", "*"), ("If-Modified-Since", "yesterday"), ("If-None-Match", "é"), ("Range", "bytes=0-1"),
    ("Content-Type", "application/json"), ("Content-Type", ""), ("Content-Type", "application/yaml"), ("Content-Type", "text/plain"),
    ("Content-Length", "-1"), ("Content-Length", "x"), ("Content-Length", "999999999999"), ("Content-Length", ""), ("Content-Length", "5"),
    ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("Upgrade", "websocket"),
    ("Connection", "Upgrade"), ("Sec-WebSocket-Protocol", "v5.channel.k8s.io"), ("Host", "\xe9"), ("Host", "a:b:c"), ("Cookie", "a=b;;=;"),
    ("User-Agent", "kubectl/v1.37.0 (linux/amd64) kubernetes/abc"), ("User-Agent", ""), ("User-Agent", "\xe9" * 300), ("User-Agent", "/"),
    ("X-Forwarded-For", "a, b"), ("X-Remote-User", "admin"), ("X-HTTP-Method-Override", "DELETE"),
)  # fmt: skip
_header = st.sampled_from(_HEADERS)
_odd = st.lists(_header, min_size=1, max_size=3).map(
    lambda given: tuple({_ADMIN[0]: _ADMIN[1], **dict(given)}.items())
)
_plain = st.just((_ADMIN,))
# Most requests should get past the door.
HEADERS = st.one_of(*[_plain] * 9, _odd)
ODD_HEADERS = _odd
