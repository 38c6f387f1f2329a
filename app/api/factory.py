"""Putting the application together, from parts that a test may choose."""

from __future__ import annotations

from functools import partial

from app.api import identity_reviews, pages
from app.api.access_metrics import AccessMetrics
from app.api.application import Application
from app.api.authn import Authenticator
from app.api.fairness import Fairness
from app.api.gate import Gate
from app.api.logs import Logs, Nudge
from app.api.metrics import Metrics
from app.api.resources import Resources
from app.api.sessions.connections import Connections
from app.api.sessions.session_metrics import SessionMetrics
from app.api.sessions.sessions import Sessions
from app.api.sharing import Sharing
from app.api.tail import Tail
from app.api.work_metrics import WorkMetrics
from app.base.clock import Clock
from app.base.ids import Ids
from app.base.settings import Settings
from app.registry import binding
from app.registry.access import reviews as access_reviews
from app.registry.registry import Registry
from app.store.agents import AgentState
from app.store.store import Store
from app.store.view import View


def create_app(
    settings: Settings,
    registry: Registry,
    store: Store,
    view: View,
    *,
    clock: Clock,
    ids: Ids,
    agents: AgentState,
    nudge: Nudge,
) -> Application:
    """The API over these parts. Watches are served once `app.tail.start()` was called.

    Args:
        nudge: called with a Node when something waits for its agent.
    """
    app = Application("beanpole", static_folder=None)
    app.catalog = registry.catalog
    metrics = Metrics()
    metrics.registry.register(WorkMetrics(store, ids))
    authenticator = Authenticator(settings.token_file, registry.trust, store, view, clock)
    app.gate = Gate(authenticator, registry.access, metrics, clock, ids)
    metrics.registry.register(AccessMetrics(app.gate))
    app.sharing = Sharing(Fairness(settings, clock), settings.request_timeout)
    app.tail = Tail(view, clock)
    logs = Logs(store, agents, nudge, clock, ids)
    app.sessions = Sessions(store, agents, nudge, clock, ids)
    metrics.registry.register(SessionMetrics(app.sessions))
    app.resources = Resources(registry, app.tail, logs, clock, ids, settings.max_body)
    app.resources.connections = Connections(registry, app.sessions, ids)
    app.resources.reviews.update(identity_reviews.reviews(authenticator, clock))
    app.resources.reviews.update(access_reviews.reviews(registry))
    app.resources.reviews["bindings"] = partial(binding.bind_named, registry)
    app.register_blueprint(pages.blueprint(app, registry, store, agents, settings.max_body))
    return app
