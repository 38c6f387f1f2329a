"""Whole requests: what is asked of what, with which parameters, headers and body."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import strategies as st

from tests.fuzz import bodies, examples, parameters, patches, targets
from tests.fuzz.bodies import JSON
from tests.fuzz.parameters import HEADERS, ODD_HEADERS, READING, WATCHING, WRITING
from tests.fuzz.places import put
from tests.fuzz.values import VALUES
from tests.fuzz.world import Sent

METHODS = st.sampled_from(
    ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "")
)
_verbs = st.sampled_from(
    ("create", "create", "replace", "replace", "status", "delete", "sweep", "below", "elsewhere", "exchange")
)
_reads = st.sampled_from(("get", "list", "list", "list", "below", "page", "elsewhere", "watch", "pod"))
_one_in_ten = st.integers(0, 9)
_names = st.sampled_from(("made", "made", "made", "a", "seed", "made.example.com", ""))
_exchange_places = st.sampled_from(
    (
        (), ("network",), ("network", "since"), ("nodes",), ("nodes", "seed"), ("nodes", "x"), ("nodes", "seed", "since"), ("nodes", "seed", "node"),
        ("nodes", "seed", "node", "status"), ("nodes", "seed", "node", "metadata", "labels"), ("nodes", "seed", "statuses"),
        ("nodes", "seed", "statuses", 0, "status"), ("nodes", "seed", "statuses", 0, "name"), ("nodes", "seed", "removed"),
        ("nodes", "seed", "removed", 0, "uid"), ("nodes", "seed", "events"), ("nodes", "seed", "events", 0, "regarding"),
        ("nodes", "seed", "events", 0, "reason"), ("nodes", "seed", "rules"), ("nodes", "seed", "mount"), ("nodes", "seed", "mount", 0),
        ("nodes", "seed", "epoch"), ("nodes", "seed", "statuses", 0, "status", "containerStatuses"),
        ("nodes", "seed", "statuses", 0, "status", "conditions"), ("nodes", "seed", "statuses", 0, "uid"),
    )
)  # fmt: skip
_EXCHANGE = {
    "network": {"since": 0, "epoch": 0},
    "nodes": {
        "seed": {
            "since": 0,
            "epoch": 0,
            "node": {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "seed"}, "status": {}},
            "statuses": [
                {"namespace": "default", "name": "running", "uid": "u", "status": {"phase": "Running"}}
            ],
            "removed": [{"namespace": "default", "name": "gone", "uid": "u"}],
            "events": [
                {
                    "regarding": {"kind": "Pod", "namespace": "default", "name": "running", "uid": "u"},
                    "type": "Normal",
                    "reason": "Pulled",
                    "message": "it was there",
                }
            ],
            "rules": 1,
            "mount": [["configmaps", "default/seed"]],
        }
    },
}


def _headers(draw: st.DrawFn, media: str = "") -> tuple[tuple[str, str], ...]:
    given = draw(HEADERS)
    return (
        (("Content-Type", media), *given)
        if media and not any(n == "Content-Type" for n, _ in given)
        else given
    )


@st.composite
def writes(draw: st.DrawFn) -> Sent:
    """Creates, replacements and deletions of objects, of one in many forms."""
    verb = draw(_verbs)
    if verb == "exchange":
        return _exchange(draw)
    if verb in ("delete", "sweep"):
        return _deletion(draw, verb)
    if verb == "create":
        target = draw(targets.ANY_COLLECTION)
        kind = target.kind
        obj = examples.example(kind, draw(_names))
    elif verb == "elsewhere":
        target = draw(targets.ANY_ELSEWHERE)
        kind = target.kind
        obj = examples.example(kind, target.name or draw(_names))
    else:
        target = draw(targets.ANY_SUBRESOURCE if verb in ("status", "below") else targets.ANY_OBJECT)
        kind = target.kind
        obj = bodies.object_for(kind, target.subresource, target.name)
    method = "PUT" if target.name else "POST"
    if target.subresource in ("binding", "eviction", "token"):
        method = "POST"
    data, media = bodies.encoded(draw, kind, bodies.edited(draw, kind, obj))
    return Sent(method, target.path, draw(WRITING), _headers(draw, media), data)


def _deletion(draw: st.DrawFn, verb: str) -> Sent:
    target = draw(targets.ANY_COLLECTION if verb == "sweep" else targets.ANY_OBJECT)
    data, media = b"", JSON
    if draw(_one_in_ten) < 4:
        options = examples.DELETE_OPTIONS
        if draw(_one_in_ten) < 7:
            place = draw(_option_places)
            options = put(options, place, draw(VALUES))
        data, media = bodies.encoded(draw, target.kind, options)
    query = draw(READING if verb == "sweep" and draw(_one_in_ten) < 6 else WRITING)
    return Sent("DELETE", target.path, query, _headers(draw, media), data)


_option_places = st.sampled_from(
    (("gracePeriodSeconds",), ("propagationPolicy",), ("orphanDependents",), ("preconditions",), ("preconditions", "uid"), ("kind",),
     ("preconditions", "resourceVersion"), ("dryRun",), ("dryRun", 0), ("apiVersion",), ("ignoreStoreReadErrorWithClusterBreakingPotential",))
)  # fmt: skip


def _exchange(draw: st.DrawFn) -> Sent:
    """What a node's agent says."""
    said = _EXCHANGE
    for _ in range(draw(_one_in_ten) % 3):
        said = put(said, draw(_exchange_places), draw(VALUES))
    data = json.dumps(said).encode()
    if draw(_one_in_ten) == 0:
        data = bodies.spoiled(draw, "cut", data)
    return Sent("POST", "/apis/agent.beanpole.dev/v1/exchange", "", _headers(draw, JSON), data)


