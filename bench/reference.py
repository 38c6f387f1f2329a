"""Kubernetes 1.20.2 (etcd 3.4, client limits raised) on a machine with 2 cores, medians.

Where a range was measured, its better end stands here.
"""

from __future__ import annotations

KUBERNETES: dict[str, float] = {
    "scale-out": 270,
    "list pods": 106,
    "create p50": 1.43,
    "get p50": 0.76,
    "patch p50": 1.68,
    "create, 8 clients": 1480,
    "get, 8 clients": 2710,
    "patch, 8 clients": 1060,
    "watch p50": 3.4,
    "containers 0 -> all Ready": 7.1,
    "bare SDK floor": 4.5,
    "container killed -> Ready": 2.1,
    "pod deleted -> replacement Ready": 1.8,
    "failed: rolling update": 66,
    "failed: scale in": 35,
    "failed: pods deleted": 65,
    "idle memory": 638,
    "idle cpu": 6,
    "up -> node Ready": 19,
}
