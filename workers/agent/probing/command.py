"""exec: a command inside the container ends with 0."""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.configuring.env import expand
from workers.agent.probing.attempt import BODY_MAX, Outcome, Try
from workers.agent.probing.grpc import go_duration
from workers.runtime.protocol import ContainerError, Runtime


def try_command(runtime: Runtime, attempt: Try, action: Object) -> Outcome:
    """Blocks until the command has ended, or was killed because its time was over."""
    command = words(attempt.container, action)
    try:
        code, output = runtime.exec(attempt.pod, attempt.container_id, command, attempt.timeout)
    except TimeoutError:
        return Outcome(False, f'command "{" ".join(command)}" timed out after {go_duration(attempt.timeout)}')
    except ContainerError as exc:
        # Whether the container is well, nobody knows.
        return Outcome(False, exc.message, unknown=True)
    return Outcome(code == 0, output[:BODY_MAX].decode("utf-8", "replace"))


def words(container: Object, action: Object) -> list[str]:
    """The command; as kubelet has it, `$(NAME)` stands for variables of the spec that have a plain value."""
    plain = {str(v["name"]): str(v.get("value") or "") for v in container.get("env") or ()}
    return [expand(str(word), plain) for word in action.get("command") or ()]
