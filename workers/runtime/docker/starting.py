"""Starting sandboxes and containers on the engine.

Calls to the engine are what costs, so each start makes as few as it can: create, start, inspect.
"""

from __future__ import annotations

import logging

import docker
import docker.errors

from workers.runtime import images
from workers.runtime.docker import config, links, network, pause
from workers.runtime.docker.engine import is_conflict, is_gone, translated
from workers.runtime.docker.files import PodFiles
from workers.runtime.docker.images import Images
from workers.runtime.docker.labels import Owner
from workers.runtime.docker.links import LinkFailed, Links, NotHere
from workers.runtime.docker.observed import Observed
from workers.runtime.docker.protection import Protection
from workers.runtime.docker.removal import Removal
from workers.runtime.docker.sub_paths import SubPaths
from workers.runtime.image_store import ImageGone
from workers.runtime.protocol import ContainerError, ContainerSpec, ContainerState, PodRef, SandboxSpec, State

log = logging.getLogger("beanpole.docker")


class Starting:
    """Starts a node's pods. `image`: the sandbox's."""

    def __init__(
        self,
        client: docker.APIClient,
        owner: Owner,
        files: PodFiles,
        store: Images,
        seen: Observed,
        removal: Removal,
        sub_paths: SubPaths,
        linking: Links,
    ) -> None:
        self._client, self._owner, self._files = client, owner, files
        self._images, self._seen, self._removal = store, seen, removal
        self._sub_paths, self._links = sub_paths, linking
        self.image = pause.IMAGE
        self._protection = Protection()

    def start_sandbox(self, spec: SandboxSpec) -> None:
        """See `Runtime.start_sandbox`."""
        name = self._owner.sandbox_name(spec.pod.uid)
        self._files.write(spec)
        linked = self._links.usable and not (spec.shared.network or _needs_engine(spec))
        with translated("FailedCreatePodSandBox"):
            try:
                made = self._client.create_container_from_config(
                    config.sandbox(self._owner, spec, self.image, linked=linked), name
                )["Id"]
            except docker.errors.APIError as exc:
                if not is_conflict(exc):
                    raise
                shown = self._client.inspect_container(name)
                state = config.state_of(shown["State"]["Status"])
                useless = network.lost(self._owner, shown)
                if state is State.RUNNING and not useless:
                    return
                self._removal.container(name)
                self.start_sandbox(spec)
                return
            try:
                self._client.start(made)
            except docker.errors.APIError:
                self._removal.container(made)
                raise
        if linked:
            self._link(spec, made)

    def _link(self, spec: SandboxSpec, made: str) -> None:
        """Give a sandbox that was just started its place in the node's network, or remove it."""
        pid = self._pid(made)
        try:
            self._links.fasten(made, pid, spec.address)
        except NotHere as exc:
            runs = pid and self._pid(made) == pid
            self._removal.container(made)
            if not (runs and self._links.give_up()):
                raise ContainerError("FailedCreatePodSandBox", f"the sandbox ended at once: {exc}") from exc
            log.info("pods are linked by the engine: %s", exc)
            self.start_sandbox(spec)
        except LinkFailed as exc:
            self._removal.container(made)
            raise ContainerError("FailedCreatePodSandBox", f"no link to the node's network: {exc}") from exc

    def _pid(self, made: str) -> int:
        """Of the sandbox's first process; 0 if it has ended."""
        with translated("FailedCreatePodSandBox"):
            return int(self._client.inspect_container(made)["State"]["Pid"])

    def start_container(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        """See `Runtime.start_container`."""
        with self._sub_paths.staged(pod, spec) as staged:
            return self._protection.start(lambda wanted: self._start(pod, wanted), staged)

    def _start(self, pod: PodRef, spec: ContainerSpec) -> ContainerState:
        name = self._owner.container_name(pod.uid, spec.name, spec.attempt)
        made = self._created(pod, spec, name)
        if made is None:
            existing = self._seen.container(name)
            if existing is not None and existing.state is not State.CREATED:
                return existing
            made = name
        try:
            with translated("RunContainerError"):
                self._client.start(made)
        except ContainerError as exc:
            self._removal.container(made)
            if _lacks_sandbox(exc.message):
                raise self._no_sandbox(pod) from exc
            raise
        if spec.attempt >= 2:
            self._removal.container(self._owner.container_name(pod.uid, spec.name, spec.attempt - 2))
        state = self._seen.container(made)
        if state is None:
            raise ContainerError("RunContainerError", f"container {spec.name} was removed as it started")
        return state

    def _created(self, pod: PodRef, spec: ContainerSpec, name: str) -> str | None:
        """The id of the new container; None if one of that name is there."""
        with translated("CreateContainerError"):
            try:
                group_alone = spec.run_as_group is not None and spec.run_as_user is None
                user = self._images.user(spec.image) if group_alone else ""
                body = config.container(self._owner, pod, spec, self._files.folder(pod.uid), user)
                return str(self._client.create_container_from_config(body, name)["Id"])
            except docker.errors.APIError as exc:
                if is_conflict(exc):
                    return None
                said = str(exc.explanation)
                if _lacks_sandbox(said) or self._owner.sandbox_name(pod.uid) in said:
                    raise self._no_sandbox(pod) from exc
                if is_gone(exc) and "No such image" in said:
                    self._images.forget(images.parse(spec.image))
                    raise ImageGone("CreateContainerError", said) from exc
                raise

    def _no_sandbox(self, pod: PodRef) -> ContainerError:
        return ContainerError("CreateContainerError", f"pod {pod.namespace}/{pod.name} has no sandbox")


def _needs_engine(spec: SandboxSpec) -> bool:
    """Whether only the engine can give the pod its place in the node's network. Ports of the machine are the engine's to
    lead there; a setting of the link itself, and some runtimes, want it there when the sandbox begins."""
    of_link = any(links.INSIDE in name.split(".") for name, _ in spec.sysctls)
    return bool(spec.host_ports) or of_link or not links.can_be_seen(spec.handler)


def _lacks_sandbox(message: str) -> bool:
    """Whether the engine means that the container whose network is to be joined is not there."""
    return "cannot join network of a non running container" in message or (
        "No such container" in message and "beanpole_" in message
    )
