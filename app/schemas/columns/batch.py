"""The tables of jobs and cron jobs (k8s.io/kubernetes/pkg/printers/internalversion)."""

from __future__ import annotations

from app.base.clock import parse_rfc3339
from app.objects import conditions
from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, NONE, UNSET, joined, selector
from app.schemas.duration import human, since
from app.schemas.kind import Column


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _status(obj: Object) -> Object:
    return obj.get("status") or {}


def _state(job: Object) -> str:
    for name in ("Complete", "Failed"):
        if conditions.is_true(job, name):
            return name
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for name in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if conditions.is_true(job, name):
            return name
    return "Running"


def _completions(job: Object) -> str:
    succeeded = _status(job).get("succeeded", 0)
    wanted = _spec(job).get("completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = _spec(job).get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(job: Object, now: float) -> str:
    began, ended = _status(job).get("startTime"), _status(job).get("completionTime")
    if not began:
        return ""
    return human((parse_rfc3339(ended) if ended else now) - parse_rfc3339(began))


def _containers(spec: Object, field: str) -> str:
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()
    return ",".join(container.get(field, "") for container in containers)


def _job_spec(cron_job: Object) -> Object:
    return (_spec(cron_job).get("jobTemplate") or {}).get("spec") or {}


def _suspend(cron_job: Object) -> str:
    suspended = _spec(cron_job).get("suspend")
    return UNSET if suspended is None else str(suspended)


JOB = (
    NAME,
    Column("Status", "string", lambda obj, _: _state(obj), description="How far it has come."),
    Column(
        "Completions",
        "string",
        lambda obj, _: _completions(obj),
        description="Pods that succeeded, of those wanted.",
    ),
    Column("Duration", "string", _duration, description="Time it takes or took."),
    AGE,
    Column(
        "Containers",
        "string",
        lambda obj, _: _containers(_spec(obj), "name"),
        1,
        description="Containers of the template.",
    ),
    Column(
        "Images",
        "string",
        lambda obj, _: _containers(_spec(obj), "image"),
        1,
        description="Images of the template.",
    ),
    Column(
        "Selector",
        "string",
        lambda obj, _: selector(_spec(obj).get("selector")),
        1,
        description="Which pods belong to it.",
    ),
)

CRON_JOB = (
    NAME,
    Column("Schedule", "string", lambda obj, _: _spec(obj).get("schedule", ""), description="When."),
    Column(
        "Timezone",
        "string",
        lambda obj, _: _spec(obj).get("timeZone") or NONE,
        description="Time zone of the schedule.",
    ),
    Column("Suspend", "boolean", lambda obj, _: _suspend(obj), description="Whether no job is made."),
    Column(
        "Active",
        "integer",
        lambda obj, _: len(_status(obj).get("active") or ()),
        description="Jobs that run.",
    ),
    Column(
        "Last Schedule",
        "string",
        lambda obj, now: (
            since(_status(obj)["lastScheduleTime"], now) if _status(obj).get("lastScheduleTime") else NONE
        ),
        description="Time since the last job was due.",
    ),
    AGE,
    Column(
        "Containers",
        "string",
        lambda obj, _: joined([text] if (text := _containers(_job_spec(obj), "name")) else []),
        1,
        description="Containers of the template.",
    ),
    Column(
        "Images",
        "string",
        lambda obj, _: _containers(_job_spec(obj), "image"),
        1,
        description="Images of the template.",
    ),
    Column(
        "Selector",
        "string",
        lambda obj, _: selector(_job_spec(obj).get("selector")),
        1,
        description="Which pods belong to a job.",
    ),
)
