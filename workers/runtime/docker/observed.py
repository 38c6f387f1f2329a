"""What the engine shows of a node's pods, with as few calls as can be."""

from __future__ import annotations

from dataclasses import replace

import docker
import docker.errors

from workers.runtime import users
from workers.runtime.docker import config, engine, labels, network
from workers.runtime.docker.engine import is_gone, translated
from workers.runtime.docker.images import Images
from workers.runtime.docker.labels import Owner
from workers.runtime.protocol import ContainerState, PodState, State


class Observed:
    """Reads pods and containers. What can't change any more is not asked for again."""

    def __init__(self, client: docker.APIClient, owner: Owner, images: Images) -> None:
        self._client = client
        self._images = images
        self._owner = owner
        # An ended container never changes again, and one that runs only by ending.
        self._known: dict[tuple[str, State], ContainerState] = {}
        # Ids of what was heard to die. The engine tells of a death a moment before its list shows it.
        self._dead: set[str] = set()

    def died(self, container_id: str) -> None:
        """The engine told of this container's death."""
        self._dead.add(container_id)

    def forget(self, container_id: str) -> None:
        """Something of this running container was changed."""
        self._known.pop((container_id, State.RUNNING), None)

    def pods(self, **only: str) -> list[PodState]:
        """The node's pods, or those whose labels match `only`: one call, and one for each container not seen
        in its state before."""
        with translated(engine.UNAVAILABLE):
            found = self._client.containers(all=True, filters=self._owner.filter(**only))
        pods: dict[str, list[dict]] = {}
        for entry in found:
            pods.setdefault(entry["Labels"][labels.POD_UID], []).append(entry)
        if not only:
            ids = {entry["Id"] for entry in found}
            self._known = {key: value for key, value in self._known.copy().items() if key[0] in ids}
            self._dead &= ids
        return [self._assembled(entries) for entries in pods.values()]

    def sandboxes(self) -> list[str]:
        """The ids of those that run."""
        with translated(engine.UNAVAILABLE):
            found = self._client.containers(filters=self._owner.filter())
        return [entry["Id"] for entry in found if labels.CONTAINER not in entry["Labels"]]

    def _assembled(self, entries: list[dict]) -> PodState:
        """One pod out of the engine's list."""
        ready, address, since = False, "", 0.0
        states = []
        for entry in entries:
            seen = State.EXITED if entry["Id"] in self._dead else config.state_of(entry["State"])
            if labels.CONTAINER in entry["Labels"]:
                state = self.container(entry["Id"], seen)
                if state is not None:
                    states.append(state)
            else:
                # Without its network it is of no more use than a dead one.
                ready = seen is State.RUNNING and not network.lost(self._owner, entry)
                address = entry["Labels"][labels.ADDRESS]
                since = float(entry["Created"])
        states.sort(key=lambda s: (s.name, s.attempt))
        return PodState(labels.pod(entries[0]["Labels"]), address, ready, tuple(states), since)

    def container(self, container_id: str, seen: State | None = None) -> ContainerState | None:
        """A container as it is; None if it is gone. `seen` is the state that a list showed."""
        known = self._known.get((container_id, seen)) if seen is not None else None
        if known is not None:
            return known
        with translated(engine.UNAVAILABLE):
            try:
                shown = self._client.inspect_container(container_id)
            except docker.errors.APIError as exc:
                if is_gone(exc):
                    return None
                raise
        state = config.state(shown)
        if state.state is State.RUNNING:
            state = replace(state, user=users.of_process(shown["State"]["Pid"], state.id))
        image, image_id = self._images.shown(state.image, state.image_id)
        state = replace(state, image=image, image_id=image_id)
        self._known[(state.id, state.state)] = state
        return state
