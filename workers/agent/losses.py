"""Telling users of what vanished behind the agent's back and is made again."""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.exchange.notes import Notes
from workers.agent.pod import containers, init_containers, newest, status_of
from workers.runtime.protocol import PodState

# Kubelet's words.
SANDBOX = ("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")


def tell_lost_sandbox(notes: Notes, pod: Object) -> None:
    """A sandbox is about to be made. That is news if something of the pod has run before."""
    if any(status_of(pod, c["name"]).get("containerID") for c in (*init_containers(pod), *containers(pod))):
        notes.tell(pod, *SANDBOX)


def tell_lost_container(notes: Notes, pod: Object, state: PodState, name: str, *, init: bool) -> None:
    """A container is about to be started. That it has been there and is there no more is news."""
    known = status_of(pod, name).get("containerID")
    if known and newest(state, name) is None:
        message = f"Container {name} ({known}) could not be located, it will be started again"
        notes.tell(pod, "ContainerStatusUnknown", message, warning=True, container=name, init=init)
