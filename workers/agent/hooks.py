"""postStart and preStop: what a container wants done right after its start and right before its end.

https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/. A hook may run twice if its agent dies, and
is never left out. As in kubelet, a request counts as done whatever its answer's status is.
"""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable

from app.base.clock import Clock
from app.objects.change import Object
from workers.agent.deciding.restarts import is_init
from workers.agent.deciding.step import PostStart, PreStop, Target
from workers.agent.memory import Ending
from workers.agent.pod import find, ref
from workers.agent.probing import request
from workers.agent.record import Record
from workers.agent.surroundings import Surroundings
from workers.runtime.protocol import ContainerError, Runtime

log = logging.getLogger("beanpole.agent")

# Kubernetes has no time limit for a postStart hook. It ends with its container, whatever ends that. Seconds.
UNLIMITED = 7 * 86400.0

# `aside(record, run)` runs something without holding up the pod, and looks at the pod afterwards.
Aside = Callable[[Record, Callable[[], None]], None]


class Hooks:
    """Carries out the actions that are hooks."""

    def __init__(self, around: Surroundings, aside: Aside) -> None:
        self._around, self._aside = around, aside

    def post_start(self, record: Record, action: PostStart, address: str) -> None:
        """Begin the hook of a container that has just started. If it fails, the container is not kept."""
        greetings, pod = record.memory.post_start, record.pod
        greetings[action.id] = "running"

        def run() -> None:
            wrong = self._run(pod, Target(action.name, action.id), "postStart", address, UNLIMITED)
            if wrong:
                message = f"PostStartHook failed: {wrong}"
                record.memory.of(action.name).waiting = ("PostStartHookError", message)
                self._tell(pod, "FailedPostStartHook", message, action.name)
            greetings[action.id] = "failed" if wrong else "done"

        self._aside(record, run)

    def pre_stop(self, record: Record, action: PreStop, address: str) -> None:
        """Begin the hooks of containers that end, each once."""
        for target in action.targets:
            ending = record.memory.endings.get(target.id)
            if ending is not None and not ending.hook:
                self._pre_stop(record, target, ending, address)

    def _pre_stop(self, record: Record, target: Target, ending: Ending, address: str) -> None:
        pod = record.pod
        ending.hook = "running"

        def run() -> None:
            wrong = self._run(pod, target, "preStop", address, ending.period)
            if wrong:
                self._tell(pod, "FailedPreStopHook", f"PreStopHook failed: {wrong}", target.name)
            ending.hook = "done"

        self._aside(record, run)

    def _run(self, pod: Object, target: Target, when: str, address: str, seconds: float) -> str:
        container = find(pod, target.name)
        hook = hook_of(container, when) if container else None
        if not hook or not container:
            return ""
        around = self._around
        try:
            return run_hook(around.runtime, around.clock, pod, container, target.id, address, hook, seconds)
        except Exception as exc:
            # Whatever it was, a hook that nobody hears the end of would hold up its pod for good.
            log.exception("%s hook of %s failed", when, target.name)
            return str(exc) or type(exc).__name__

    def _tell(self, pod: Object, reason: str, message: str, name: str) -> None:
        self._around.notes.tell(pod, reason, message, warning=True, container=name, init=is_init(pod, name))


def hook_of(container: Object, when: str) -> Object | None:
    """The container's `postStart` or `preStop` action."""
    return (container.get("lifecycle") or {}).get(when)


def run_hook(
    runtime: Runtime,
    clock: Clock,
    pod: Object,
    container: Object,
    container_id: str,
    address: str,
    hook: Object,
    seconds: float,
    sleep: Callable[[float], None] | None = None,
) -> str:
    """Run a hook for at most `seconds`. Returns what went wrong, empty if nothing."""
    try:
        if hook.get("exec"):
            command = hook["exec"].get("command") or []
            code, output = runtime.exec(ref(pod), container_id, command, max(seconds, 0.1))
            said = output[:1024].decode("utf-8", "replace").strip()
            return "" if code == 0 else f"command '{' '.join(command)}' exited with {code}: {said}"
        if hook.get("httpGet"):
            request(address, container, hook["httpGet"], max(seconds, 0.1))
            return ""
        if hook.get("sleep"):
            (sleep or clock.sleep)(min(float(hook["sleep"].get("seconds") or 0), max(seconds, 0.0)))
            return ""
    except TimeoutError:
        return "it took too long"
    except ContainerError as exc:
        return exc.message
    except (OSError, ValueError, http.client.HTTPException) as exc:
        return str(exc) or type(exc).__name__
    # tcpSocket is accepted by the API, and by no runtime of it (as in Kubernetes).
    return f"cannot run handler: invalid handler: {', '.join(sorted(hook))}"
