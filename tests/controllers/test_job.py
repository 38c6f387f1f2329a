from __future__ import annotations

from typing import Any

import pytest

from app.base.clock import parse_rfc3339, rfc3339
from app.objects.change import Object
from app.objects.jobs import TRACKING
from tests.controllers.jobs import KEY, active, conditions, end, found, job, put_job, run_out, status
from tests.controllers.worlds import START, World
from workers.controllers.jobs import job as job_controller

INDEX = "batch.kubernetes.io/job-completion-index"


@pytest.fixture
def world() -> World:
    return World([job_controller.role(30)])


def bound(world: World) -> None:
    """All pods run somewhere, so that deleting them takes time."""
    for pod in active(world):
        key = f"default/{pod['metadata']['name']}"
        world.edit(
            "pods", key, lambda p: (p["spec"].update(nodeName="n"), p["status"].update(phase="Running"))
        )


def indexes(world: World) -> list[str]:
    return sorted(pod["metadata"]["annotations"][INDEX] for pod in active(world))


def reasons(world: World) -> list[str]:
    return [event.reason for event in world.events]


def test_a_job_runs_one_pod_and_is_complete(world: World) -> None:
    made = put_job(world)
    world.settle()
    (pod,) = active(world)
    assert pod["metadata"]["finalizers"] == [TRACKING]
    assert pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] == made["metadata"]["uid"]
    assert pod["metadata"]["labels"]["job-name"] == "work"
    assert status(world) == {
        "active": 1, "ready": 0, "terminating": 0, "startTime": rfc3339(START), "uncountedTerminatedPods": {},
    }  # fmt: skip
    world.now += 60
    end(world, pod)
    world.settle()
    assert conditions(world) == {
        "SuccessCriteriaMet": "CompletionsReached", "Complete": "CompletionsReached",
    }  # fmt: skip
    assert status(world)["succeeded"] == 1
    assert status(world)["completionTime"] == rfc3339(START + 60)
    assert "active" not in status(world)
    (left,) = world.list("pods")
    assert "finalizers" not in left["metadata"]
    assert reasons(world) == ["SuccessfulCreate", "Completed"]


def test_as_many_pods_run_at_a_time_as_parallelism_says_and_no_more_than_are_missing(world: World) -> None:
    put_job(world, completions=5, parallelism=2)
    world.settle()
    for left in (2, 2, 2, 2, 1, 0):
        assert len(active(world)) == left
        if left:
            end(world, active(world)[0])
            world.settle()
    assert status(world)["succeeded"] == 5
    assert "Complete" in conditions(world)


def test_without_completions_the_first_success_stops_further_pods(world: World) -> None:
    put_job(world, parallelism=3)
    world.settle()
    first, *others = active(world)
    end(world, first)
    world.settle()
    assert conditions(world) == {}
    for pod in others:
        end(world, pod, 1)
    world.settle()
    assert "Complete" in conditions(world)
    assert (status(world)["succeeded"], status(world)["failed"]) == (1, 2)


def test_a_failed_pod_is_replaced_after_a_wait_that_doubles_up_to_six_minutes(world: World) -> None:
    put_job(world, backoffLimit=20)
    world.settle()
    for seconds in (10, 20, 40, 80, 160, 320, 360, 360):
        (pod,) = active(world)
        end(world, pod, 1)
        world.settle()
        world.advance(seconds - 1)
        assert active(world) == []
        world.advance(1)
        assert len(active(world)) == 1


def test_a_success_ends_the_waiting(world: World) -> None:
    put_job(world, completions=3, parallelism=1, backoffLimit=5)
    world.settle()
    end(world, active(world)[0], 1)
    world.settle()
    world.advance(10)
    end(world, active(world)[0])
    world.settle()
    assert len(active(world)) == 1


