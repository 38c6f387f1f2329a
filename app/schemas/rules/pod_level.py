"""Rules for resources that a pod asks for as a whole (`validatePodResources`).

https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#pod-level-resource-specification
"""

from __future__ import annotations

from app.objects import pod_resources
from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas.faults import Faults

STANDARD = ("cpu", "memory")
HUGE = "hugepages-"


def pod_level(spec: Object, path: str, faults: Faults) -> None:
    """A pod gives its containers together what each may have of it."""
    whole = spec["resources"]
    for which in ("limits", "requests"):
        for name in whole.get(which) or ():
            if name not in STANDARD and not name.startswith(HUGE):
                faults.not_supported(f"{path}.resources.{which}[{name}]", name, STANDARD)
    summed = pod_resources.amounts({**spec, "resources": {}}, "requests", overhead=False)
    for name, amount in (whole.get("requests") or {}).items():
        if name in summed and summed[name] > nanos(amount):
            total = pod_resources.shown(name, summed[name])
            faults.invalid(
                f"{path}.resources.requests[{name}]",
                amount,
                f"must be greater than or equal to aggregate container requests of {total}",
            )
    for section in ("containers", "initContainers"):
        for i, container in enumerate(spec.get(section) or ()):
            own = (container.get("resources") or {}).get("limits") or {}
            for name, limit in (whole.get("limits") or {}).items():
                if name in own and nanos(own[name]) > nanos(limit):
                    faults.invalid(
                        f"{path}.{section}[{i}].resources.limits[{name}]",
                        own[name],
                        f"must be less than or equal to pod limits of {limit}",
                    )
