"""Starting a pod's sandbox and containers, and what users are told of it."""

from __future__ import annotations

import logging
from dataclasses import replace

from app.base.errors import BeanpoleError
from app.objects.change import Object
from app.objects.pod_hostname import TooLong
from workers.agent.addresses import NoAddress
from workers.agent.admitting.refusals import check_debugger
from workers.agent.configuring.container import container_spec
from workers.agent.configuring.sandbox import NoClass, handler_of, sandbox_spec, shared
from workers.agent.configuring.security import check_user
from workers.agent.configuring.sources import ConfigError, NotYetKnown
from workers.agent.deciding import backoff
from workers.agent.deciding.step import StartContainer
from workers.agent.exposure import Exposure
from workers.agent.images.supply import IMAGE_REASONS, ImageTrouble, Pulling
from workers.agent.last_words import LastWords
from workers.agent.losses import tell_lost_container, tell_lost_sandbox
from workers.agent.memory import ContainerMemory
from workers.agent.pod import find, newest, ref
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.agent.volumes.volumes import SetUpFailed
from workers.runtime.image_store import ImageGone
from workers.runtime.protocol import (
    AnswersProbes,
    ContainerError,
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


class Starter:
    """Carries out the starting actions."""

    def __init__(self, around: Surroundings, exposure: Exposure) -> None:
        self._around, self._exposure = around, exposure
        self._last_words = LastWords(around)
        # Where nothing is pulled or created there is nothing to tell: a simulated node tells of trouble only.
        self._real = not isinstance(around.runtime, AnswersProbes)

    def sandbox(self, record: Record) -> bool:
        """Make the pod's sandbox. False if it has to be tried again later."""
        around, memory, pod = self._around, record.memory, record.pod
        try:
            if around.addresses is None:
                raise NoAddress("the node has no range of pod addresses yet")
            in_machine = shared(pod).network and bool(around.node_ip)
            address = around.node_ip if in_machine else around.addresses.take(record.uid)
            if not memory.sandbox_failures:
                tell_lost_sandbox(around.notes, pod)
            self._exposure.begin(pod, address)
            around.runtime.start_sandbox(self.sandbox_spec(pod, address))
        except NotYetKnown:
            memory.sandbox_retry_at = around.clock.now() + SOON
            return False
        except (ContainerError, NoAddress, NoClass, TooLong) as exc:
            if isinstance(exc, ContainerError) and exc.away:
                raise
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
        network, domain = self._around.network, self._around.settings.cluster_domain
        if not self._real:
            return sandbox_spec(pod, address, domain)
        handler = handler_of(pod, self._around.objects)
        return sandbox_spec(
            pod, address, domain, network.resolv_conf(pod), network.hosts(pod, address), handler
        )

    def container(self, record: Record, state: PodState, action: StartContainer) -> bool:
        """Start a container's attempt. False if it has to be tried again later; its memory says why."""
        pod, clock = record.pod, self._around.clock
        container = find(pod, action.name)
        if container is None:
            return False
        began = clock.now()
        mine = record.memory.of(action.name)
        before = newest(state, action.name)
        if not mine.failures:
            tell_lost_container(self._around.notes, pod, state, action.name, init=action.init)
        try:
            self._start(record, state, container, action)
        except _NotWanted:
            return False
        except NotYetKnown:
            mine.retry_at = clock.now() + SOON
            return False
        except Pulling:
            return False
        except ImageTrouble as exc:
            self._failed(pod, action, mine, exc.reason, exc.message, exc.retry_at)
            return False
        except SetUpFailed as exc:
            mine.waiting, mine.retry_at = ("ContainerCreating", str(exc)), clock.now() + CONFIG_RETRY
            for message in exc.messages:
                self._around.notes.tell(pod, "FailedMount", message, warning=True)
            return False
        except ConfigError as exc:
            retry_at = clock.now() + CONFIG_RETRY
            self._failed(pod, action, mine, "CreateContainerConfigError", str(exc), retry_at)
            return False
        except ContainerError as exc:
            if exc.away:
                raise
            mine.failures += 1
            if isinstance(exc, ImageGone) and mine.failures == 1:
                # Removed behind the agent's back: whether it is to be pulled again is seen at once.
                return False
            # The engine may have taken its time to refuse.
            retry_at = clock.now() + backoff.retry_delay(mine.failures)
            self._refused(pod, container, action, mine, exc, retry_at)
            return False
        mine.failures, mine.retry_at, mine.waiting = 0, 0.0, None
        if before is not None and before.state is State.EXITED:
            backoff.extend(mine, before.finished_at, began)
        return True

    def _start(self, record: Record, state: PodState, container: Object, action: StartContainer) -> None:
        around, pod = self._around, record.pod
        sources = around.sources(pod, state.address)
        volumes = around.volumes(pod)
        if pod["spec"].get("volumes"):
            volumes.write(sources)
        if around.images is not None:
            around.images.have(record, container, action)
        check_debugger(pod, action.name, around.runtime.features, around.runtime.name)
        check_user(around.runtime, pod, container)
        spec = container_spec(
            pod, container, action.attempt, sources, volumes, around.settings.server, around.profiles
        )
        spec = replace(
            spec,
            mounts=(*spec.mounts, *self._last_words.mount(pod, container, action.attempt)),
            target=_target(container, state),
            resources=around.resources(pod, container),
            log=around.log_limits,
            handler=handler_of(pod, around.objects) if self._real else "",
            stop_signal=str((container.get("lifecycle") or {}).get("stopSignal") or ""),
        )
        if record.deleting:
            # Marked while its image was pulled.
            raise _NotWanted(f"pod {pod['metadata']['name']} is being deleted")
        around.runtime.start_container(ref(pod), spec)
        if self._real:
            name = action.name
            around.notes.tell(pod, "Created", f"Created container: {name}", container=name, init=action.init)
            around.notes.tell(pod, "Started", f"Started container {name}", container=name, init=action.init)

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
        text = f"Error: {reason if reason in IMAGE_REASONS else message}"
        self._around.notes.tell(pod, "Failed", text, warning=True, container=action.name, init=action.init)


def _target(container: Object, state: PodState) -> str:
    """The id of the container whose processes an ephemeral one sees. Raises ConfigError: it does not run."""
    name = container.get("targetContainerName")
    if not name:
        return ""
    found = newest(state, name)
    if found is None or found.state is not State.RUNNING:
        raise ConfigError(f"unable to find target container {name}")
    return found.id


class _NotWanted(BeanpoleError):
    """The container is not to be started any more."""
