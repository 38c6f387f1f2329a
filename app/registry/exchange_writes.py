"""What an exchange commits: what nodes report, as one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.base.errors import ApiError, ServiceUnavailable
from app.objects.change import Trace, Write
from app.registry.event_report import event_writes
from app.registry.node_report import actor_of, lease_missing, lease_writes, node_writes
from app.registry.pod_report import pod_writes
from app.registry.report import Report
from app.registry.request import Request
from app.registry.volume_report import volume_writes
from app.store.store import Caused, Rejected

if TYPE_CHECKING:
    from app.registry.registry import Registry

# How often a node's part is decided anew after another write came between.
ATTEMPTS = 5


def commit(registry: Registry, reports: dict[str, Report]) -> dict[str, ApiError]:
    """Commit what the reports change; returns why nothing of some was.

    What is rejected, because somebody else wrote meanwhile, is decided anew on the newer state; what went
    through makes no difference then.
    """
    refused: dict[str, ApiError] = {}
    taken: set[str] = set()
    due = reports
    for _ in range(ATTEMPTS):
        writes = _writes(registry, due, taken, refused)
        if not writes:
            return refused
        flat = [caused for batch in writes.values() for caused in batch]
        results = registry.store.commit_caused(flat, now=registry.clock.now())
        registry.view.catch_up()
        taken.update(result.claim for result in results if isinstance(result, Rejected) and result.claim)
        again = {c.actor for c, result in zip(flat, results, strict=True) if isinstance(result, Rejected)}
        # The Lease can't be made before its Node is there.
        due = {
            name: due[name]
            for name in writes
            if actor_of(name) in again or lease_missing(registry.view, name)
        }
        if not due:
            return refused
    for name in due:
        message = f"node {name!r} and its pods are written to all the time"
        refused[name] = ServiceUnavailable(message, retry_after=1)
    return refused


def _writes(
    registry: Registry, reports: dict[str, Report], taken: set[str], refused: dict[str, ApiError]
) -> dict[str, list[Caused]]:
    """What each node's report changes, if anything. `refused` gets those that are not acceptable."""
    view, now = registry.view, registry.clock.now()
    # Nodes that come together must not be given the same range.
    taken = set(taken)
    own = Trace(registry.ids.trace())
    found: dict[str, list[Caused]] = {}
    with view.lock:
        for name, report in reports.items():
            actor = actor_of(name)
            try:
                writes = [
                    *node_writes(
                        registry, Request(user=actor, field_validation="Ignore"), name, report.node, taken
                    ),
                    *lease_writes(registry, name),
                    *pod_writes(view, name, report.statuses, report.removed),
                    *event_writes(view, name, report.events, now, registry.ids),
                    *volume_writes(view, name, report.emptied),
                ]
            except ApiError as exc:
                refused[name] = exc
                continue
            taken.update(claim for write in writes for claim in write.claims)
            if writes:
                causes = registry.causes
                found[name] = [Caused(write, actor, causes.of(_about(write)) or own) for write in writes]
    return found


def _about(write: Write) -> str:
    """The uid of what a write is about: of an Event, that of whom it tells."""
    if write.resource == "events":
        return str(write.obj["involvedObject"].get("uid") or "")
    return str(write.obj["metadata"]["uid"])
