"""What validation says of jobs, cron jobs, autoscalers and budgets; their defaults and their other versions."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import Invalid
from app.objects import jobs
from app.objects.change import Object
from app.schemas import defaults, kinds, validate
from app.schemas.conversion_autoscaler import from_v2, to_v2

POD: Object = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}


def job(**spec: Any) -> Object:
    """A job as it is when it is validated."""
    body = {
        "metadata": {"name": "j", "namespace": "default", "uid": "u"},
        "spec": {"template": {"spec": POD}, **spec},
    }
    return jobs.with_selector(defaults.apply(kinds.by_resource("jobs.batch"), body))


def cron_job(schedule: str = "* * * * *", name: str = "c", **spec: Any) -> Object:
    template = {"spec": {"template": {"spec": POD}}}
    body = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"schedule": schedule, "jobTemplate": template, **spec},
    }
    return defaults.apply(kinds.by_resource("cronjobs.batch"), body)


def autoscaler(**spec: Any) -> Object:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    body = {
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"scaleTargetRef": reference, "maxReplicas": 3, **spec},
    }
    return defaults.apply(kinds.by_resource("horizontalpodautoscalers.autoscaling"), body)


def budget(**spec: Any) -> Object:
    return {"metadata": {"name": "b", "namespace": "default"}, "spec": spec}


def faults(resource: str, obj: Object, old: Object | None = None) -> list[str]:
    try:
        if old is None:
            validate.validate(kinds.by_resource(resource), obj)
        else:
            validate.validate_update(kinds.by_resource(resource), old, obj)
    except Invalid as exc:
        return [f"{cause.field}: {cause.message}" for cause in exc.causes]
    return []


INDEXED = {"completionMode": "Indexed", "completions": 3, "parallelism": 3}


def failing(**rule: Any) -> Object:
    return {"podFailurePolicy": {"rules": [{"action": "Ignore", **rule}]}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        (INDEXED, []),
        ({"parallelism": -1}, ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"template": {"spec": {"containers": POD["containers"]}}},
            ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
        ),
        (
            {"completionMode": "Sorted"},
            ['spec.completionMode: Unsupported value: "Sorted": supported values: "NonIndexed", "Indexed"'],
        ),
        (
            {"completionMode": "Indexed", "parallelism": 2},
            ["spec.completions: Required value: when completion mode is Indexed"],
        ),
        (
            {"backoffLimitPerIndex": 1},
            ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
        ),
        (
            {**INDEXED, "maxFailedIndexes": 1},
            ["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
        ),
        (
            {**INDEXED, "backoffLimitPerIndex": 0, "maxFailedIndexes": 4},
            ["spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions"],
        ),
        (
            {"podReplacementPolicy": "Never"},
            [
                'spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", '
                '"TerminatingOrFailed"'
            ],
        ),
        (
            failing(),
            [
                "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is "
                "required"
            ],
        ),
        (
            failing(onExitCodes={"operator": "In", "values": [3, 0, 3], "containerName": "z"}),
            [
                'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "z": must be one of the '
                "container or initContainer names in the pod template",
                "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In "
                "operator",
                "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3",
                "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
            ],
        ),
        (
            {"successPolicy": {"rules": [{"succeededCount": 1}]}},
            [
                'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode'
            ],
        ),
        (
            {**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 3}]}},
            [
                "spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the "
                "number of indexes in the specified succeededIndexes field)"
            ],
        ),
        (
            {**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "7"}]}},
            [
                'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "7": error parsing succeededIndexes: too '
                'large index: "7"'
            ],
        ),
        (
            {"manualSelector": True},
            ["spec.selector: Required value"],
        ),
        (
            {"selector": {"matchLabels": {"a": "b"}}},
            [
                'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u","a":"b"}}: '
                "`selector` not auto-generated",
                'spec.template.metadata.labels: Invalid value: {"job-name":"j","batch.kubernetes.io/job-name":"j",'
                '"controller-uid":"u","batch.kubernetes.io/controller-uid":"u"}: `selector` does not match template '
                "`labels`",
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_job(spec: Object, expected: list[str]) -> None:
    assert sorted(faults("jobs.batch", job(**spec))) == sorted(expected)


def test_the_defaults_of_a_job_depend_on_one_another() -> None:
    spec = job()["spec"]
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 6)
    assert spec["podReplacementPolicy"] == "TerminatingOrFailed"
    queue = job(parallelism=4)["spec"]
    assert "completions" not in queue
    assert job(**INDEXED, backoffLimitPerIndex=1)["spec"]["backoffLimit"] == 2**31 - 1
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
    strict = job(podFailurePolicy=policy)["spec"]
    assert strict["podReplacementPolicy"] == "Failed"
    assert strict["podFailurePolicy"]["rules"][0]["onPodConditions"][0]["status"] == "True"
    assert "scheduling" not in job(scheduling={"schedulingPolicy": {"basic": {}}})["spec"]


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"parallelism": 3}, ""),
        ({"suspend": True}, ""),
        ({"completions": 5}, "spec.completions"),
        ({"completionMode": "Indexed", "completions": 1}, "spec.completionMode"),
        ({"template": {"spec": {**POD, "nodeSelector": {"a": "b"}}}}, "spec.template"),
        ({"selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "v"}}}, "spec.selector"),
    ],
)
def test_what_of_a_job_may_change(change: Object, refused: str) -> None:
    old = job(completions=1)
    new = {**old, "spec": {**old["spec"], **change}}
    found = faults("jobs.batch", new, old)
    assert any(fault.startswith(f"{refused}: ") and "field is immutable" in fault for fault in found) == bool(
        refused
    )


def test_a_suspended_job_that_never_ran_may_be_placed_elsewhere() -> None:
    old = job(suspend=True)
    template = old["spec"]["template"]
    pod = {**template["spec"], "nodeSelector": {"a": "b"}}
    new = {**old, "spec": {**old["spec"], "template": {**template, "spec": pod}}}
    assert faults("jobs.batch", new, old) == []
    assert faults("jobs.batch", new, {**old, "status": {"startTime": "2027-01-15T08:00:00Z"}}) != []


def test_an_indexed_job_is_resized_in_tandem() -> None:
    old = job(**INDEXED)
    assert (
        faults("jobs.batch", {**old, "spec": {**old["spec"], "completions": 5, "parallelism": 5}}, old) == []
    )
    assert faults("jobs.batch", {**old, "spec": {**old["spec"], "completions": 5}}, old) == [
        "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"
    ]


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ("@hourly", ""),
        ("@every 1h30m", ""),
        ("0 9-17/2 * jan,Mar MON-FRI", ""),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("61 * * * *", "end of range (61) above maximum (59): 61"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@reboot", "unrecognized descriptor: @reboot"),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ],
)
def test_a_schedule_is_one_of_cron(schedule: str, fault: str) -> None:
    found = faults("cronjobs.batch", cron_job(schedule))
    assert [text.partition(": Invalid value: ")[2].partition('": ')[2] for text in found] == (
        [fault] if fault else []
    )


def test_what_else_is_wrong_with_a_cron_job() -> None:
    assert faults("cronjobs.batch", cron_job("")) == ["spec.schedule: Required value"]
    assert faults("cronjobs.batch", cron_job(timeZone="Europe/Vienna")) == []
    assert faults("cronjobs.batch", cron_job(timeZone="Nowhere/Else")) == [
        'spec.timeZone: Invalid value: "Nowhere/Else": unknown time zone Nowhere/Else'
    ]
    assert faults("cronjobs.batch", cron_job(name="c" * 53)) == [
        f'metadata.name: Invalid value: "{"c" * 53}": must be no more than 52 characters'
    ]
    assert faults("cronjobs.batch", cron_job(concurrencyPolicy="Maybe")) == [
        'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"'
    ]


def resource(**target: Any) -> Object:
    return {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", **target}}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"minReplicas": 0}, ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"]),
        (
            {"minReplicas": 9},
            ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"],
        ),
        (
            {"metrics": [resource()]},
            [
                "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw "
                "value or a target utilization"
            ],
        ),
        (
            {"metrics": [{"type": "Pods"}]},
            ["spec.metrics[0].pods: Required value: must populate information for the given metric source"],
        ),
        (
            {"behavior": {"scaleUp": {"stabilizationWindowSeconds": 3601}}},
            [
                "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to "
                "3600"
            ],
        ),
        (
            {"behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 9}]}}},
            ["spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero"],
        ),
        (
            {"scaleTargetRef": {"kind": "Deployment", "name": ""}},
            ["spec.scaleTargetRef.name: Required value"],
        ),
    ],
)
def test_what_is_wrong_with_an_autoscaler(spec: Object, expected: list[str]) -> None:
    assert faults("horizontalpodautoscalers.autoscaling", autoscaler(**spec)) == expected


def test_an_autoscaler_goes_by_cpu_and_fills_in_a_behavior() -> None:
    spec = autoscaler(behavior={"scaleDown": {"selectPolicy": "Min"}})["spec"]
    assert spec["minReplicas"] == 1
    assert spec["metrics"] == [resource(averageUtilization=80)]
    assert spec["behavior"]["scaleDown"] == {
        "selectPolicy": "Min",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    }
    assert len(spec["behavior"]["scaleUp"]["policies"]) == 2
    assert "behavior" not in autoscaler()["spec"]


def test_an_autoscaler_of_the_older_version_is_the_same_one() -> None:
    reference = {"kind": "Service", "name": "s"}
    metric = {"name": "hits", "selector": {"matchLabels": {"a": "b"}}}
    full = autoscaler(
        metrics=[
            resource(averageUtilization=70),
            {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
            {"type": "Pods", "pods": {"metric": metric, "target": {"type": "AverageValue", "averageValue": "5"}}},
            {"type": "Object", "object": {"describedObject": reference, "metric": metric, "target": {"type": "Value", "value": "5"}}},
            {"type": "External", "external": {"metric": metric, "target": {"type": "AverageValue", "averageValue": "5"}}},
            {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "target": {"type": "Utilization", "averageUtilization": 9}}},
        ],
        behavior={"scaleUp": {"selectPolicy": "Min"}},
    )  # fmt: skip
    full["status"] = {
        "currentReplicas": 1, "desiredReplicas": 2, "conditions": [{"type": "AbleToScale", "status": "True"}],
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}],
    }  # fmt: skip
    older = from_v2(full)
    assert older["spec"]["targetCPUUtilizationPercentage"] == 70
    assert older["status"] == {
        "currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 7,
    }  # fmt: skip
    again = to_v2(older)
    assert sorted(again["spec"].pop("metrics"), key=str) == sorted(full["spec"]["metrics"], key=str)
    assert {k: v for k, v in full["spec"].items() if k != "metrics"} == again["spec"]
    assert again["metadata"] == full["metadata"]
    assert again["status"] == full["status"]


def test_an_older_autoscaler_without_a_target_aims_at_the_default() -> None:
    older = {"metadata": {"name": "a"}, "spec": {"maxReplicas": 3}}
    assert to_v2(older)["spec"]["metrics"] == [resource(averageUtilization=80)]
    spoilt = {
        **older,
        "metadata": {"name": "a", "annotations": {"autoscaling.alpha.kubernetes.io/metrics": "{["}},
    }
    assert to_v2(spoilt)["spec"]["metrics"] == [resource(averageUtilization=80)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 1}, []),
        ({"maxUnavailable": "30%"}, []),
        ({"minAvailable": -1}, ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"maxUnavailable": "101%"},
            ['spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
        ),
        (
            {"minAvailable": 1, "maxUnavailable": 1},
            [
                'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be '
                "both set"
            ],
        ),
        (
            {"unhealthyPodEvictionPolicy": "Never"},
            [
                'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", '
                '"IfHealthyBudget"'
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_budget(spec: Object, expected: list[str]) -> None:
    assert faults("poddisruptionbudgets.policy", budget(**spec)) == expected


def cells(resource: str, obj: Object) -> dict[str, Any]:
    """What `kubectl get` shows of an object made an hour ago."""
    obj = {**obj, "metadata": {**obj["metadata"], "creationTimestamp": "2027-01-15T07:00:00Z"}}
    return {column.name: column.value(obj, 1_800_000_000.0) for column in kinds.by_resource(resource).columns}


def test_the_table_of_jobs() -> None:
    running = {**job(completions=3), "status": {"startTime": "2027-01-15T07:30:00Z", "succeeded": 1}}
    shown = cells("jobs.batch", running)
    assert list(shown) == [
        "Name",
        "Status",
        "Completions",
        "Duration",
        "Age",
        "Containers",
        "Images",
        "Selector",
    ]
    assert (shown["Status"], shown["Completions"], shown["Duration"]) == ("Running", "1/3", "30m")
    assert shown["Selector"] == "batch.kubernetes.io/controller-uid=u"
    complete = {
        "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}],
        "startTime": "2027-01-15T07:30:00Z", "completionTime": "2027-01-15T07:30:05Z", "succeeded": 1,
    }  # fmt: skip
    shown = cells("jobs.batch", {**job(parallelism=4), "status": complete})
    assert (shown["Status"], shown["Completions"], shown["Duration"]) == ("Complete", "1/1 of 4", "5s")
    waiting = {**job(suspend=True), "status": {"conditions": [{"type": "Suspended", "status": "True"}]}}
    assert (cells("jobs.batch", waiting)["Status"], cells("jobs.batch", waiting)["Duration"]) == (
        "Suspended",
        "",
    )


def test_the_table_of_cron_jobs() -> None:
    shown = cells("cronjobs.batch", {**cron_job("@hourly"), "status": {"active": [{}, {}]}})
    assert (shown["Schedule"], shown["Timezone"], shown["Suspend"]) == ("@hourly", "<none>", "False")
    assert (shown["Active"], shown["Last Schedule"], shown["Age"]) == (2, "<none>", "60m")
    served = {**cron_job(timeZone="UTC"), "status": {"lastScheduleTime": "2027-01-15T07:59:00Z"}}
    assert (cells("cronjobs.batch", served)["Timezone"], cells("cronjobs.batch", served)["Last Schedule"]) == (
        "UTC", "60s",
    )  # fmt: skip


def test_the_table_of_autoscalers_shows_two_metrics_and_counts_the_rest() -> None:
    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
    }
    found = autoscaler(metrics=[resource(averageUtilization=70), memory, memory])
    measured = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}
    found["status"] = {"currentReplicas": 2, "currentMetrics": [measured]}
    shown = cells("horizontalpodautoscalers.autoscaling", found)
    assert shown["Reference"] == "Deployment/web"
    assert shown["Targets"] == "cpu: 7%/70%, memory: <unknown>/1Gi + 1 more..."
    assert (shown["MinPods"], shown["MaxPods"], shown["Replicas"]) == ("1", 3, 2)
    older = kinds.by_path("autoscaling", "v1", "horizontalpodautoscalers")
    assert older is not None
    (targets,) = [column for column in older.columns if column.name == "Targets"]
    assert targets.value(from_v2(found), 0.0) == "cpu: 7%/70%"


def test_the_table_of_budgets() -> None:
    shown = cells(
        "poddisruptionbudgets.policy", {**budget(minAvailable="50%"), "status": {"disruptionsAllowed": 2}}
    )
    assert (shown["Min Available"], shown["Max Unavailable"], shown["Allowed Disruptions"]) == (
        "50%",
        "N/A",
        2,
    )
