"""Starting a pod's sandbox and containers, and what users are told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.agent import backoff
from workers.agent.addresses import NoAddress
from workers.agent.container import container_spec, pull_policy
from workers.agent.hooks import POST_START_SECONDS, hook_of, run_hook
from workers.agent.memory import ContainerMemory
from workers.agent.pod import find, newest, ref
from workers.agent.record import Record
from workers.agent.sources import ConfigError, NotYetKnown
from workers.agent.step import StartContainer
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import (
    AnswersProbes,
    ContainerError,
    ContainerState,
    PodState,
    SandboxSpec,
    State,
)

log = logging.getLogger("beanpole.agent")

# How often a container is tried again whose configuration is missing something. What it draws on coming
# into being makes that sooner. Seconds.
CONFIG_RETRY = 10.0
# How soon something is looked at again that the next exchange will bring. Seconds.
SOON = 1.0
PULLED = "pulled"


class Starter:
    """Carries out the starting actions.

    Args:
        aside: runs a hook without holding up the pod: `aside(record, run)`.
    """

    def __init__(self, around: Surroundings, aside: Callable[[Record, Callable[[], None]], None]) -> None:
        self._around = around
        self._aside = aside
        # Where nothing is pulled or created there is nothing to tell: a simulated node tells of trouble only.
        self._real = not isinstance(around.runtime, AnswersProbes)

    def sandbox(self, record: Record) -> bool:
        """Make the pod's sandbox. False if it has to be tried again later."""
        around, memory, pod = self._around, record.memory, record.pod
        try:
            if around.addresses is None:
                raise NoAddress("the node has no range of pod addresses yet")
            address = around.addresses.take(record.uid)
            around.runtime.start_sandbox(self.sandbox_spec(pod, address))
        except (ContainerError, NoAddress) as exc:
            memory.sandbox_failures += 1
            memory.sandbox_retry_at = around.clock.now() + min(
                backoff.retry_delay(memory.sandbox_failures), 60.0
            )
            memory.trouble = ("ContainerCreating", f"Failed to create pod sandbox: {exc}")
            around.notes.tell(
                pod, "FailedCreatePodSandBox", f"Failed to create pod sandbox: {exc}", warning=True
            )
            return False
        memory.sandbox_failures, memory.sandbox_retry_at, memory.trouble = 0, 0.0, None
        return True

    def sandbox_spec(self, pod: Object, address: str) -> SandboxSpec:
        """The pod's surroundings as they should be now."""
        network = self._around.network
        host = str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63].rstrip("-.")
        annotations = pod["metadata"].get("annotations") or {}
        if not self._real:
            return SandboxSpec(ref(pod), address, host, annotations=annotations)
        return SandboxSpec(
            ref(pod), address, host, network.resolv_conf(pod), network.hosts(pod, address), annotations
        )

    def container(self, record: Record, state: PodState, action: StartContainer) -> bool:
        """Start a container's attempt. False if it has to be tried again later; its memory says why."""
        pod, now = record.pod, self._around.clock.now()
        container = find(pod, action.name)
        if container is None:
            return False
        mine = record.memory.of(action.name)
        before = newest(state, action.name)
        try:
            started = self._start(pod, state, container, action)
        except NotYetKnown:
            mine.retry_at = now + SOON
            return False
        except ConfigError as exc:
            self._failed(pod, action, mine, "CreateContainerConfigError", str(exc), now + CONFIG_RETRY)
            return False
        except _MountFailed as exc:
            mine.waiting, mine.retry_at = ("ContainerCreating", str(exc)), now + CONFIG_RETRY
            self._around.notes.tell(pod, "FailedMount", str(exc), warning=True)
            return False
        except ContainerError as exc:
            mine.failures += 1
            self._refused(pod, container, action, mine, exc, now + backoff.retry_delay(mine.failures))
            return False
        mine.failures, mine.retry_at, mine.waiting = 0, 0.0, None
        if before is not None and before.state is State.EXITED:
            backoff.extend(mine, before.finished_at, now)
        self._post_start(record, state, container, started)
        return True

    def _start(
        self, pod: Object, state: PodState, container: Object, action: StartContainer
    ) -> ContainerState:
        around = self._around
        sources = around.sources(pod, state.address)
        volumes = around.volumes(pod)
        if pod["spec"].get("volumes"):
            try:
                volumes.write(sources)
            except (ConfigError, OSError) as exc:
                raise _MountFailed(f"MountVolume.SetUp failed: {exc}") from exc
        image = container.get("image") or ""
        began = around.clock.monotonic()
        how = around.runtime.ensure_image(image, pull_policy(container))
        if self._real:
            self._tell_image(pod, action, image, how, around.clock.monotonic() - began)
        spec = container_spec(pod, container, action.attempt, sources, volumes, around.settings.server)
        started = around.runtime.start_container(ref(pod), spec)
        if self._real:
            name = action.name
            around.notes.tell(pod, "Created", f"Created container: {name}", container=name, init=action.init)
            around.notes.tell(pod, "Started", f"Started container {name}", container=name, init=action.init)
        return started

    def _tell_image(self, pod: Object, action: StartContainer, image: str, how: str, seconds: float) -> None:
        tell = self._around.notes.tell
        if how == PULLED:
            tell(pod, "Pulling", f'Pulling image "{image}"', container=action.name, init=action.init)
            message = f'Successfully pulled image "{image}" in {seconds:.3f}s'
        else:
            message = f'Container image "{image}" {how}'
        tell(pod, "Pulled", message, container=action.name, init=action.init)

    def _refused(
        self,
        pod: Object,
        container: Object,
        action: StartContainer,
        mine: ContainerMemory,
        exc: ContainerError,
        retry_at: float,
    ) -> None:
        image = container.get("image") or ""
        if exc.reason != "ErrImagePull":
            self._failed(pod, action, mine, exc.reason, exc.message, retry_at)
            return
        tell = self._around.notes.tell
        tell(
            pod,
            "Failed",
            f'Failed to pull image "{image}": {exc.message}',
            warning=True,
            container=action.name,
            init=action.init,
        )
        if mine.failures == 1:
            self._failed(pod, action, mine, "ErrImagePull", exc.message, retry_at)
            return
        message = f'Back-off pulling image "{image}": ErrImagePull: {exc.message}'
        mine.waiting, mine.retry_at = ("ImagePullBackOff", message), retry_at
        tell(pod, "BackOff", f'Back-off pulling image "{image}"', container=action.name, init=action.init)

    def _failed(
        self,
        pod: Object,
        action: StartContainer,
        mine: ContainerMemory,
        reason: str,
        message: str,
        retry_at: float,
    ) -> None:
        mine.waiting, mine.retry_at = (reason, message), retry_at
        text = f"Error: {message}" if reason != "ErrImagePull" else "Error: ErrImagePull"
        self._around.notes.tell(pod, "Failed", text, warning=True, container=action.name, init=action.init)

    def _post_start(
        self, record: Record, state: PodState, container: Object, started: ContainerState
    ) -> None:
        hook = hook_of(container, "postStart")
        if not hook:
            return
        around, pod = self._around, record.pod
        record.memory.hooked.add(started.id)

        def run() -> None:
            wrong = run_hook(
                around.runtime,
                around.clock,
                pod,
                container,
                started.id,
                state.address,
                hook,
                POST_START_SECONDS,
            )
            if wrong:
                message = f"PostStartHook failed: {wrong}"
                around.notes.tell(
                    pod, "FailedPostStartHook", message, warning=True, container=container["name"]
                )
                try:
                    around.runtime.stop_container(ref(pod), started.id, 2.0)
                except ContainerError as exc:
                    log.warning("%s: %s", pod["metadata"]["name"], exc)
            record.memory.hooked.discard(started.id)

        self._aside(record, run)


class _MountFailed(BeanpoleError):
    """A volume could not be made."""