def test_a_job_fails_with_one_failure_more_than_its_limit(world: World) -> None:
    put_job(world, backoffLimit=1)
    world.settle()
    end(world, active(world)[0], 1)
    world.settle()
    assert conditions(world) == {}
    world.advance(10)
    end(world, active(world)[0], 1)
    world.settle()
    assert conditions(world) == {"FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
    assert status(world)["failed"] == 2
    assert reasons(world)[-1] == "BackoffLimitExceeded"
    assert [pod["metadata"].get("finalizers") for pod in world.list("pods")] == [None, None]


def test_a_job_has_failed_only_once_its_last_pod_has_ended(world: World) -> None:
    put_job(world, completions=2, parallelism=2, backoffLimit=0)
    world.settle()
    bound(world)
    world.settle()
    end(world, active(world)[0], 1)
    world.settle()
    assert conditions(world) == {"FailureTarget": "BackoffLimitExceeded"}
    assert status(world)["terminating"] == 1
    (going,) = [pod for pod in world.list("pods") if pod["metadata"].get("deletionTimestamp")]
    run_out(world, going)
    world.settle()
    assert "Failed" in conditions(world)
    assert status(world)["failed"] == 2
    assert status(world)["terminating"] == 0


def test_restarts_within_a_pod_count_towards_the_limit(world: World) -> None:
    put_job(world, restartPolicy="OnFailure", backoffLimit=2)
    world.settle()
    (pod,) = active(world)

    def restarted(times: int) -> None:
        world.edit(
            "pods",
            f"default/{pod['metadata']['name']}",
            lambda p: p["status"].update(containerStatuses=[{"name": "main", "restartCount": times}]),
        )
        world.settle()

    restarted(1)
    assert conditions(world) == {}
    restarted(2)
    assert "FailureTarget" in conditions(world)


def test_a_job_that_is_active_for_too_long_fails(world: World) -> None:
    put_job(world, activeDeadlineSeconds=30)
    world.settle()
    world.advance(29)
    assert conditions(world) == {}
    world.advance(1)
    world.settle()
    assert conditions(world)["Failed"] == "DeadlineExceeded"


def test_a_finished_job_goes_when_its_time_is_over(world: World) -> None:
    put_job(world, ttlSecondsAfterFinished=100)
    world.settle()
    end(world, active(world)[0])
    world.settle()
    world.advance(99)
    assert not found(world)["metadata"].get("deletionTimestamp")
    world.advance(1)
    assert found(world)["metadata"]["finalizers"] == ["foregroundDeletion"]


def test_a_suspended_job_loses_its_pods_and_counts_none_of_them(world: World) -> None:
    put_job(world, completions=2, parallelism=2)
    world.settle()
    bound(world)
    world.edit("jobs.batch", KEY, lambda j: j["spec"].update(suspend=True))
    world.settle()
    assert active(world) == []
    assert conditions(world) == {"Suspended": "JobSuspended"}
    for pod in world.list("pods"):
        run_out(world, pod)
    world.settle()
    world.now += 1000
    world.edit("jobs.batch", KEY, lambda j: j["spec"].update(suspend=False))
    world.settle()
    assert len(active(world)) == 2
    assert conditions(world) == {}
    assert "failed" not in status(world)
    assert parse_rfc3339(status(world)["startTime"]) == START + 1000
    assert reasons(world)[-3:] == ["Resumed", "SuccessfulCreate", "SuccessfulCreate"] or "Resumed" in reasons(
        world
    )


def test_a_job_that_begins_suspended_has_not_started(world: World) -> None:
    put_job(world, suspend=True)
    world.settle()
    assert active(world) == []
    assert "startTime" not in status(world)
    assert conditions(world) == {"Suspended": "JobSuspended"}


def test_pods_have_numbers_names_and_hostnames_of_them(world: World) -> None:
    put_job(world, completions=3, parallelism=3, completionMode="Indexed")
    world.settle()
    assert indexes(world) == ["0", "1", "2"]
    pod = active(world)[1]
    assert pod["metadata"]["name"].startswith("work-1-")
    assert pod["metadata"]["labels"][INDEX] == "1"
    assert pod["spec"]["hostname"] == "work-1"
    (variable,) = pod["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == f"metadata.labels['{INDEX}']"


def test_each_index_must_succeed_and_a_failed_one_is_done_again(world: World) -> None:
    put_job(world, completions=4, parallelism=4, completionMode="Indexed")
    world.settle()
    pods = active(world)
    end(world, pods[0])
    end(world, pods[1], 1)
    end(world, pods[2])
    end(world, pods[3])
    world.settle()
    assert status(world)["completedIndexes"] == "0,2,3"
    world.advance(10)
    assert indexes(world) == ["1"]
    end(world, active(world)[0])
    world.settle()
    assert status(world)["completedIndexes"] == "0-3"
    assert status(world)["succeeded"] == 4
    assert "Complete" in conditions(world)


def test_an_index_has_a_limit_of_its_own(world: World) -> None:
    put_job(world, completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=1)
    world.settle()
    first, second = active(world)
    assert first["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] == "0"
    end(world, first, 1)
    world.settle()
    world.advance(10)
    (again,) = [p for p in active(world) if p["metadata"]["annotations"][INDEX] == "0"]
    assert again["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] == "1"
    end(world, again, 1)
    world.settle()
    assert status(world)["failedIndexes"] == "0"
    assert conditions(world) == {}
    world.advance(1000)
    assert indexes(world) == ["1"]
    end(world, second)
    world.settle()
    assert conditions(world)["Failed"] == "FailedIndexes"
    assert status(world)["completedIndexes"] == "1"
    assert status(world)["failed"] == 2


def test_too_many_failed_indexes_end_the_job(world: World) -> None:
    put_job(
        world,
        completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=0, maxFailedIndexes=0,
    )  # fmt: skip
    world.settle()
    end(world, active(world)[0], 1)
    world.settle()
    assert conditions(world)["Failed"] == "MaxFailedIndexesExceeded"


def test_an_indexed_job_grows_and_shrinks(world: World) -> None:
    put_job(world, completions=2, parallelism=2, completionMode="Indexed")
    world.settle()
    end(world, active(world)[0])
    world.settle()
    world.edit("jobs.batch", KEY, lambda j: j["spec"].update(completions=4, parallelism=4))
    world.settle()
    assert indexes(world) == ["1", "2", "3"]
    world.edit("jobs.batch", KEY, lambda j: j["spec"].update(completions=1, parallelism=1))
    world.settle()
    assert active(world) == []
    assert "Complete" in conditions(world)


@pytest.mark.parametrize(
    ("rule", "succeeded"),
    [
        ({"succeededIndexes": "0,2"}, (0, 2)),
        ({"succeededCount": 2}, (1, 2)),
        ({"succeededIndexes": "1-2", "succeededCount": 1}, (2,)),
    ],
)
def test_a_success_policy_ends_a_job_early(world: World, rule: Object, succeeded: tuple[int, ...]) -> None:
    put_job(world, completions=3, parallelism=3, completionMode="Indexed", successPolicy={"rules": [rule]})
    world.settle()
    pods = active(world)
    for index in succeeded[:-1]:
        end(world, pods[index])
    world.settle()
    assert conditions(world) == {}
    end(world, pods[succeeded[-1]])
    world.settle()
    assert conditions(world) == {"SuccessCriteriaMet": "SuccessPolicy", "Complete": "SuccessPolicy"}
    assert active(world) == []


def policy(action: str, **rule: Any) -> Object:
    return {"rules": [{"action": action, **rule}]}


CODE_42 = {"onExitCodes": {"operator": "In", "values": [42]}}
DISRUPTED = {"onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_an_exit_code_fails_the_whole_job(world: World) -> None:
    put_job(world, completions=2, parallelism=2, podFailurePolicy=policy("FailJob", **CODE_42))
    world.settle()
    pod = active(world)[0]
    end(world, pod, 42)
    world.settle()
    condition = next(c for c in status(world)["conditions"] if c["type"] == "FailureTarget")
    name = pod["metadata"]["name"]
    assert condition["reason"] == "PodFailurePolicy"
    assert condition["message"] == (
        f"Container main for pod default/{name} failed with exit code 42 matching FailJob rule at index 0"
    )
    assert active(world) == []


def test_a_disrupted_pod_is_replaced_and_not_counted(world: World) -> None:
    put_job(world, backoffLimit=0, podFailurePolicy=policy("Ignore", **DISRUPTED))
    world.settle()
    end(world, active(world)[0], 1, type="DisruptionTarget", status="True")
    world.settle()
    world.advance(10)
    assert len(active(world)) == 1
    assert "failed" not in status(world)


def test_an_exit_code_fails_an_index(world: World) -> None:
    put_job(
        world,
        completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=5,
        podFailurePolicy=policy("FailIndex", **CODE_42),
    )  # fmt: skip
    world.settle()
    end(world, active(world)[0], 42)
    world.settle()
    assert status(world)["failedIndexes"] == "0"


def test_a_pod_is_replaced_once_it_is_asked_to_end_or_once_it_has(world: World) -> None:
    for name, wanted in (("TerminatingOrFailed", 1), ("Failed", 0)):
        world = World([job_controller.role(30)])
        put_job(world, podReplacementPolicy=name)
        world.settle()
        bound(world)
        (pod,) = active(world)
        world.edit(
            "pods",
            f"default/{pod['metadata']['name']}",
            lambda p: p["metadata"].update(
                deletionTimestamp=rfc3339(START + 30), deletionGracePeriodSeconds=30
            ),
        )
        world.settle()
        world.advance(10)
        assert len(active(world)) == wanted
        (going,) = [p for p in world.list("pods") if p["metadata"].get("deletionTimestamp")]
        run_out(world, going)
        world.settle()
        world.advance(20)
        assert len(active(world)) == 1
        assert status(world)["failed"] == 1


def test_a_job_that_somebody_else_manages_is_left_alone(world: World) -> None:
    put_job(world, managedBy="example.com/queue")
    world.settle()
    assert world.list("pods") == []
    assert status(world) == {}


def test_pods_of_a_job_that_is_gone_are_held_by_nothing(world: World) -> None:
    put_job(world, completions=2, parallelism=2)
    world.settle()
    world.remove("jobs.batch", KEY)
    world.settle()
    assert [pod["metadata"].get("finalizers") for pod in world.list("pods")] == [None, None]


def test_pods_of_a_former_job_of_the_same_name_are_held_by_nothing(world: World) -> None:
    put_job(world)
    world.settle()
    (old,) = active(world)
    world.commit([])
    del world.objects["jobs.batch"][KEY]
    put_job(world)
    world.settle()
    again = world.get("pods", f"default/{old['metadata']['name']}")
    assert again is not None
    assert "finalizers" not in again["metadata"]
    assert len([p for p in active(world) if p["metadata"].get("finalizers")]) == 1


def test_the_same_plan_twice_makes_no_pod_twice(world: World) -> None:
    put_job(world, completions=3, parallelism=3)
    plan = world.plan("job-controller", KEY)
    world.carry_out("job-controller", KEY, plan)
    world.commit(plan.writes)
    assert len(active(world)) == 3


def test_a_manual_selector_adopts_pods_that_match(world: World) -> None:
    body = job(manualSelector=True, selector={"matchLabels": {"app": "work"}})
    world.put("pods", {
        "metadata": {"name": "loose", "namespace": "default", "labels": {"app": "work"}},
        "spec": {"containers": [{"name": "main"}]}, "status": {"phase": "Running"},
    })  # fmt: skip
    world.put("jobs.batch", body)
    world.settle()
    (pod,) = active(world)
    assert pod["metadata"]["name"] == "loose"
    assert pod["metadata"]["finalizers"] == [TRACKING]
    end(world, pod)
    world.settle()
    assert "Complete" in conditions(world)
