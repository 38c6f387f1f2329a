"""Rules for jobs and cron jobs (k8s.io/kubernetes/pkg/apis/batch/validation)."""

from __future__ import annotations

import re

from app.objects import cron
from app.objects.change import Object
from app.objects.jobs import LEGACY_NAME_LABEL, LEGACY_UID_LABEL, NAME_LABEL, UID_LABEL
from app.schemas.faults import Faults
from app.schemas.formats import dns_label, dns_subdomain
from app.schemas.rules.job_policy import pod_failure_policy, success_policy
from app.schemas.rules.meta import label_selector, selects

MOST_PARALLEL_INDEXED = 100_000
MOST_FAILED_INDEXES = 100_000
# Beyond so many completions, a limit for each index is bounded more tightly.
MANY_COMPLETIONS = 100_000
MOST_PARALLEL_OF_MANY = 10_000
MOST_FAILED_OF_MANY = 10_000
LONGEST_MANAGER = 63
# A job's name is that of its cron job, a dash and ten digits.
LONGEST_CRON_JOB = 52
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_ENDING = ("OnFailure", "Never")
_REPLACED = ("Failed", "TerminatingOrFailed")
_ZONE_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z._0-9+-]{0,13}")


def job(obj: Object, path: str, faults: Faults) -> None:
    """The selector is the generated one, or one that its author vouches for, and the template's pods match it."""
    spec, meta = obj.get("spec") or {}, obj.get("metadata") or {}
    selector = spec.get("selector")
    shape = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not spec.get("manualSelector") and selector is not None:
        _generated(selector, shape, meta, faults)
    before = len(faults.causes)
    if selector is None:
        faults.required("spec.selector")
    else:
        label_selector(selector, "spec.selector", faults)
        if len(faults.causes) == before and _misses(selector, shape):
            faults.invalid(
                "spec.template.metadata.labels", shape or None, "`selector` does not match template `labels`"
            )
    if spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > 0:
        longest = f"{meta.get('name', '')}-{spec['completions'] - 1}"
        if dns_label(longest):
            faults.invalid(
                "metadata.name",
                meta.get("name"),
                f"will not able to create pod with invalid DNS label: {longest}",
            )


def _generated(selector: Object, shape: Object, meta: Object, faults: Faults) -> None:
    uid, name = meta.get("uid", ""), meta.get("name", "")
    expected = {LEGACY_UID_LABEL: uid, LEGACY_NAME_LABEL: name, UID_LABEL: uid, NAME_LABEL: name}
    for label, value in expected.items():
        if label not in shape:
            faults.required("spec.template.metadata.labels", f"must be '{value}'")
        elif shape[label] != value:
            faults.invalid("spec.template.metadata.labels", shape, f"must be '{value}'")
    if _misses(selector, expected):
        faults.invalid("spec.selector", selector, "`selector` not auto-generated")


def _misses(selector: Object, labels: Object) -> bool:
    """Whether a selector that is well-formed does not match; what is wrong with another is told elsewhere."""
    wrong = Faults()
    label_selector(selector, "spec.selector", wrong)
    known = all(e.get("operator") in _OPERATORS for e in selector.get("matchExpressions") or ())
    return known and not wrong.causes and not selects(selector, labels)


def job_spec(spec: Object, path: str, faults: Faults) -> None:
    """What holds for a job's spec, in a job and in a template of jobs."""
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        faults.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.get("managedBy") is not None:
        _manager(spec["managedBy"], f"{path}.managedBy", faults)
    if spec.get("completionMode") == "Indexed":
        _indexed(spec, path, faults)
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                faults.invalid(f"{path}.{field}", spec[field], "requires indexed completion mode")
    if spec.get("podFailurePolicy") is not None:
        pod_failure_policy(spec, f"{path}.podFailurePolicy", faults)
    if spec.get("successPolicy") is not None:
        success_policy(spec, f"{path}.successPolicy", faults)
    _replacement(spec, f"{path}.podReplacementPolicy", faults)
    _restart(spec, f"{path}.template.spec.restartPolicy", faults)


