"""CronJob: makes a Job whenever its schedule says, and removes old ones.

What ran last is read off the Jobs themselves, which carry the time they were made for, so that no Job is made
twice for one time even if the status is behind.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from app.base.clock import parse_rfc3339, rfc3339
from app.objects import conditions, cron, deletion, jobs
from app.objects.change import Object, ReadView, Write, create, update
from app.objects.meta import annotations_of, controller_of, controller_reference, is_deleting
from workers.controllers.cron_times import MANY, Due, due
from workers.controllers.interests import itself, owns, unless_same
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role

RESOURCE = "cronjobs.batch"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Tidy up, report, and make the Job that is due."""
    cron_job = view.get(RESOURCE, key)
    if cron_job is None:
        return NOTHING
    own = [job for job in view.owned(jobs.RESOURCE, cron_job["metadata"]["uid"]) if _controls(cron_job, job)]
    running = [job for job in own if not jobs.is_finished(job) and SCHEDULED in annotations_of(job)]
    writes, events = _tidied(cron_job, own, now)
    served = _served(cron_job, own)
    _report(cron_job, own, running, served, writes, events)
    if is_deleting(cron_job) or cron_job["spec"].get("suspend"):
        return Plan(tuple(writes), tuple(events))
    try:
        schedule = cron.parse(cron_job["spec"]["schedule"])
        zone = cron_job["spec"].get("timeZone") or ""
        since = served or parse_rfc3339(cron_job["metadata"]["creationTimestamp"])
        found = due(schedule, zone, since, cron_job["spec"].get("startingDeadlineSeconds"), now)
    except ValueError as exc:
        events.append(EventNote(cron_job, "InvalidSchedule", f"invalid schedule: {exc}", "Warning"))
        return Plan(tuple(writes), tuple(events))
    wait = None if found.next is None else max(0.0, found.next - now)
    if found.at is not None:
        _start(view, cron_job, running, found, writes, events, now)
    return Plan(tuple(writes), tuple(events), wait, "a job is due" if found.at is not None else "")


def _start(
    view: ReadView,
    cron_job: Object,
    running: list[Object],
    found: Due,
    writes: list[Write],
    events: list[EventNote],
    now: float,
) -> None:
    """Make the Job, unless one still runs and must not be joined by another."""
    if found.missed > MANY:
        text = (
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        )
        events.append(EventNote(cron_job, "TooManyMissedTimes", text, "Warning"))
    policy = cron_job["spec"].get("concurrencyPolicy")
    if policy == "Forbid" and running:
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        events.append(EventNote(cron_job, "JobAlreadyActive", text))
        return
    job = _job(cron_job, found.at or now)
    name = job["metadata"]["name"]
    if view.get(jobs.RESOURCE, f"{job['metadata']['namespace']}/{name}") is not None:
        text = f'Error creating job: jobs.batch "{name}" already exists'
        events.append(EventNote(cron_job, "FailedCreate", text, "Warning"))
        return
    if policy == "Replace":
        _remove(cron_job, running, writes, events, now)
    writes.append(create(jobs.RESOURCE, job))
    events.append(EventNote(cron_job, "SuccessfulCreate", f"Created job {name}"))


def _job(cron_job: Object, at: float) -> Object:
    """The Job for a time. Its name says the time, so no time has two."""
    meta, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    shape = template.get("metadata") or {}
    moment = datetime.fromtimestamp(at, _zone(cron_job)).isoformat().replace("+00:00", "Z")
    made: Object = {
        "name": f"{meta['name']}-{int(at) // 60}",
        "namespace": meta["namespace"],
        "annotations": {**(shape.get("annotations") or {}), SCHEDULED: moment},
        "ownerReferences": [controller_reference(cron_job)],
    }
    if shape.get("labels"):
        made["labels"] = shape["labels"]
    spec = jobs.with_defaults(template.get("spec") or {})
    status: Object = {}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": made, "spec": spec, "status": status}


