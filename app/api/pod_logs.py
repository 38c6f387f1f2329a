"""`pods/<name>/log`: which container's log is meant, and what Kubernetes says when there is none.

The rules and sentences are those of kubernetes/pkg/registry/core/pod/strategy.go (LogLocation),
pkg/apis/core/validation (ValidatePodLogOptions) and pkg/kubelet/kubelet_pods.go (validateContainerLogStatus).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.api.query import Query
from app.base.clock import parse_rfc3339
from app.base.errors import BadRequest, Cause, Invalid
from app.objects.change import Object


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What a reader wants of a log. `since` is in seconds since the epoch."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: float | None = None
    limit_bytes: int | None = None

    def for_agent(self) -> dict[str, Any]:
        """The options as a node's agent gets them."""
        return {
            "follow": self.follow,
            "previous": self.previous,
            "timestamps": self.timestamps,
            "tail": self.tail,
            "since": self.since,
            "limit_bytes": self.limit_bytes,
        }


def options_of(query: Query, now: float) -> LogOptions:
    """The options in a query.

    Raises:
        Invalid: they make no sense. BadRequest: one is no number or time.
    """
    causes = []
    tail, limit = query.number("tailLines"), query.number("limitBytes")
    seconds, moment = query.number("sinceSeconds"), query.text("sinceTime")
    if tail is not None and tail < 0:
        causes.append(_cause("tailLines", tail, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        causes.append(_cause("limitBytes", limit, "must be greater than 0"))
    if seconds is not None and moment:
        text = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(Cause("", "FieldValueForbidden", text))
    elif seconds is not None and seconds < 1:
        causes.append(_cause("sinceSeconds", seconds, "must be greater than 0"))
    if causes:
        listed = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes]
        joined = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
        raise Invalid(f'PodLogOptions "" is invalid: {joined}', resource="PodLogOptions", causes=causes)
    since = None
    if seconds is not None:
        since = now - seconds
    elif moment:
        try:
            since = parse_rfc3339(moment)
        except (ValueError, OverflowError):
            raise BadRequest(f'parsing time "{moment[:64]}": not an RFC 3339 time') from None
    return LogOptions(
        query.flag("follow"), query.flag("previous"), query.flag("timestamps"), tail, since, limit
    )


def container_of(pod: Object, asked: str) -> str:
    """The container meant.

    Raises:
        BadRequest: the pod has no such container, or several and none was named.
    """
    name, spec = pod["metadata"]["name"], pod.get("spec") or {}
    main = [c["name"] for c in spec.get("containers") or ()]
    initial = [c["name"] for c in spec.get("initContainers") or ()]
    temporary = [c["name"] for c in spec.get("ephemeralContainers") or ()]
    if asked:
        if asked in (*main, *initial, *temporary):
            return asked
        raise BadRequest(f"container {asked} is not valid for pod {name}")
    if len(main) == 1:
        return str(main[0])
    sentence = f"a container name must be specified for pod {name}, choose one of: [{' '.join(main)}]"
    if initial:
        sentence += f" or one of the init containers: [{' '.join(initial)}]"
    raise BadRequest(sentence)


def check_started(pod: Object, container: str, previous: bool) -> None:
    """Make sure that the container has had the chance to log anything.

    Raises:
        BadRequest: it has not, and why.
    """
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    of = f'container "{container}" in pod "{name}"'
    known = [
        each
        for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for each in status.get(field) or ()
        if each.get("name") == container
    ]
    if not known:
        if previous:
            raise BadRequest(f"previous terminated {of} not found")
        waiting = "ContainerCreating" if (pod.get("spec") or {}).get("nodeName") else "Pending"
        raise BadRequest(f"{of} is waiting to start: {waiting}")
    state, last = known[0].get("state") or {}, known[0].get("lastState") or {}
    if previous:
        if "terminated" not in last:
            raise BadRequest(f"previous terminated {of} not found")
        return
    if "running" in state or "terminated" in state or "terminated" in last:
        return
    reason = (state.get("waiting") or {}).get("reason") or "ContainerCreating"
    sentence = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    raise BadRequest(f"{of} is waiting to start: {sentence}")


def _cause(field: str, value: int, rule: str) -> Cause:
    return Cause(field, "FieldValueInvalid", f"Invalid value: {value}: {rule}")
