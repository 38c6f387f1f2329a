"""A model of one pod on one machine: what decisions lead to, with time, hooks, signals and agents that die.

The agent of the model does what the real one does with a decision, one action after the other, and may die before
or in the middle of any of them: then all it remembers is lost, and so are the hooks it ran and the kills it had
planned, while containers live on and the API keeps the status that it heard last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.base.clock import rfc3339
from app.objects.change import Object
from workers.agent.deciding import backoff
from workers.agent.deciding.containers import Health
from workers.agent.deciding.decide import decide
from workers.agent.deciding.step import (
    Action,
    Decision,
    PostStart,
    PreStop,
    RemoveContainer,
    RemovePod,
    StartContainer,
    StartSandbox,
    Stop,
)
from workers.agent.deciding.stop import Drain
from workers.agent.memory import Ending, PodMemory
from workers.agent.pod import containers, find, init_containers, is_sidecar, newest, ref
from workers.agent.status.pod_status import pod_status
from workers.runtime.protocol import ContainerState, PodState, State

START = 1_800_000_000.0
FOREVER = float("inf")
# More than any of the pods here needs.
ROUNDS = 600


@dataclass(frozen=True)
class Script:
    """How a container behaves.

    Attributes:
        runs: for each attempt, how many seconds it runs and its exit code; the last one holds for all after it.
        stops_in: seconds it takes to end after SIGTERM. starts_in: until its startup probe succeeds.
        hook: seconds that its hooks take. greets, bows: it has a postStart hook, a preStop hook.
    """

    runs: tuple[tuple[float, int], ...] = ((FOREVER, 0),)
    stops_in: float = 0.5
    starts_in: float = 0.0
    hook: float = 1.0
    greets: bool = False
    bows: bool = False


@dataclass(frozen=True)
class Happened:
    """Something the containers got to see. `running`: the names of those that ran then."""

    at: float
    what: str
    name: str
    id: str
    running: frozenset[str]
    deleting: bool = False
    left: float = 0.0


def asked(
    inits: list[tuple[str, bool]],
    mains: list[str],
    scripts: Mapping[str, Script],
    *,
    restart: str = "Always",
    grace: int = 10,
) -> Object:
    """A pod. `inits`: names, and whether each is a sidecar."""

    def container(name: str, sidecar: bool = False) -> Object:
        script = scripts[name]
        made: Object = {"name": name, "image": "i"}
        hook = {"exec": {"command": ["hook"]}}
        lifecycle = {}
        if script.greets:
            lifecycle["postStart"] = hook
        if script.bows:
            lifecycle["preStop"] = hook
        if lifecycle:
            made["lifecycle"] = lifecycle
        if sidecar:
            made["restartPolicy"] = "Always"
        return made

    return {
        "metadata": {"name": "p", "namespace": "d", "uid": "u", "generation": 1},
        "spec": {
            "restartPolicy": restart,
            "terminationGracePeriodSeconds": grace,
            "initContainers": [container(name, sidecar) for name, sidecar in inits],
            "containers": [container(name) for name in mains],
        },
    }


class Died(Exception):
    """The agent did."""


@dataclass
class Model:
    """See the module. `dies_at`: the numbers of the actions before which (`x.0`) or amid which (`x.5`) it does."""

    pod: Object
    scripts: Mapping[str, Script]
    deleted_at: float = FOREVER
    deleted_within: int | None = None
    sandbox_dies_at: float = FOREVER
    dies_at: tuple[float, ...] = ()
    now: float = START
    memory: PodMemory = field(default_factory=PodMemory)
    state: PodState | None = None
    story: list[Happened] = field(default_factory=list)
    finished: bool = False
    deaths: int = 0
    _acted: int = 0
    _ends: dict[str, tuple[float, int]] = field(default_factory=dict)
    _kills: list[tuple[float, str]] = field(default_factory=list)
    _hooks: list[tuple[float, str, str]] = field(default_factory=list)

    def run(self) -> Model:
        """Until nothing happens any more."""
        for _ in range(ROUNDS):
            try:
                decision = self._step()
            except Died:
                self._forget()
                continue
            if self.finished:
                return self
            if decision.actions:
                continue
            if not self._pass_time(decision):
                return self
        raise AssertionError(f"no end: {self.story[-20:]}")

    @property
    def status(self) -> Object:
        return self.pod.get("status") or {}  # type: ignore[no-any-return]

    @property
    def running(self) -> set[str]:
        return {c.name for c in self._containers() if c.state is State.RUNNING}

    def happened(self, what: str) -> list[Happened]:
        return [each for each in self.story if each.what == what]

    # --- the agent

    def _step(self) -> Decision:
        if not self.memory.started_at:
            self.memory.started_at = self.now
        if self._deleting() and self.memory.deleting_since is None:
            self.memory.deleting_since = self.now
        health = self._health()
        self.memory.follow(self.state)
        decision = decide(self.pod, self.state, self.memory, health, self.now, Drain())
        if decision.finished:
            self.finished = True
            return decision
        status = pod_status(self.pod, self.state, self.memory, health, self.now, node_ip="", runtime="test")
        self.pod = {**self.pod, "status": status}
        for action in decision.actions:
            self._acted += 1
            if self._acted in self.dies_at:
                raise Died
            self._carry_out(action)
        return decision

    def _carry_out(self, action: Action) -> None:
        halfway = self._acted + 0.5 in self.dies_at
        if isinstance(action, StartSandbox):
            self.state = PodState(ref(self.pod), "10.0.0.1", True, tuple(self._containers()), self.now)
            self._tell("sandbox", "", "")
        elif isinstance(action, StartContainer):
            self._start(action, halfway)
        elif isinstance(action, PostStart):
            self.memory.post_start[action.id] = "running"
            self._hook("postStart", action.name, action.id, halfway)
        elif isinstance(action, PreStop | Stop):
            self._end(action, halfway)
        elif isinstance(action, RemoveContainer):
            assert self._by_id(action.id).state is not State.RUNNING
            self._put([c for c in self._containers() if c.id != action.id])
        elif isinstance(action, RemovePod):
            self.state = None
        if halfway:
            raise Died

    def _start(self, action: StartContainer, halfway: bool) -> None:
        before = newest(self.state, action.name)
        cid = f"{action.name}-{action.attempt}"
        self._tell("start", action.name, cid)
        assert before is None or before.state is not State.RUNNING, f"{cid} starts beside {before}"
        held = [c for c in self._containers() if c.id != cid]
        if halfway:
            self._put([*held, ContainerState(action.name, action.attempt, State.CREATED, cid, "i")])
            return
        fresh = ContainerState(action.name, action.attempt, State.RUNNING, cid, "i", started_at=self.now)
        self._put([*held, fresh])
        seconds, code = self._script_of(fresh)
        self._ends[cid] = (self.now + seconds, code)
        if before is not None and before.state is State.EXITED:
            backoff.extend(self.memory.of(action.name), before.finished_at, self.now)

    def _end(self, action: PreStop | Stop, halfway: bool) -> None:
        memory = self.memory
        if action.of_pod and (memory.ending is None or action.period < memory.ending[1]):
            memory.ending = (self.now, action.period)
        for target in action.targets:
            ending = memory.endings.setdefault(target.id, Ending(self.now, action.period))
            if action.period < ending.period:
                ending.since, ending.period = self.now, action.period
            if isinstance(action, PreStop):
                if not ending.hook:
                    ending.hook = "running"
                    self._hook("preStop", target.name, target.id, halfway)
            else:
                ending.signalled = True
                self._tell("term", target.name, target.id, action.grace)
                script = self.scripts[target.name]
                dies = self.now + (script.stops_in if action.grace > 0 else 0.0)
                self._ends[target.id] = min(self._ends[target.id], (dies, 143))
                self._kills.append((self.now + action.grace, target.id))

    def _hook(self, kind: str, name: str, cid: str, halfway: bool) -> None:
        self._tell(kind, name, cid)
        self._hooks.append((self.now + self.scripts[name].hook, kind, cid))

    def _forget(self) -> None:
        """A new agent in place of the one that died."""
        self.deaths += 1
        self.memory, self._kills, self._hooks = PodMemory(), [], []

    # --- the machine

    def _pass_time(self, decision: Decision) -> bool:
        """Go on to the next thing that happens. False if there is none."""
        due = [at for at, _ in self._ends.values()] + [at for at, _ in self._kills]
        due += [at for at, _, _ in self._hooks]
        if any(at <= self.now for at in due):
            self._catch_up()
            return True
        due += [c.started_at + self.scripts[c.name].starts_in for c in self._containers() if c.started_at]
        due += [decision.wake_at] if decision.wake_at is not None else []
        due += [self.deleted_at] if not self._deleting() else []
        due += [self.sandbox_dies_at]
        later = [at for at in due if self.now < at < FOREVER]
        if not later:
            return False
        self.now = min(later)
        self._catch_up()
        return True

    def _catch_up(self) -> None:
        if self.now >= self.deleted_at and not self._deleting():
            self._delete()
        if self.now >= self.sandbox_dies_at and self.state is not None:
            self.sandbox_dies_at, self.state = FOREVER, replace(self.state, ready=False)
            self._ends = dict.fromkeys(self._ends, (self.now, 137))
        for at, kind, cid in [h for h in self._hooks if h[0] <= self.now]:
            self._hooks.remove((at, kind, cid))
            if kind == "postStart":
                self.memory.post_start[cid] = "done"
            elif cid in self.memory.endings:
                self.memory.endings[cid].hook = "done"
        for at, cid in [k for k in self._kills if k[0] <= self.now]:
            self._kills.remove((at, cid))
            if cid in self._ends:
                self._ends[cid] = (self.now, 137)
        for cid, (at, code) in list(self._ends.items()):
            if at <= self.now:
                del self._ends[cid]
                self.memory.endings.pop(cid, None)
                gone = replace(self._by_id(cid), state=State.EXITED, exit_code=code, finished_at=self.now)
                self._put([gone if c.id == cid else c for c in self._containers()])
                self._tell("end", gone.name, cid)

    def _delete(self) -> None:
        grace = self.deleted_within
        if grace is None:
            grace = self.pod["spec"]["terminationGracePeriodSeconds"]
        marks = {"deletionTimestamp": rfc3339(self.now + grace), "deletionGracePeriodSeconds": grace}
        self.pod = {**self.pod, "metadata": {**self.pod["metadata"], "generation": 2, **marks}}

    def _deleting(self) -> bool:
        return "deletionTimestamp" in self.pod["metadata"]

    def _health(self) -> dict[str, Health]:
        return {
            c.id: Health(started=self.now >= c.started_at + self.scripts[c.name].starts_in)
            for c in self._containers()
            if c.state is State.RUNNING
        }

    def _containers(self) -> list[ContainerState]:
        return list(self.state.containers) if self.state else []

    def _by_id(self, cid: str) -> ContainerState:
        return next(c for c in self._containers() if c.id == cid)

    def _put(self, held: list[ContainerState]) -> None:
        assert self.state is not None
        self.state = replace(self.state, containers=tuple(held))

    def _script_of(self, container: ContainerState) -> tuple[float, int]:
        runs = self.scripts[container.name].runs
        return runs[min(container.attempt, len(runs) - 1)]

    def _tell(self, what: str, name: str, cid: str, left: float = 0.0) -> None:
        running = frozenset(self.running)
        self.story.append(Happened(self.now, what, name, cid, running, self._deleting(), left))


def sidecars(pod: Object) -> list[str]:
    """The names of the pod's sidecars, in order."""
    return [c["name"] for c in init_containers(pod) if is_sidecar(c)]


def main_names(pod: Object) -> set[str]:
    return {c["name"] for c in containers(pod)}


def has_hook(pod: Object, name: str, when: str) -> bool:
    return when in ((find(pod, name) or {}).get("lifecycle") or {})
