"""An API application in this process, on a store of its own, and ways to talk to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.api.application import Application
from app.api.factory import create_app
from app.base.clock import SystemClock
from app.base.ids import RandomIds
from app.base.settings import Settings
from app.objects.change import Object
from app.registry.access import bootstrap as access_bootstrap
from app.registry.registry import Registry
from app.registry.request import Request
from app.store.agents import AgentState
from app.store.store import Store
from app.store.view import View

TOKENS = """admin-token,admin,1,"system:masters"
joe-token,joe,2,"devs"
agent-token,system:node-agent,3,"system:nodes"
n1-token,system:node:n1,4,"system:nodes"
"""


class Api:
    """The application, asked as the administrator unless another token is given."""

    def __init__(self, app: Application, store: Store, agents: AgentState, nudged: list[str]) -> None:
        self.app = app
        self.store = store
        self.agents = agents
        self.nudged = nudged

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "admin-token", **headers: str
    ) -> TestResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        return self.app.test_client().open(path, method=method, data=data, headers=given)

    def get(self, path: str, **headers: str) -> Any:
        response = self.ask("GET", path, **headers)
        assert response.status_code == 200, response.text
        return response.json

    def create(self, path: str, body: Any) -> Object:
        response = self.ask("POST", path, body)
        assert response.status_code == 201, response.text
        made: Object = response.json
        return made

    def config(self, name: str, **extra: Any) -> Object:
        """A new ConfigMap in `default`."""
        return self.create(CONFIGS, {"metadata": {"name": name, **extra}, "data": {"name": name}})

    def watch(self, path: str, **headers: str) -> Events:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return Events(
            self.app.test_client().get(
                path, headers={"Authorization": "Bearer admin-token", **given}, buffered=False
            )
        )


class Events:
    """The events of a watch, one at a time."""

    def __init__(self, response: TestResponse) -> None:
        assert response.status_code == 200, response.text
        self.response = response
        self._lines = self._read()

    def _read(self) -> Iterator[Any]:
        pending = b""
        for piece in self.response.response:
            pending += bytes(piece)
            *lines, pending = pending.split(b"\n")
            for line in lines:
                yield json.loads(line)
        assert pending == b""

    def next(self) -> Any:
        return next(self._lines)

    def seen(self) -> tuple[str, str]:
        """The next event's type and the name of its object."""
        event = self.next()
        return event["type"], event["object"]["metadata"].get("name", "")

    def rest(self) -> list[Any]:
        return list(self._lines)

    def close(self) -> None:
        self.response.close()


CONFIGS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.csv"
    path.write_text(TOKENS)
    return path


@pytest.fixture
def settings(tokens: Path) -> Settings:
    return Settings(token_file=str(tokens), max_body=100_000)


@pytest.fixture
def api(store: Store, settings: Settings) -> Iterator[Api]:
    clock, ids = SystemClock(), RandomIds()
    view = View(store, keep=False)
    view.catch_up()
    registry = Registry(store, view, clock, ids, settings)
    agents, nudged = AgentState(store), []

    def nudge(node: Object) -> None:
        nudged.append(node["metadata"]["name"])

    app = create_app(settings, registry, store, view, clock=clock, ids=ids, agents=agents, nudge=nudge)
    app.tail.start()
    made = Api(app, store, agents, nudged)
    made.create("/api/v1/namespaces", {"metadata": {"name": "default"}})
    access_bootstrap.ensure(registry, Request("system:apiserver", groups=("system:masters",)))
    yield made
    app.stop()


@pytest.fixture
def in_background() -> Iterator[Callable[[Callable[[], None]], threading.Thread]]:
    """Run something beside the test; it must end before the test does."""
    threads: list[threading.Thread] = []

    def start(work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
