"""What a StatefulSet's plan does to its pods and claims, after `stateful_steps` said which pods come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.objects import deletion, pods
from app.objects.change import Object, ReadView, Write, create, key_of, update
from app.objects.meta import is_deleting, labels
from workers.controllers import revisions, rolling
from workers.controllers.replicaset import EVENTS_AT_ONCE
from workers.controllers.stateful import claims as stateful_claims
from workers.controllers.stateful import status as stateful_status
from workers.controllers.stateful.identity import identified, new_pod, ordinal, ordinals, pod_name, unfit
from workers.controllers.stateful.steps import Member, Update, steps
from workers.reconcile.plan import EventNote


@dataclass(frozen=True, slots=True)
class History:
    """The set's revisions: all, the newest, and the last that an update got all pods to."""

    every: Sequence[Object]
    newest: Object
    current: Object

    @property
    def names(self) -> tuple[str, str]:
        return self.current["metadata"]["name"], self.newest["metadata"]["name"]


def act(
    view: ReadView,
    stateful_set: Object,
    members: dict[int, Object],
    history: History,
    now: float,
    unreachable_toleration: int,
    writes: list[Write],
    events: list[EventNote],
) -> None:
    """Make, delete and put right pods and claims."""
    wanted = ordinals(stateful_set)
    _warn_of_names(stateful_set, wanted, events)
    ordered = stateful_set["spec"].get("podManagementPolicy") != "Parallel"
    todo = steps(
        [_member(view, stateful_set, members.get(number), number, now) for number in wanted],
        [_member(view, stateful_set, members[n], n, now) for n in members if n not in wanted],
        _update(stateful_set, history),
        ordered=ordered,
    )
    handed_over = stateful_claims.owned_rightly(view, stateful_set, members.items())
    writes += handed_over
    unsettled = {write.key for write in handed_over}
    for number in todo.make:
        _make(view, stateful_set, history, number, unreachable_toleration, writes, events)
    for number, pod in members.items():
        if number in todo.delete:
            claims = stateful_claims.of_pod(view, stateful_set, number)
            if all(f"{pod['metadata']['namespace']}/{name}" not in unsettled for _, name, _ in claims):
                _delete(stateful_set, pod, now, writes, events)
        elif number in wanted and not is_deleting(pod) and not pods.is_terminal(pod):
            _keep(view, stateful_set, number, pod, writes, events)


def _warn_of_names(stateful_set: Object, wanted: range, events: list[EventNote]) -> None:
    """Tell of the first pod that can't be made because its name is too long; those after it are no better."""
    name = stateful_set["metadata"]["name"]
    last = pod_name(stateful_set, wanted[-1]) if wanted else ""
    if not last or not unfit(last):
        return
    pod = next(pod_name(stateful_set, n) for n in wanted if unfit(pod_name(stateful_set, n)))
    text = f"create Pod {pod} in StatefulSet {name} failed error: {unfit(pod)}"
    events.append(EventNote(stateful_set, "FailedCreate", text, "Warning"))


def _member(view: ReadView, stateful_set: Object, pod: Object | None, number: int, now: float) -> Member:
    if pod is None:
        key = f"{stateful_set['metadata']['namespace']}/{pod_name(stateful_set, number)}"
        impossible = bool(unfit(pod_name(stateful_set, number))) or view.get("pods", key) is not None
        return Member(
            number, exists=False, blocked=impossible or stateful_claims.are_stale(view, stateful_set, number)
        )
    wait = stateful_set["spec"].get("minReadySeconds") or 0
    status = pod.get("status") or {}
    return Member(
        number,
        revision=labels(pod).get(revisions.POD_LABEL, ""),
        finished=pods.is_terminal(pod),
        terminating=is_deleting(pod),
        available=stateful_status.is_up(pod) and pods.is_available(pod, wait, now),
        started=status.get("phase", "Pending") != "Pending",
    )


def _update(stateful_set: Object, history: History) -> Update | None:
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return None
    settings = strategy.get("rollingUpdate") or {}
    unavailable = rolling.share(
        settings.get("maxUnavailable", 1), int(stateful_set["spec"]["replicas"]), up=False
    )
    current, newest = history.names
    return Update(newest, current, int(settings.get("partition") or 0), max(1, unavailable))


def _make(
    view: ReadView,
    stateful_set: Object,
    history: History,
    number: int,
    unreachable_toleration: int,
    writes: list[Write],
    events: list[EventNote],
) -> None:
    revision = _revision_for(stateful_set, history, number)
    template = (
        stateful_set["spec"]["template"] if revision is history.newest else revisions.template_of(revision)
    )
    name = revision["metadata"]["name"]
    claims, told = stateful_claims.missing(view, stateful_set, number)
    writes += claims
    writes.append(create("pods", new_pod(stateful_set, template, name, number, unreachable_toleration)))
    told.append(_told(stateful_set, "SuccessfulCreate", "create", pod_name(stateful_set, number)))
    events += told[: max(0, EVENTS_AT_ONCE - len(events))]


def _revision_for(stateful_set: Object, history: History, number: int) -> Object:
    """Which revision a new pod is of: before the partition, the one that was current."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    before = number - ordinals(stateful_set).start < partition
    return history.current if before and strategy.get("type") != "OnDelete" else history.newest


def _delete(
    stateful_set: Object, pod: Object, now: float, writes: list[Write], events: list[EventNote]
) -> None:
    write = deletion.removal("pods", pod, now)
    if write is None:
        return
    writes.append(write)
    meta = pod["metadata"]
    told = _told(stateful_set, "SuccessfulDelete", "delete", meta["name"])
    if pods.is_terminal(pod) and ordinal(stateful_set, pod) in ordinals(stateful_set):
        failed = pod["status"]["phase"] == "Failed"
        what = f"StatefulSet {key_of(stateful_set)} is recreating {'failed' if failed else 'terminated'} Pod {meta['name']}"
        if failed:
            events.append(EventNote(stateful_set, "RecreatingFailedPod", what, "Warning"))
        else:
            events.append(EventNote(stateful_set, "RecreatingTerminatedPod", what))
    if len(events) < EVENTS_AT_ONCE:
        events.append(told)


def _keep(
    view: ReadView,
    stateful_set: Object,
    number: int,
    pod: Object,
    writes: list[Write],
    events: list[EventNote],
) -> None:
    """Put right what a member lacks: its labels; its claims, without which it can't start."""
    if (pod.get("status") or {}).get("phase", "Pending") == "Pending":
        claims, told = stateful_claims.missing(view, stateful_set, number)
        writes += claims
        events += told
    after = identified(pod)
    if after is not pod:
        writes.append(update("pods", after))


def _told(stateful_set: Object, reason: str, verb: str, pod: str) -> EventNote:
    text = f"{verb} Pod {pod} in StatefulSet {stateful_set['metadata']['name']} successful"
    return EventNote(stateful_set, reason, text)
