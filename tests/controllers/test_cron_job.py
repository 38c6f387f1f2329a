from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.clock import rfc3339
from app.objects import cron
from app.objects.change import Object
from app.objects.meta import controller_reference
from tests.controllers.jobs import job
from tests.controllers.worlds import START, World
from workers.controllers import cron_job
from workers.controllers.cron_times import due

KEY = "default/tick"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


@pytest.fixture
def world() -> World:
    return World([cron_job.ROLE])


def put(world: World, schedule: str = "*/5 * * * *", **spec: Any) -> Object:
    return world.put("cronjobs.batch", {
        "metadata": {"name": "tick", "namespace": "default"},
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Allow",
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": job()["spec"]["template"]}},
            **spec,
        },
    })  # fmt: skip


def names(world: World) -> list[str]:
    return [item["metadata"]["name"] for item in world.list("jobs.batch")]


def status(world: World) -> Object:
    found = world.get("cronjobs.batch", KEY)
    assert found is not None
    return dict(found.get("status") or {})


def finish(world: World, name: str, condition: str = "Complete") -> None:
    def change(obj: Object) -> None:
        obj["status"] = {
            "conditions": [{"type": condition, "status": "True"}],
            "startTime": rfc3339(world.now),
            "completionTime": rfc3339(world.now),
        }

    world.edit("jobs.batch", f"default/{name}", change)
    world.settle()


def test_a_job_is_made_for_each_time_and_named_after_it(world: World) -> None:
    put(world)
    world.settle()
    assert names(world) == []
    world.advance(299)
    assert names(world) == []
    world.advance(1)
    (made,) = world.list("jobs.batch")
    assert made["metadata"]["name"] == f"tick-{int(START + 300) // 60}"
    assert made["metadata"]["annotations"] == {SCHEDULED: rfc3339(START + 300)}
    assert made["metadata"]["labels"] == {"a": "b"}
    assert made["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert made["spec"]["selector"] == {
        "matchLabels": {"batch.kubernetes.io/controller-uid": made["metadata"]["uid"]}
    }
    assert made["spec"]["backoffLimit"] == 6
    assert status(world)["lastScheduleTime"] == rfc3339(START + 300)
    assert [ref["name"] for ref in status(world)["active"]] == names(world)
    world.advance(600)
    assert len(names(world)) == 3


def test_a_time_zone_moves_the_times(world: World) -> None:
    put(world, "30 9 * * *", timeZone="Asia/Kolkata")
    world.settle()
    world.advance(24 * 3600)
    (made,) = world.list("jobs.batch")
    assert made["metadata"]["annotations"][SCHEDULED].endswith("T09:30:00+05:30")


def test_after_a_pause_one_job_is_made_for_the_last_time_missed(world: World) -> None:
    put(world)
    world.now += 3 * 3600 + 61
    world.settle()
    assert names(world) == [f"tick-{int(START + 3 * 3600) // 60}"]


def test_many_missed_times_are_told(world: World) -> None:
    put(world, "* * * * *")
    world.now += 101 * 60
    world.settle()
    assert "TooManyMissedTimes" in [event.reason for event in world.events]
    assert len(names(world)) == 1


def test_a_run_that_is_too_late_is_left_out(world: World) -> None:
    put(world, startingDeadlineSeconds=30)
    world.now += 340
    world.settle()
    assert names(world) == []
    world.advance(260)
    assert len(names(world)) == 1


def test_forbid_waits_for_the_job_that_runs(world: World) -> None:
    put(world, concurrencyPolicy="Forbid")
    world.settle()
    world.advance(600)
    (first,) = names(world)
    assert "JobAlreadyActive" in [event.reason for event in world.events]
    finish(world, first)
    assert len(names(world)) == 2


def test_replace_removes_the_job_that_runs(world: World) -> None:
    put(world, concurrencyPolicy="Replace")
    world.settle()
    world.advance(600)
    assert names(world) == [f"tick-{int(START + 600) // 60}"]


def test_a_suspended_cron_job_makes_none(world: World) -> None:
    put(world, suspend=True)
    world.settle()
    world.advance(3600)
    assert names(world) == []


def test_old_jobs_are_removed_beyond_their_limits(world: World) -> None:
    put(world, successfulJobsHistoryLimit=1, failedJobsHistoryLimit=0)
    world.settle()
    for _ in range(3):
        world.advance(300)
        finish(world, names(world)[-1])
    assert names(world) == [f"tick-{int(START + 900) // 60}"]
    assert status(world)["lastSuccessfulTime"] == rfc3339(START + 900)
    world.advance(300)
    finish(world, names(world)[-1], "Failed")
    assert names(world) == [f"tick-{int(START + 900) // 60}"]


def test_a_job_made_by_hand_is_not_one_of_its_runs(world: World) -> None:
    owner = put(world, concurrencyPolicy="Forbid")
    world.settle()
    manual = job("by-hand")
    manual["metadata"].update(
        annotations={"cronjob.kubernetes.io/instantiate": "manual"},
        ownerReferences=[controller_reference(owner)],
    )
    world.put("jobs.batch", manual)
    world.advance(300)
    assert len(names(world)) == 2
    assert len(status(world)["active"]) == 1


def test_no_job_is_made_twice_if_the_status_was_lost(world: World) -> None:
    put(world)
    world.now += 301
    plan = world.plan("cronjob-controller", KEY)
    world.commit([write for write in plan.writes if write.resource == "jobs.batch"])
    world.settle()
    assert len(names(world)) == 1
    assert status(world)["lastScheduleTime"] == rfc3339(START + 300)


def test_a_name_that_is_taken_is_told(world: World) -> None:
    put(world)
    world.put("jobs.batch", job(f"tick-{int(START + 300) // 60}"))
    world.now += 301
    world.settle()
    assert "FailedCreate" in [event.reason for event in world.events]
    assert len(names(world)) == 1


FIELDS = ("*/7", "0", "13,40", "5-50/15", "*")


@given(
    minute=st.sampled_from(FIELDS),
    hour=st.sampled_from(("*", "0", "*/6", "3-5")),
    zone=st.sampled_from(("", "Europe/Vienna", "America/St_Johns")),
    since=st.integers(0, 400 * 86400),
    ahead=st.integers(0, 20 * 86400),
)
def test_what_is_due_is_the_last_time_that_has_come(
    minute: str, hour: str, zone: str, since: int, ahead: int
) -> None:
    schedule = cron.parse(f"{minute} {hour} * * *")
    began, now = START + since, START + since + ahead
    found = due(schedule, zone, began, None, now)
    assert found.next is not None
    assert found.next > now
    if found.at is None:
        first = schedule.after(began, zone)
        assert first is not None
        assert first > now
    else:
        assert began < found.at <= now
        following = schedule.after(found.at, zone)
        assert following is not None
        assert following > now
        assert found.at % 60 == 0
