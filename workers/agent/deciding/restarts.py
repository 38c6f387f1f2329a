"""Whether a container that ended is started again: the pod's restartPolicy, the container's own, and its rules. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy: a container's own policy stands in
place of the pod's; its rules come first, the first that matches decides. Init containers are tried again until they
succeed, unless they are never to be.
"""

from __future__ import annotations

from app.objects.change import Object
from workers.agent.pod import init_containers, is_sidecar, restart_policy


def restarts(pod: Object, container: Object, exit_code: int, *, init: bool = False) -> bool:
    """Whether `container` of `pod` is started again after it ended with `exit_code`. `init`: it is an init container
    or a sidecar."""
    if init and is_sidecar(container):
        return True
    if init and exit_code == 0:
        return False
    policy = container.get("restartPolicy")
    if policy:
        for rule in container.get("restartPolicyRules") or ():
            if _matches(rule, exit_code):
                return bool(rule.get("action") == "Restart")
    else:
        policy = restart_policy(pod)
    return bool(policy == "Always" or (policy == "OnFailure" and exit_code != 0))


def failed_for_good(pod: Object, container: Object, exit_code: int) -> bool:
    """Whether an init container's failure is the pod's."""
    return exit_code != 0 and not restarts(pod, container, exit_code, init=True)


def is_init(pod: Object, name: str) -> bool:
    """Whether the container of that name is an init container or a sidecar."""
    return any(container["name"] == name for container in init_containers(pod))


def _matches(rule: Object, exit_code: int) -> bool:
    codes = rule.get("exitCodes") or {}
    listed = exit_code in (codes.get("values") or ())
    return listed if codes.get("operator") == "In" else not listed
