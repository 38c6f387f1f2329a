"""batch/v1: Jobs, and CronJobs that make them by the clock."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, ListOf, String, Struct, Time, Type
from app.schemas.formats import not_negative
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.batch_policy import PodFailurePolicy, SuccessPolicy
from app.schemas.types.batch_scheduling import JobSchedulingConfiguration
from app.schemas.types.core_pod import PodTemplateSpec
from app.schemas.types.core_reference import ObjectReference


class Batch(Type):
    """Types of this group."""

    package = "io.k8s.api.batch.v1"


class JobSpec(Batch):
    """What is to be done, how often, and what to do when it fails. Its defaults depend on one another."""

    parallelism = Int32("How many pods may run at a time.", keep_zero=True, check=not_negative)
    completions = Int32("How many pods must succeed.", keep_zero=True, check=not_negative)
    activeDeadlineSeconds = Int64(
        "Time after its start at which it has failed.", keep_zero=True, check=not_negative
    )
    podFailurePolicy = Struct(PodFailurePolicy, "What the failure of a pod means, by exit code or condition.")
    successPolicy = Struct(SuccessPolicy, "Which indexes suffice for success.")
    backoffLimit = Int32("How many failed pods it bears.", keep_zero=True, check=not_negative)
    backoffLimitPerIndex = Int32("How many failed pods each index bears.", keep_zero=True, check=not_negative)
    maxFailedIndexes = Int32("How many failed indexes it bears.", keep_zero=True, check=not_negative)
    selector = Struct(LabelSelector, "Which pods belong to it; made by the server.")
    manualSelector = Boolean("Whether its author chose the selector.", keep_zero=True)
    template = Struct(PodTemplateSpec, "What its pods look like.", required=True, by_value=True)
    ttlSecondsAfterFinished = Int32(
        "Time after its end at which it is deleted.", keep_zero=True, check=not_negative
    )
    completionMode = String(
        "NonIndexed, or Indexed: each pod has a number.",
        go="v1.CompletionMode",
        keep_zero=True,
        choices=("NonIndexed", "Indexed"),
    )
    suspend = Boolean("Whether no pod shall run.", keep_zero=True)
    podReplacementPolicy = String(
        "When a pod is replaced: once it is asked to end, or once it has.",
        go="v1.PodReplacementPolicy",
        keep_zero=True,
    )
    managedBy = String("The controller that looks after it.", keep_zero=True)
    scheduling = Struct(JobSchedulingConfiguration, "Not in use: dropped from what is sent.")


class JobCondition(Batch):
    """One aspect of a job, such as Complete or Failed."""

    type = String(go="v1.JobConditionType", keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", keep_zero=True)
    lastProbeTime = Time()
    lastTransitionTime = Time()
    reason = String()
    message = String()


class UncountedTerminatedPods(Batch):
    """Pods that ended and are not yet in the counts."""

    succeeded = ListOf(String(go="types.UID"), list_type="set")
    failed = ListOf(String(go="types.UID"), list_type="set")


class JobStatus(Batch):
    """How far a job has come."""

    conditions = ListOf(
        Struct(JobCondition),
        "Aspects of what was observed.",
        merge_key="type",
        list_type="atomic",
    )
    startTime = Time("When its first pods were made, or it was last resumed.")
    completionTime = Time("When it was complete.")
    active = Int32("Pods that are running or waiting to.")
    succeeded = Int32("Pods that succeeded.")
    failed = Int32("Pods that failed.")
    terminating = Int32("Pods that were asked to end and have not.", keep_zero=True)
    completedIndexes = String("Numbers of the pods that succeeded, as 1,3-5.")
    failedIndexes = String("Numbers whose pods failed too often.", keep_zero=True)
    uncountedTerminatedPods = Struct(UncountedTerminatedPods, "Pods on their way into the counts.")
    ready = Int32("Pods that are ready.", keep_zero=True)


class Job(Batch):
    """Runs pods until enough of them have succeeded."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(JobSpec, "What is wanted.", by_value=True)
    status = Struct(JobStatus, "What was observed.", by_value=True)


class JobTemplateSpec(Batch):
    """What the jobs that are made from it look like."""

    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(JobSpec, "What is wanted.", by_value=True)


class CronJobSpec(Batch):
    """When jobs are made, and which."""

    schedule = String("When, in the language of cron.", required=True, keep_zero=True)
    timeZone = String("Time zone of the schedule, as Europe/Vienna.", keep_zero=True)
    startingDeadlineSeconds = Int64("How late a job may start at most.", keep_zero=True, check=not_negative)
    concurrencyPolicy = String(
        "What to do while the last job still runs: Allow, Forbid or Replace.",
        go="v1.ConcurrencyPolicy",
        default="Allow",
        choices=("Allow", "Forbid", "Replace"),
    )
    suspend = Boolean("Whether no job shall be made.", keep_zero=True, default=False)
    jobTemplate = Struct(JobTemplateSpec, "What its jobs look like.", required=True, by_value=True)
    successfulJobsHistoryLimit = Int32(
        "How many jobs that succeeded are kept.", keep_zero=True, default=3, check=not_negative
    )
    failedJobsHistoryLimit = Int32(
        "How many jobs that failed are kept.", keep_zero=True, default=1, check=not_negative
    )


class CronJobStatus(Batch):
    """Which of its jobs run, and when the last ones were."""

    active = ListOf(Struct(ObjectReference), "Jobs that run.", list_type="atomic")
    lastScheduleTime = Time("The time for which the last job was made.")
    lastSuccessfulTime = Time("When a job of it last succeeded.")


class CronJob(Batch):
    """Makes a job whenever its schedule says."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(CronJobSpec, "What is wanted.", by_value=True)
    status = Struct(CronJobStatus, "What was observed.", by_value=True)
