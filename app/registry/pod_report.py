"""What a report changes about the node's pods: their statuses, and their going for good."""

from __future__ import annotations

from collections.abc import Iterable

from app.objects import deletion
from app.objects.change import Object, ReadView, Verb, Write, revision_of
from app.objects.meta import with_meta
from app.objects.pods import is_terminal

# Conditions that are an agent's alone to put and to take away.
AGENTS_OWN = frozenset({"PodResizePending", "PodResizeInProgress"})


def pod_writes(
    view: ReadView, node: str, statuses: Iterable[Object], removed: Iterable[Object]
) -> list[Write]:
    """The writes for what the node's agent says of its pods. What it says of a pod with another uid, or
    on another node, is about one that is gone, and is ignored."""
    changed: dict[str, Object] = {}
    for report in statuses:
        key, pod = _pod(view, node, report)
        if pod is not None:
            new = with_status(changed.get(key, pod), report["status"])
            if new != pod:
                changed[key] = new
    writes: list[Write] = []
    for report in removed:
        key, pod = _pod(view, node, report)
        if pod is None or not pod["metadata"].get("deletionTimestamp"):
            continue
        last = with_meta(changed.pop(key, pod), deletionGracePeriodSeconds=0)
        verb = Verb.DELETE if deletion.is_over("pods", last) else Verb.UPDATE
        if last != pod or verb is Verb.DELETE:
            writes.append(Write(verb, "pods", key, last, expect=revision_of(pod)))
    writes.extend(
        Write(Verb.UPDATE, "pods", key, pod, expect=revision_of(pod)) for key, pod in changed.items()
    )
    return writes


def _pod(view: ReadView, node: str, report: Object) -> tuple[str, Object | None]:
    key = f"{report['namespace']}/{report['name']}"
    pod = view.get("pods", key)
    if pod is None or pod["metadata"]["uid"] != report["uid"] or pod["spec"].get("nodeName") != node:
        return key, None
    return key, pod


def with_status(pod: Object, sent: Object) -> Object:
    """The pod with the status its agent sent, and with what others put there that the agent does not
    speak of. A pod that has finished stays so (Kubernetes: the phase of a finished pod never changes)."""
    old = pod.get("status") or {}
    if is_terminal(pod) and sent.get("phase") != old.get("phase"):
        return pod
    spoken_of = {condition.get("type") for condition in sent.get("conditions") or ()} | AGENTS_OWN
    others = [c for c in old.get("conditions") or () if c.get("type") not in spoken_of]
    status = {key: old[key] for key in ("qosClass", "nominatedNodeName") if key in old}
    status.update(sent)
    if others:
        status["conditions"] = [*(sent.get("conditions") or ()), *others]
    return {**pod, "status": status}
