"""How long a Job waits before it makes a pod in place of one that failed: 10 s after the first failure, twice as
long after each further one, 6 minutes at most, and nothing once a pod has succeeded since.

https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
"""

from __future__ import annotations

from collections.abc import Iterable

from app.objects.change import Object
from workers.controllers.jobs import pod as job_pod

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 360.0


def wait(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    if failures <= 0:
        return 0.0
    return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(failures - 1, 16)))


def remaining(pods: Iterable[Object], ended_only: bool, now: float) -> float:
    """Seconds until a Job with these pods may make one again. What ended long ago and is gone is not known any
    more, nor does it matter: then there is nothing to wait for."""
    ends = sorted(
        (job_pod.finished_at(pod), not job_pod.has_succeeded(pod))
        for pod in pods
        if job_pod.has_succeeded(pod) or job_pod.has_failed(pod, ended_only)
    )
    failures = 0
    last = 0.0
    for moment, failed in ends:
        failures = failures + 1 if failed else 0
        last = moment
    return max(0.0, last + wait(failures) - now) if failures else 0.0


def remaining_of_index(last: Object, now: float) -> float:
    """Seconds until the pod in place of `last`, which failed, may be made."""
    failures = job_pod.failures_before(last) + job_pod.ignored_before(last) + 1
    return max(0.0, job_pod.finished_at(last) + wait(failures) - now)
