"""The world that fuzzed requests meet: the real application in this process, on a real store, with one object of
every kind in it. After each round it is put back as it was, so that a round that fails fails again."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from app.api import streams, watch
from app.api.application import Application
from app.api.factory import create_app
from app.api.sessions import sessions
from app.api.sessions.upgrade import Upgrade
from app.base.clock import SystemClock
from app.base.ids import RandomIds
from app.base.settings import Settings
from app.objects.change import Object, Verb, Write
from app.registry.access import bootstrap as access_bootstrap
from app.registry.registry import Registry
from app.registry.request import Request
from app.schemas import kinds
from app.schemas.custom.naming import accepted
from app.schemas.kind import Kind
from app.store.agents import AgentState
from app.store.store import Store
from app.store.view import View
from app.trust.keys import make_key
from tests.fuzz import examples

_worlds = itertools.count(1)
TOKENS = """admin-token,admin,1,"system:masters"
joe-token,joe,2,"devs"
n1-token,system:node:seed,4,"system:nodes"
"""
# Bodies larger than this are refused; a fuzzed one may well be. Bytes.
MAX_BODY = 100_000


@dataclass(frozen=True)
class Sent:
    """One request, as it comes off the connection. `path` is percent-encoded."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def environ(self) -> dict[str, Any]:
        """What gunicorn makes of it."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "RAW_URI": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "6443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": BytesIO(self.body),
        }
        if self.body:
            environ["CONTENT_LENGTH"] = str(len(self.body))
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return environ


@dataclass
class Answered:
    """What came back. `stream` is what a watch still has to say."""

    code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Any = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class World:
    """Args: store: an empty cluster of its own. Counts the requests that it `asked`."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.asked = 0
        path = folder / "tokens.csv"
        path.write_text(TOKENS)
        key = folder / "account.key"
        make_key(key)
        settings = Settings(token_file=str(path), account_key_file=str(key), max_body=MAX_BODY)
        clock, ids = SystemClock(), RandomIds()
        view = View(store, keep=False)
        view.catch_up()
        self.registry = Registry(store, view, clock, ids, settings)
        agents = AgentState(store)
        self.app: Application = create_app(
            settings,
            self.registry,
            store,
            view,
            clock=clock,
            ids=ids,
            agents=agents,
            nudge=lambda _node: None,
        )
        self.app.tail.start()
        self._fill()
        self._before = self._everything()
        self._since = self.position()

    # -- asking ------------------------------------------------------------------------------------

    def ask(self, sent: Sent) -> Answered:
        """The answer. Of a watch only the head; whoever asked reads the rest, and closes it."""
        self.asked += 1
        answered = Answered()

        def start(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> None:
            answered.code, answered.headers = int(status.split()[0]), dict(headers)

        pieces = self.app(sent.environ(), start)
        if isinstance(pieces, Upgrade):
            pieces.close()
            answered.code = 101
            return answered
        if (
            answered.code == 200
            and "Content-Length" not in answered.headers
            and sent.method == "GET"
            and "json" in answered.headers["Content-Type"]
        ):
            answered.stream = pieces
            return answered
        answered.body = b"".join(pieces)
        if hasattr(pieces, "close"):
            pieces.close()
        return answered

    def position(self) -> int:
        """The cluster's revision. Raises AssertionError if the log says another."""
        revision, last = self.store.wire.together(
            ("GET", self.store.keys.revision), ("XREVRANGE", self.store.keys.log, "+", "-", "COUNT", 1)
        )
        assert last[0][0] == revision + b"-0", (revision, last)
        return int(revision)

    # -- as it was ---------------------------------------------------------------------------------

    def restore(self) -> None:
        """Put back whatever was changed since the beginning, by commits like any other."""
        wire, keys = self.store.wire, self.store.keys
        entries = wire.call("XRANGE", keys.log, f"({self._since}-0", "+")
        touched = {(_field(e, b"r"), _field(e, b"k")) for e in entries}
        assert len(entries) == self.position() - self._since, "the log has gaps"
        if touched:
            self._put_back(sorted(touched))
        self._since = self.position()

    def _put_back(self, touched: list[tuple[str, str]]) -> None:
        writes = []
        for (resource, key), now in zip(touched, self.store.get_many(touched), strict=True):
            was = self._before[0].get((resource, key))
            if was is None and now is not None:
                writes.append(Write(Verb.DELETE, resource, key, json.loads(now.body)))
            elif was is not None:
                verb = Verb.CREATE if now is None else Verb.UPDATE
                writes.append(Write(verb, resource, key, was))
        self.registry.commit(_ADMIN, writes)
        claims = self.store.keys.claims
        self.store.wire.call("DEL", claims)
        if self._before[1]:
            self.store.wire.call("HSET", claims, *(part for pair in self._before[1].items() for part in pair))

    def check_nothing_else_changed(self) -> None:
        """Whatever the log does not tell of is as it was. To be asked after `restore`."""
        now = self._everything()
        assert {k: _unversioned(v) for k, v in now[0].items()} == {
            k: _unversioned(v) for k, v in self._before[0].items()
        }
        assert now[1] == self._before[1]

    def _everything(self) -> tuple[dict[tuple[str, str], Object], dict[str, str]]:
        found = {}
        for resource in self.store.wire.call("SMEMBERS", self.store.keys.resources):
            name = resource.decode()
            flat = self.store.wire.call("HGETALL", self.store.keys.objects(name))
            for key, value in zip(flat[::2], flat[1::2], strict=True):
                found[name, key.decode()] = json.loads(value.partition(b"\n")[2])
        return found, self.store.claims()

    def _fill(self) -> None:
        for name in ("default", "kube-system"):
            self._make("/api/v1/namespaces", {"metadata": {"name": name}})
        access_bootstrap.ensure(self.registry, _ADMIN)
        for kind in examples.storable():
            self._make(collection(kind), examples.example(kind))
        self._make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", examples.DEFINITION)
        self._establish()
        self.registry.catalog.catch_up()
        self._make("/apis/example.com/v1/namespaces/default/crontabs", examples.CRONTAB)
        running = examples.example(kinds.by_resource("pods"), "running")
        running["spec"]["nodeName"] = examples.SEED
        self._make("/api/v1/namespaces/default/pods", running)
        status = json.dumps({"status": _RUNNING}).encode()
        path = "/api/v1/namespaces/default/pods/running/status"
        assert (
            self.ask(as_admin("PATCH", path, body=status, Content_Type="application/merge-patch+json")).code
            == 200
        )
        for name in ("a", "b"):
            self._make(
                "/api/v1/namespaces/default/configmaps", {"metadata": {"name": name}, "data": {"x": name}}
            )

    def _make(self, path: str, obj: Object) -> None:
        answered = self.ask(as_admin("POST", path, body=json.dumps(obj).encode()))
        assert answered.code == 201, (path, answered.body)

    def _establish(self) -> None:
        """Serve the seeded definitions, as their controller would."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        for definition in self.ask(as_admin("GET", path)).json["items"]:
            body = json.dumps(accepted(definition, [], 1_800_000_000.0)).encode()
            answered = self.ask(as_admin("PUT", f"{path}/{definition['metadata']['name']}/status", body=body))
            assert answered.code == 200, answered.body

    def close(self) -> None:
        self.app.stop()


_RUNNING = {
    "phase": "Running",
    "podIP": "10.244.0.7",
    "containerStatuses": [
        {
            "name": "web",
            "ready": True,
            "restartCount": 0,
            "image": "nginx:1",
            "imageID": "",
            "state": {"running": {}},
        }
    ],
}
_ADMIN = Request("system:apiserver", groups=("system:masters",))


def as_admin(method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Sent:
    """A request that is let through. Headers as `Content_Type="..."`."""
    given = [("Authorization", "Bearer admin-token")]
    given += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Sent(method, path, query, tuple(given), body)


def collection(kind: Kind, namespace: str = examples.DEFAULT) -> str:
    """The path of a kind's objects."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"


@contextmanager
def world_at(redis_url: str) -> Iterator[World]:
    """A world of its own on this Valkey, whose waits for what will not come are short."""
    waits = (streams.BEGIN, streams.WAIT, sessions.BEGIN, sessions.WAIT, watch.FUTURE)
    streams.BEGIN = streams.WAIT = sessions.BEGIN = sessions.WAIT = watch.FUTURE = 0.05
    store = Store.connect(redis_url, f"fuzz{next(_worlds)}")
    with tempfile.TemporaryDirectory(prefix="bp-fuzz-") as folder:
        world = World(store, Path(folder))
        try:
            yield world
        finally:
            world.close()
            store.close()
            streams.BEGIN, streams.WAIT, sessions.BEGIN, sessions.WAIT, watch.FUTURE = waits


def _field(entry: Any, name: bytes) -> str:
    flat = entry[1]
    return bytes(flat[flat.index(name) + 1]).decode()


def _unversioned(obj: Object) -> Object:
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}}