@st.composite
def patching(draw: st.DrawFn) -> Sent:
    """Patches and applies, of objects that are there and of such as aren't."""
    among = draw(_one_in_ten)
    target = draw(
        targets.ANY_SUBRESOURCE if among < 2 else targets.ANY_ELSEWHERE if among == 2 else targets.ANY_OBJECT
    )
    data, media = patches.patch_of(draw, target.kind, target.subresource, target.name)
    query = draw(WRITING)
    if "apply" in media and draw(_one_in_ten) < 8:
        query = f"fieldManager=me&force={'true' if among % 2 else 'false'}&{query}"
    return Sent("PATCH", target.path, query, _headers(draw, media), data)


@st.composite
def reading(draw: st.DrawFn) -> Sent:
    """Gets, lists and watches."""
    what = draw(_reads)
    if what == "page":
        return Sent("GET", draw(targets.PATHS), _short(draw(parameters.ANY)), _headers(draw))
    among = {
        "get": targets.ANY_OBJECT,
        "below": targets.ANY_SUBRESOURCE,
        "elsewhere": targets.ANY_ELSEWHERE,
        "pod": targets.ANY_INTO_POD,
    }
    target = draw(among.get(what, targets.ANY_COLLECTION))
    query = draw(WATCHING if what == "watch" else READING)
    headers = _headers(draw)
    if target.subresource in ("exec", "attach", "portforward", "proxy") and draw(_one_in_ten) < 5:
        query, headers = draw(_sessions), (*headers, *_UPGRADE, ("Sec-WebSocket-Protocol", draw(_protocols)))
    return Sent("GET", target.path, _short(query), headers)


_UPGRADE = (
    ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
)  # fmt: skip
_protocols = st.sampled_from(
    ("v5.channel.k8s.io", "v4.channel.k8s.io", "SPDY/3.1+portforward.k8s.io", "", ",", "x", "\xe9")
)
_sessions = st.lists(
    st.sampled_from(
        ("command=sh", "command=%00", "command=", "stdin=true", "stdout=1", "stderr=x", "tty=true", "container=web", "container=x",
         "ports=80", "ports=0", "ports=x", "ports=80,81,99999", "ports=" + "1," * 200, "port=80", "tty=maybe")
    ),
    max_size=5,
).map("&".join)  # fmt: skip


@st.composite
def strange(draw: st.DrawFn) -> Sent:
    """Any method on any path, with headers that contradict each other."""
    method = draw(METHODS)
    among = draw(_one_in_ten)
    if among < 6:
        path = draw(targets.PATHS)
    elif among == 6:
        path = "/" + quote(draw(_garbage), safe="/")
    elif among == 7:
        path = f"{draw(targets.ANY_COLLECTION).path}/{quote(draw(_garbage), safe='')}"
    else:
        path = draw(targets.ANY_OBJECT if among == 8 else targets.ANY_SUBRESOURCE).path
    body = draw(_bodies)
    return Sent(method, path, _short(draw(parameters.ANY)), draw(ODD_HEADERS), body)


def _short(query: str) -> str:
    """The query, with an early end if it is that of a watch: the first of several values counts."""
    return f"timeoutSeconds=1&{query}" if "watch" in query else query


_garbage = st.binary(max_size=12)
_bodies = (
    st.sampled_from(
        (b"", b"{}", b"null", b"[]", b"\xff", b"k8s\x00", b"{", b'{"kind":"Pod"}', b"a: b", b"\x00" * 100)
    )
    | _garbage
)
KINDS_OF_REQUESTS = {"writes": writes(), "patches": patching(), "reads": reading(), "strange": strange()}
