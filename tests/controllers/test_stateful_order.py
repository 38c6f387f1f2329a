"""Whatever happens to a StatefulSet's pods, and wherever its plans are cut short: their order holds, no update takes
more than it may, and in the end all is as declared."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.objects import pods
from app.objects.change import Change, Object, Operation
from app.objects.deletion import removal
from app.objects.meta import is_deleting, labels
from tests.controllers.worlds import World, pod_template, stateful_set
from workers.controllers.stateful import stateful_set as stateful_sets
from workers.controllers.stateful.identity import ordinals, parted
from workers.reconcile.plan import Plan

KEY = "default/web"
ROLE = "statefulset-controller"
PICK = st.integers(0, 10_000)


def is_up(pod: Object) -> bool:
    return pods.is_active(pod) and pods.is_ready(pod) and pod["status"]["phase"] == "Running"


class Life(RuleBasedStateMachine):
    """A set, its pods, and everybody who does something to them."""

    @initialize(
        replicas=st.integers(1, 4),
        ordered=st.booleans(),
        unavailable=st.integers(1, 3),
        partition=st.integers(0, 2),
        start=st.integers(0, 2),
    )
    def begin(self, replicas: int, ordered: bool, unavailable: int, partition: int, start: int) -> None:
        self.world = World([stateful_sets.role(30)])
        self.ordered, self.unavailable = ordered, unavailable
        self.images = 1
        rolling = {"partition": partition, "maxUnavailable": unavailable}
        self.world.put(
            "statefulsets.apps",
            stateful_set(
                replicas=replicas,
                podManagementPolicy="OrderedReady" if ordered else "Parallel",
                updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling},
                ordinals={"start": start},
            ),
        )
        self.world.on_change = self.check

    # what must hold of each thing that the controller does

    def check(self, change: Change) -> None:
        if change.resource != "pods" or change.actor != ROLE:
            return
        number = parted(change.new["metadata"]["name"])[1]  # type: ignore[index]
        members = self.members()
        wanted = ordinals(self.world.objects["statefulsets.apps"][KEY])
        if change.operation is Operation.ADDED:
            assert number in wanted
            if self.ordered:
                before = [members.get(n) for n in range(wanted.start, number)]
                assert all(pod is not None and is_up(pod) for pod in before), "made before its turn"
            return
        old = change.old
        goes = change.operation is Operation.DELETED or (is_deleting(change.new) and not is_deleting(old))  # type: ignore[arg-type]
        if not goes or not is_up(old):  # type: ignore[arg-type]
            return
        missing = [n for n in wanted if n not in members or not is_up(members[n])]
        if number in wanted:
            assert labels(old)["controller-revision-hash"] != self.newest(), "an updated pod was taken"  # type: ignore[arg-type]
            assert len(missing) <= self.unavailable, "an update took more than it may"
        elif self.ordered:
            assert not missing, "scaled down while others were missing"
            assert max(members, default=number) <= number, "not the last one"

    def members(self) -> dict[int, Object]:
        found = {parted(p["metadata"]["name"])[1]: p for p in self.world.objects["pods"].values()}  # type: ignore[index]
        return dict(sorted(found.items()))

    def newest(self) -> str:
        every = self.world.objects["controllerrevisions.apps"].values()
        newest = max(every, key=lambda r: r["revision"])
        return str(newest["metadata"]["name"])

    # what happens

    @rule(cut=st.none() | st.integers(0, 6))
    def plan(self, cut: int | None) -> None:
        found = self.world.plan(ROLE, KEY)
        if cut is None:
            self.world.queue.pop((ROLE, KEY), None)
            self.world.carry_out(ROLE, KEY, found)
        else:
            self.world.carry_out(ROLE, KEY, Plan(found.writes[:cut]))
            self.world.queue[ROLE, KEY] = None

    def pick(self, number: int, candidates: list[Object]) -> str:
        return f"default/{candidates[number % len(candidates)]['metadata']['name']}" if candidates else ""

    @rule(number=PICK)
    def a_pod_starts(self, number: int) -> None:
        key = self.pick(number, [p for p in self.members().values() if pods.is_active(p) and not is_up(p)])
        if key:
            self.world.edit("pods", key, lambda pod: pod["spec"].update(nodeName="n"))
            self.world.make_ready(key)

    @rule(number=PICK)
    def a_pod_is_no_longer_ready(self, number: int) -> None:
        key = self.pick(number, [p for p in self.members().values() if is_up(p)])
        if key:
            self.world.edit("pods", key, lambda pod: pod["status"].update(conditions=[]))

    @rule(number=PICK, phase=st.sampled_from(["Failed", "Succeeded"]))
    def a_pod_ends(self, number: int, phase: str) -> None:
        key = self.pick(number, [p for p in self.members().values() if not pods.is_terminal(p)])
        if key:
            self.world.edit("pods", key, lambda pod: pod["status"].update(phase=phase, conditions=[]))

    @rule(number=PICK)
    def an_agent_is_done_with_a_pod(self, number: int) -> None:
        key = self.pick(number, [p for p in self.members().values() if is_deleting(p)])
        if key:
            self.world.remove("pods", key)

    @rule()
    def all_goes_well(self) -> None:
        """For a while pods start and end as they should, until all is at rest."""
        for _ in range(200):
            self.world.queue[ROLE, KEY] = None
            self.world.settle()
            members = self.members().values()
            starting = [p for p in members if pods.is_active(p) and not is_up(p)]
            ending = [p for p in members if is_deleting(p)]
            if starting:
                self.a_pod_starts(0)
            if ending:
                self.an_agent_is_done_with_a_pod(0)
            if not starting and not ending:
                break

    @rule(number=PICK)
    def somebody_deletes_a_pod(self, number: int) -> None:
        key = self.pick(number, [p for p in self.members().values() if not is_deleting(p)])
        write = removal("pods", self.world.objects["pods"][key], self.world.now) if key else None
        if write:
            self.world.commit([write])

    def change(self, change: Any) -> None:
        def edited(obj: Object) -> None:
            change(obj["spec"])
            obj["metadata"]["generation"] += 1

        self.world.edit("statefulsets.apps", KEY, edited)

    @rule(replicas=st.integers(0, 5))
    def somebody_scales(self, replicas: int) -> None:
        self.change(lambda spec: spec.update(replicas=replicas))

    @rule(image=st.integers(1, 3))
    def somebody_changes_the_template(self, image: int) -> None:
        self.change(lambda spec: spec.update(template=pod_template(f"web:{image}")))

    @rule(number=PICK)
    @precondition(lambda self: self.world.objects["controllerrevisions.apps"])
    def somebody_orphans_a_pod(self, number: int) -> None:
        key = self.pick(number, [p for p in self.members().values() if not is_deleting(p)])
        if key:
            self.world.edit("pods", key, lambda pod: pod["metadata"].update(ownerReferences=[]))

    def teardown(self) -> None:
        """Left alone, it becomes what was declared."""
        if not hasattr(self, "world"):
            return
        self.change(lambda spec: spec["updateStrategy"]["rollingUpdate"].update(partition=0))
        self.all_goes_well()
        found = self.world.objects["statefulsets.apps"][KEY]
        wanted = ordinals(found)
        assert list(self.members()) == list(wanted)
        revisions = {labels(pod)["controller-revision-hash"] for pod in self.members().values()}
        assert revisions <= {self.newest()}
        status = found["status"]
        assert status["currentRevision"] == status["updateRevision"] == self.newest()
        assert status["replicas"] == status["availableReplicas"] == len(wanted)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
