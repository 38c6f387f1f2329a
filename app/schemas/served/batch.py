"""API group batch."""

from __future__ import annotations

from app.schemas.columns import batch as columns_batch
from app.schemas.kind import Kind
from app.schemas.types import batch

KINDS: tuple[Kind, ...] = (
    Kind(
        "batch", "v1", "CronJob", "cronjobs", "cronjob", True, batch.CronJob,
        short_names=("cj",), categories=("all",), subresources=frozenset({"status"}),
        columns=columns_batch.CRON_JOB,
    ),
    Kind(
        "batch", "v1", "Job", "jobs", "job", True, batch.Job,
        categories=("all",), subresources=frozenset({"status"}), columns=columns_batch.JOB,
    ),
)  # fmt: skip