def _manager(name: str, path: str, faults: Faults) -> None:
    """`domain/path`: who looks after the job instead."""
    domain, slash, rest = name.partition("/")
    if not slash or not domain or not rest:
        faults.invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        faults.all_invalid(path, domain, dns_subdomain(domain))
        if not re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", rest):
            faults.invalid(
                path, rest, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"
            )
    if len(name) > LONGEST_MANAGER:
        faults.too_long(path, LONGEST_MANAGER)


def _indexed(spec: Object, path: str, faults: Faults) -> None:
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    most_failed = spec.get("maxFailedIndexes")
    if completions is None:
        faults.required(f"{path}.completions", "when completion mode is Indexed")
    if parallelism is not None and parallelism > MOST_PARALLEL_INDEXED:
        faults.invalid(
            f"{path}.parallelism",
            parallelism,
            f"must be less than or equal to {MOST_PARALLEL_INDEXED} when completion mode is Indexed",
        )
    if most_failed is not None:
        if completions is not None and most_failed > completions:
            faults.invalid(
                f"{path}.maxFailedIndexes", most_failed, "must be less than or equal to completions"
            )
        if most_failed > MOST_FAILED_INDEXES:
            faults.invalid(
                f"{path}.maxFailedIndexes",
                most_failed,
                f"must be less than or equal to {MOST_FAILED_INDEXES}",
            )
    if completions is None or completions <= MANY_COMPLETIONS or spec.get("backoffLimitPerIndex") is None:
        return
    if most_failed is None:
        faults.required(
            f"{path}.maxFailedIndexes", f"must be specified when completions is above {MANY_COMPLETIONS}"
        )
    for field, value, most in (
        ("parallelism", parallelism, MOST_PARALLEL_OF_MANY),
        ("maxFailedIndexes", most_failed, MOST_FAILED_OF_MANY),
    ):
        if value is not None and value > most:
            faults.invalid(
                f"{path}.{field}",
                value,
                f"must be less than or equal to {most} when completions are above {MANY_COMPLETIONS} and used "
                "with backoff limit per index",
            )


def _replacement(spec: Object, path: str, faults: Faults) -> None:
    policy = spec.get("podReplacementPolicy")
    if policy is None:
        return
    choices = ("Failed",) if spec.get("podFailurePolicy") is not None else _REPLACED
    if policy not in choices:
        faults.not_supported(path, policy, choices)


def _restart(spec: Object, path: str, faults: Faults) -> None:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy")
    if policy in (None, "", "Always"):
        faults.required(path, 'valid values: "OnFailure", "Never"')
    elif policy in _ENDING and spec.get("podFailurePolicy") is not None and policy != "Never":
        faults.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def job_template(template: Object, path: str, faults: Faults) -> None:
    """A template leaves the selector to the server."""
    spec = template.get("spec") or {}
    if spec.get("selector") is not None:
        faults.invalid(f"{path}.spec.selector", spec["selector"], "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        faults.not_supported(f"{path}.spec.manualSelector", True, ("nil", "false"))


def cron_job(obj: Object, path: str, faults: Faults) -> None:
    name = (obj.get("metadata") or {}).get("name") or ""
    if len(name) > LONGEST_CRON_JOB:
        faults.invalid("metadata.name", name, "must be no more than 52 characters")


def cron_job_spec(spec: Object, path: str, faults: Faults) -> None:
    """The schedule and its time zone make sense."""
    schedule = spec.get("schedule") or ""
    if schedule:
        if "TZ" in schedule:
            faults.invalid(
                f"{path}.schedule",
                schedule,
                "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
            )
        else:
            try:
                cron.parse(schedule)
            except ValueError as exc:
                faults.invalid(f"{path}.schedule", schedule, str(exc))
    if spec.get("timeZone") is not None:
        _time_zone(spec["timeZone"], f"{path}.timeZone", faults)


def _time_zone(name: str, path: str, faults: Faults) -> None:
    if not name:
        faults.invalid(path, name, "timeZone must be nil or non-empty string")
        return
    parts = name.split("/")
    if any(part in (".", "..") or not _ZONE_PART.fullmatch(part) for part in parts):
        faults.invalid(path, name, f"unknown time zone {name}")
        return
    if name.lower() == "local":
        faults.invalid(
            path, name, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        return
    try:
        cron.check_zone(name)
    except ValueError as exc:
        faults.invalid(path, name, str(exc))
