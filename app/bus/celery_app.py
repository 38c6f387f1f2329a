"""Celery, set up for work that is a hint: JSON only, no results, each message acknowledged after the work.

The rule for times: time limit of a task < lease of a key < visibility timeout of a message. So a key is
never given to a second worker while the first one's task may go on, and a message is not delivered
twice because its task was slow. Nothing breaks where it is: the ledger's tokens fence it off.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from celery import Celery
from kombu import Queue

from app.base.settings import Settings

WORK_QUEUE = "work"
WORK_TASK = "beanpole.work"
NUDGE_TASK = "beanpole.nudge"

# Redis answers an idle BRPOP after so many seconds, and a stopping worker notices as late as that.
_POLL = 1
_REDIS = ("redis", "rediss", "redis+socket", "sentinel")


def node_queue(name: str) -> str:
    """The queue of the agent that calls itself, or is annotated as, `name`."""
    return f"node.{name}"


def make_app(settings: Settings, name: str = "beanpole") -> Celery:
    """A Celery app that talks to the broker of `settings`. It has no tasks and connects to nothing yet."""
    app = Celery(name, broker=broker_url(settings.broker), set_as_current=False)
    limit = max(1.0, settings.lease * 0.8)
    app.conf.update(
        # Messages
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        task_compression=None,
        task_protocol=2,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        result_backend=None,
        task_default_queue=WORK_QUEUE,
        task_create_missing_queues=True,
        task_queues=None,
        task_track_started=False,
        task_send_sent_event=False,
        # Delivery
        task_acks_late=True,
        task_acks_on_failure_or_timeout=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_time_limit=limit,
        task_soft_time_limit=None,
        # The broker
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_heartbeat=0,
        broker_pool_limit=4,
        broker_transport_options=_transport_options(settings),
        # Nothing is announced and nobody listens.
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        control_queue_ttl=60.0,
        # Quiet: the process's own logging, set up by app.base.logs
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        enable_utc=True,
        timezone="UTC",
    )
    return app


def queue(name: str) -> Queue:
    """A queue as it is declared by who reads it and who writes to it."""
    return Queue(name, routing_key=name)


def broker_url(url: str) -> str:
    """The address of a broker in Celery's words. Redis's own `unix://` form becomes `redis+socket://`.

    `unix://[[user]:password@]/path?db=1&password=...` may carry its password in either place.
    """
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    query = dict(parse_qsl(parts.query))
    password = unquote(parts.password) if parts.password else query.pop("password", "")
    username = unquote(parts.username) if parts.username else query.pop("username", "")
    database = query.pop("db", "0")
    login = f"{quote(username, safe='')}:{quote(password, safe='')}@" if password or username else ""
    return f"redis+socket://{login}{parts.path}?{urlencode({'virtual_host': database, **query})}"


def _transport_options(settings: Settings) -> dict[str, Any]:
    scheme = broker_url(settings.broker).partition("://")[0]
    if scheme not in _REDIS:
        return {}
    return {
        "visibility_timeout": settings.lease * 2,
        # Clusters that share a Redis keep apart, and each one's keys lie in one slot.
        "global_keyprefix": f"{{beanpole:{settings.cluster}}}:bus:",
        "fanout_prefix": True,
        "polling_interval": _POLL,
        "health_check_interval": 25,
        "socket_keepalive": True,
    }
