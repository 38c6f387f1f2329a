"""Counting is exact: whatever ends, is deleted, or dies in between, each pod is counted once."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.objects import deletion, indexes
from app.objects.change import Object
from app.objects.meta import is_deleting
from tests.controllers.jobs import KEY, active, conditions, end, put_job, run_out, status
from tests.controllers.worlds import World
from workers.controllers.jobs import job

ROLE = "job-controller"


class Counting(RuleBasedStateMachine):
    """A job whose pods end and are deleted at random, and whose controller is cut off at random."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World([job.role(30)])
        self.succeeded: dict[str, int] = {}
        self.failed: set[str] = set()
        self.completions = 0
        self.indexed = False

    @initialize(
        completions=st.integers(1, 6),
        parallelism=st.integers(1, 4),
        indexed=st.booleans(),
        policy=st.booleans(),
    )
    def start(self, completions: int, parallelism: int, indexed: bool, policy: bool) -> None:
        spec: dict[str, Any] = {
            "completions": completions,
            "parallelism": parallelism,
            "backoffLimit": 10_000,
        }
        if indexed:
            spec["completionMode"] = "Indexed"
        spec["podReplacementPolicy"] = "Failed" if policy else "TerminatingOrFailed"
        self.completions, self.indexed = completions, indexed
        put_job(self.world, **spec)
        self.world.settle()

    def running(self) -> list[Object]:
        return [
            pod
            for pod in self.world.list("pods")
            if pod["status"].get("phase") not in ("Succeeded", "Failed")
            and not (is_deleting(pod) and not pod["metadata"]["deletionGracePeriodSeconds"])
        ]

    @precondition(lambda self: self.running())
    @rule(data=st.data(), code=st.integers(0, 1))
    def a_pod_ends(self, data: st.DataObject, code: int) -> None:
        pod = data.draw(st.sampled_from(self.running()))
        uid = pod["metadata"]["uid"]
        held = bool(pod["metadata"].get("finalizers"))
        end(self.world, pod, code)
        # What was counted as failed when it was asked to end stays so, and what is not held is nobody's.
        if held and uid not in self.failed and not self.is_counted(uid):
            if code == 0:
                note = pod["metadata"].get("annotations") or {}
                self.succeeded[uid] = int(note.get("batch.kubernetes.io/job-completion-index", "-1"))
            else:
                self.failed.add(uid)

    def is_counted(self, uid: str) -> bool:
        lists = status(self.world).get("uncountedTerminatedPods") or {}
        return any(uid in uids for uids in lists.values())

    @precondition(lambda self: active(self.world))
    @rule(data=st.data(), placed=st.booleans())
    def a_pod_is_deleted(self, data: st.DataObject, placed: bool) -> None:
        pod = data.draw(st.sampled_from(active(self.world)))
        key = f"default/{pod['metadata']['name']}"
        if placed:
            pod = self.world.edit("pods", key, lambda p: p["spec"].update(nodeName="n"))
        removal = deletion.removal("pods", pod, self.world.now)
        assert removal is not None
        self.world.commit([removal])

    @rule()
    def the_agents_are_done(self) -> None:
        for pod in self.world.list("pods"):
            if is_deleting(pod):
                run_out(self.world, pod)

    @rule(data=st.data())
    def a_finished_pod_is_deleted(self, data: st.DataObject) -> None:
        done = [p for p in self.world.list("pods") if p["status"].get("phase") in ("Succeeded", "Failed")]
        if done:
            removal = deletion.removal("pods", data.draw(st.sampled_from(done)), self.world.now)
            if removal is not None:
                self.world.commit([removal])

    @rule(lost=st.lists(st.integers(0, 9), min_size=1, max_size=4), prefix=st.booleans())
    def the_controller_is_cut_off(self, lost: list[int], prefix: bool) -> None:
        """Of each of some plans in a row one write is lost, or all after it too, or none; then it goes on."""
        for position in lost:
            writes = list(self.world.plan(ROLE, KEY).writes)
            at = position % (len(writes) + 1)
            self.world.commit(writes[:at] if prefix else [*writes[:at], *writes[at + 1 :]], ROLE)
        self.world.queue[ROLE, KEY] = None

    @rule(seconds=st.sampled_from([5, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.settle()
        self.world.advance(seconds)

    @invariant()
    def nobody_is_counted_who_did_not_succeed(self) -> None:
        told = status(self.world)
        lists = told.get("uncountedTerminatedPods") or {}
        counted = told.get("succeeded", 0) + len(lists.get("succeeded") or ())
        if self.indexed:
            done = indexes.read(told.get("completedIndexes") or "", self.completions)
            assert len(done) == told.get("succeeded", 0)
            assert done <= set(self.succeeded.values())
        else:
            assert counted <= len(self.succeeded)

    @invariant()
    def no_uid_is_in_both_lists(self) -> None:
        lists = status(self.world).get("uncountedTerminatedPods") or {}
        assert not set(lists.get("succeeded") or ()) & set(lists.get("failed") or ())

    def teardown(self) -> None:
        """Left to itself the job is complete, with exactly so many successes as there were."""
        if not self.completions:
            return
        for _ in range(200):
            self.world.settle()
            if "Complete" in conditions(self.world):
                break
            self.the_agents_are_done()
            self.world.settle()
            self.world.advance(400)
            for pod in active(self.world):
                uid = pod["metadata"]["uid"]
                index = (pod["metadata"].get("annotations") or {}).get(
                    "batch.kubernetes.io/job-completion-index"
                )
                end(self.world, pod)
                self.succeeded[uid] = int(index or -1)
        self.world.settle()
        told = status(self.world)
        assert "Complete" in conditions(self.world)
        assert told["uncountedTerminatedPods"] == {}
        if self.indexed:
            assert told["completedIndexes"] == indexes.written(range(self.completions))
            assert told["succeeded"] == self.completions
        else:
            assert told["succeeded"] == len(self.succeeded) >= self.completions
        assert told.get("failed", 0) >= len(self.failed)
        assert not any(pod["metadata"].get("finalizers") for pod in self.world.list("pods"))


Counting.TestCase.settings = settings(
    max_examples=300, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
test_every_pod_is_counted_exactly_once = Counting.TestCase
