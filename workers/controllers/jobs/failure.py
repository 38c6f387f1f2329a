"""What the failure of a pod means, by its Job's podFailurePolicy: the first rule that holds says.

https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.objects.change import Object

Action = Literal["FailJob", "FailIndex", "Ignore", "Count"]
_ACTIONS: dict[str, Action] = {
    "FailJob": "FailJob",
    "FailIndex": "FailIndex",
    "Ignore": "Ignore",
    "Count": "Count",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pod's failure means; `message` says why the whole job fails."""

    action: Action = "Count"
    message: str = ""

    @property
    def counts(self) -> bool:
        """Whether it counts towards the limits."""
        return self.action != "Ignore"


COUNTS = Verdict()


def judged(policy: Object | None, pod: Object) -> Verdict:
    """The verdict on a pod that failed."""
    for position, rule in enumerate((policy or {}).get("rules") or ()):
        action = _ACTIONS.get(rule.get("action", ""))
        if action is None:
            continue
        why = _why(rule, pod, action, position)
        if why:
            return Verdict(action, why if action == "FailJob" else "")
    return COUNTS


def _why(rule: Object, pod: Object, action: str, position: int) -> str:
    """Why the rule holds for the pod; empty if it does not."""
    meta = pod["metadata"]
    name = f"{meta['namespace']}/{meta['name']}"
    if rule.get("onExitCodes"):
        found = _container(rule["onExitCodes"], pod)
        if found is None:
            return ""
        code = found["state"]["terminated"].get("exitCode", 0)
        return (
            f"Container {found['name']} for pod {name} failed with exit code {code} matching {action} rule at "
            f"index {position}"
        )
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if any(
            condition.get("type") == pattern.get("type") and condition.get("status") == pattern.get("status")
            for pattern in rule.get("onPodConditions") or ()
        ):
            return f"Pod {name} has condition {condition['type']} matching {action} rule at index {position}"
    return ""


def _container(requirement: Object, pod: Object) -> Object | None:
    """The first container that ended as the rule says."""
    status = pod.get("status") or {}
    statuses: Iterable[Object] = [
        *(status.get("containerStatuses") or ()),
        *(status.get("initContainerStatuses") or ()),
    ]
    wanted, values = requirement.get("containerName"), requirement.get("values") or ()
    for container in statuses:
        ended = (container.get("state") or {}).get("terminated")
        if ended is None or (wanted is not None and container.get("name") != wanted):
            continue
        code = ended.get("exitCode", 0)
        if code and (code in values) == (requirement.get("operator") == "In"):
            return container
    return None
