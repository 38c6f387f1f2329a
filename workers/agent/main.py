"""The agent's process: a crew, and a Celery worker for its nudges or a wait for the end.

It needs the API and the broker, and no access to the state store. Ending it leaves all containers running;
the next one adopts them.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.base import logs, memory
from app.base.clock import SystemClock
from app.base.ids import RandomIds
from app.base.settings import Settings, load
from app.bus.celery_app import NUDGE_TASK, make_app, node_queue, queue
from app.bus.loops import loops_step
from workers.agent.crew import Crew, watches


def run_without_broker(settings: Settings) -> None:
    """Run the agents until SIGTERM or SIGINT, with nothing but the API.

    Raises:
        UserError: there is no name for the node, or no runtime can work here.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    crew = Crew(settings, SystemClock(), RandomIds())
    signal.signal(signal.SIGPWR, crew.power_fails)
    crew.loops()
    ended.wait()
    crew.wake()
    crew.close()


def build(settings: Settings) -> Any:
    """The Celery app of an agent process: the agents start and stop with its worker.

    Raises:
        UserError: there is no name for the node, or no runtime can work here.
    """
    crew = Crew(settings, SystemClock(), RandomIds())
    celery = make_app(settings, "beanpole.agent")
    celery.conf.task_queues = (queue(node_queue(settings.node)),)
    signal.signal(signal.SIGPWR, crew.power_fails)

    @celery.task(name=NUDGE_TASK, ignore_result=True)  # type: ignore[untyped-decorator]
    def nudge(nodes: list[str]) -> None:
        crew.nudge(nodes)

    celery.steps["worker"].add(loops_step(crew))
    return celery


def main(settings: Settings | None = None, arguments: Sequence[str] = ()) -> None:
    """Run the agent until a signal comes; `arguments` are further ones for Celery."""
    settings = settings or load()
    memory.expect_many_objects()
    logs.configure(settings.log_level)
    # The folder is shared with the runtime; an absolute path is what an engine needs for its mounts.
    settings = replace(
        settings, node=settings.node or socket.gethostname(), state_dir=settings.state_dir.absolute()
    )
    logging.getLogger("celery").setLevel(logging.WARNING)
    # An agent runs as root where its runtime or its data plane needs that; Celery would warn each time.
    warnings.filterwarnings("ignore", message=r"\s*You're running the worker with superuser privileges")
    if watches(settings):
        run_without_broker(settings)
        return
    build(settings).worker_main(
        [
            "--quiet",
            "worker", "--pool", "solo", "--concurrency", "1", "--queues", node_queue(settings.node), "--without-gossip",
            "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING", "--hostname",
            f"agent.{settings.node}@%h", *arguments,
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
