"""postStart and preStop: what a container wants done right after its start and right before its end.

https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
"""

from __future__ import annotations

import http.client
from collections.abc import Callable

from app.base.clock import Clock
from app.objects.change import Object
from workers.agent.pod import ref
from workers.agent.probing import request
from workers.runtime.protocol import ContainerError, Runtime

# A postStart hook has no time limit in Kubernetes; a thread waits for it here.
POST_START_SECONDS = 300.0


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
            return (
                "" if code == 0 else f"exit code {code}: {output[:1024].decode('utf-8', 'replace').strip()}"
            )
        if hook.get("httpGet"):
            status, _ = request(address, container, hook["httpGet"], max(seconds, 0.1))
            return "" if 200 <= status < 400 else f"HTTP status {status}"
        if hook.get("sleep"):
            (sleep or clock.sleep)(min(float(hook["sleep"].get("seconds") or 0), max(seconds, 0.0)))
            return ""
    except TimeoutError:
        return "it took too long"
    except ContainerError as exc:
        return exc.message
    except (OSError, ValueError, http.client.HTTPException) as exc:
        return str(exc) or type(exc).__name__
    return f"unknown kind of hook: {', '.join(sorted(hook))}"
