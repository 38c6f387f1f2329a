"""Publishing: work and nudges as Celery messages."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from celery import Celery

from app.bus.celery_app import NUDGE_TASK, WORK_QUEUE, WORK_TASK, node_queue

# Keys in one message. More would make others wait for a share of a burst.
KEYS_PER_MESSAGE = 64
# A nudge that nobody fetched by then has been overtaken by the agent's own interval. Seconds.
NUDGE_LIFE = 30


class CeleryPublisher:
    """Sends work to the control workers, and nudges to agents, as Celery messages.

    Raises kombu's OperationalError where the broker can't be reached. What could not be sent is sent with
    what comes next; were this process to die before, a sweep would find it queued and send it again.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._unsent: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def publish(self, work: Sequence[tuple[str, str]]) -> None:
        """One message for each role, up to `KEYS_PER_MESSAGE` keys in it. With no work, sends what is unsent."""
        with self._lock:
            work, self._unsent = [*self._unsent, *work], []
        if not work:
            return
        try:
            self._send(work)
        except BaseException:
            with self._lock:
                # Some of it may have been sent; a second message does no harm.
                self._unsent = list(dict.fromkeys([*self._unsent, *work]))
            raise

    def _send(self, work: Sequence[tuple[str, str]]) -> None:
        with self._app.producer_or_acquire() as producer:
            for role, keys in messages(work):
                self._app.send_task(
                    WORK_TASK, args=(role, keys), queue=WORK_QUEUE, producer=producer, retry=False, ignore_result=True
                )  # fmt: skip

    def nudge(self, queues: Mapping[str, Sequence[str]]) -> None:
        """One message for each agent, with the names of those of its nodes that it is about."""
        with self._app.producer_or_acquire() as producer:
            for name, nodes in queues.items():
                self._app.send_task(
                    NUDGE_TASK, args=(list(nodes),), queue=node_queue(name), producer=producer, retry=False,
                    ignore_result=True, expires=NUDGE_LIFE,
                )  # fmt: skip


def messages(work: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """`(role, keys)` of each message to send, in the order in which the roles first appear."""
    by_role: dict[str, list[str]] = {}
    for role, key in work:
        by_role.setdefault(role, []).append(key)
    for role, keys in by_role.items():
        for start in range(0, len(keys), KEYS_PER_MESSAGE):
            yield role, keys[start : start + KEYS_PER_MESSAGE]