def _zone(cron_job: Object) -> tzinfo:
    name = cron_job["spec"].get("timeZone")
    return ZoneInfo(name) if name and name != "UTC" else UTC


def _tidied(cron_job: Object, own: Iterable[Object], now: float) -> tuple[list[Write], list[EventNote]]:
    """The deletion of finished Jobs beyond those that are to be kept, oldest first."""
    writes: list[Write] = []
    events: list[EventNote] = []
    for condition, limit in (
        ("Complete", "successfulJobsHistoryLimit"),
        ("Failed", "failedJobsHistoryLimit"),
    ):
        most = cron_job["spec"].get(limit)
        done = [job for job in own if conditions.is_true(job, condition) and not is_deleting(job)]
        if most is not None and len(done) > most:
            done.sort(
                key=lambda job: ((job.get("status") or {}).get("startTime", ""), job["metadata"]["name"])
            )
            _remove(cron_job, done[: len(done) - most], writes, events, now)
    return writes, events


def _remove(
    cron_job: Object, gone: Iterable[Object], writes: list[Write], events: list[EventNote], now: float
) -> None:
    for job in gone:
        removal = deletion.removal(jobs.RESOURCE, job, now)
        if removal is not None:
            writes.append(removal)
            events.append(EventNote(cron_job, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}"))


def _served(cron_job: Object, own: Iterable[Object]) -> float | None:
    """The last time for which a Job was made."""
    times = [text for job in own if (text := annotations_of(job).get(SCHEDULED))]
    last = (cron_job.get("status") or {}).get("lastScheduleTime")
    found = [parse_rfc3339(text) for text in (*times, *([last] if last else []))]
    return max(found) if found else None


def _report(
    cron_job: Object,
    own: Iterable[Object],
    running: Iterable[Object],
    served: float | None,
    writes: list[Write],
    events: list[EventNote],
) -> None:
    before = cron_job.get("status") or {}
    status: Object = {}
    active = [_reference(job) for job in running]
    if active:
        status["active"] = active
    if served is not None:
        status["lastScheduleTime"] = rfc3339(served)
    successes = [
        job["status"]["completionTime"]
        for job in own
        if conditions.is_true(job, "Complete") and (job.get("status") or {}).get("completionTime")
    ]
    successes += [before["lastSuccessfulTime"]] if before.get("lastSuccessfulTime") else []
    if successes:
        status["lastSuccessfulTime"] = max(successes)
    listed = {reference["uid"] for reference in before.get("active") or ()}
    for job in own:
        if job["metadata"]["uid"] in listed and jobs.is_finished(job):
            condition = "Complete" if conditions.is_true(job, "Complete") else "Failed"
            text = f"Saw completed job: {job['metadata']['name']}, condition: {condition}"
            events.append(EventNote(cron_job, "SawCompletedJob", text))
    there = {job["metadata"]["uid"] for job in own}
    for reference in before.get("active") or ():
        if reference["uid"] not in there:
            text = f"Active job went missing: {reference['name']}"
            events.append(EventNote(cron_job, "MissingJob", text))
    if status != before:
        writes.append(update(RESOURCE, {**cron_job, "status": status}))


def _reference(job: Object) -> Object:
    meta = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": meta["name"],
        "namespace": meta["namespace"],
        "uid": meta["uid"],
    }


def _controls(cron_job: Object, job: Object) -> bool:
    owner = controller_of(job)
    return owner is not None and owner["uid"] == cron_job["metadata"]["uid"]


ROLE = Role(
    "cronjob-controller",
    plan,
    (
        itself(
            RESOURCE,
            unless_same(lambda c: (c["spec"], c.get("status"), c["metadata"].get("deletionTimestamp"))),
        ),
        owns(
            jobs.RESOURCE,
            "CronJob",
            unless_same(lambda job: (jobs.is_finished(job), job["metadata"].get("deletionTimestamp"))),
        ),
    ),
    lambda view: view.keys(RESOURCE),
)
