"""The application as it runs in production: everything real, from settings."""

from __future__ import annotations

import logging
import socket
from urllib.parse import urlsplit

from app.api.application import Application
from app.api.audit.setup import recorder_of
from app.api.factory import create_app
from app.base.clock import SystemClock
from app.base.errors import UserError
from app.base.ids import RandomIds
from app.base.settings import Settings
from app.objects.change import Object
from app.registry.bootstrap import bootstrap
from app.registry.registry import Registry
from app.store.agents import AgentState
from app.store.store import Store
from app.store.view import View

log = logging.getLogger("beanpole.api")


def build(settings: Settings) -> Application:
    """Connect to the state store and make the application; its tail is running.

    Raises:
        StoreUnavailable, UserError: Redis can't be used; says why.
    """
    store = Store.connect(
        settings.redis_url,
        settings.cluster,
        log_length=settings.log_length,
        replica_acks=settings.replica_acks,
    )
    view = View(store, history=settings.log_length, keep=False)
    view.catch_up()
    clock, ids = SystemClock(), RandomIds()
    registry = Registry(store, view, clock, ids, settings)
    bootstrap(registry, *_own_address(settings))
    agents = AgentState(store)
    app = create_app(
        settings, registry, store, view, clock=clock, ids=ids, agents=agents, nudge=_Nudge(settings, agents)
    )
    app.gate.recorder = recorder_of(settings, clock)
    app.tail.start()
    return app


def _own_address(settings: Settings) -> tuple[str, int]:
    """Where pods reach this API, for the endpoints of the Service `kubernetes`.

    Raises:
        UserError: its name can't be resolved.
    """
    parts = urlsplit(settings.server)
    host = parts.hostname or "127.0.0.1"
    try:
        return socket.gethostbyname(host), parts.port or 443
    except OSError as exc:
        raise UserError(
            f"the server's name {host!r} has no IPv4 address: {exc}; set BEANPOLE_SERVER"
        ) from exc


class _Nudge:
    """Tells a node's agent that something waits for it. Celery is loaded when the first is told."""

    def __init__(self, settings: Settings, agents: AgentState) -> None:
        self._settings = settings
        self._agents = agents
        self._nudger: object = None

    def __call__(self, node: Object) -> None:
        from app.bus.celery_app import make_app
        from app.bus.nudges import NO_QUEUE, Nudger, queue_of
        from app.bus.publishing import CeleryPublisher

        if queue_of(node) == NO_QUEUE:
            return
        if not isinstance(self._nudger, Nudger):
            self._nudger = Nudger(self._agents, CeleryPublisher(make_app(self._settings)))
        self._nudger.tell({node["metadata"]["name"]: queue_of(node)})
