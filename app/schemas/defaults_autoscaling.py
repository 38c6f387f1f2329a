"""Defaults of autoscalers (k8s.io/kubernetes/pkg/apis/autoscaling/v2/defaults.go)."""

from __future__ import annotations

from typing import Any

from app.objects.change import Object

# Percent of the cpu that pods asked for.
TARGET = 80
_UP: Object = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DOWN: Object = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


def spec(given: Any) -> None:
    """What it goes by, and how fast, where the author says so in part."""
    if not given.get("metrics"):
        given["metrics"] = [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": TARGET}},
            }
        ]
    behavior = given.get("behavior")
    if behavior is not None:
        given["behavior"] = {
            "scaleUp": rules(behavior.get("scaleUp"), _UP),
            "scaleDown": rules(behavior.get("scaleDown"), _DOWN),
        }


def rules(given: Object | None, default: Object) -> Object:
    """One direction's rules with what they leave out."""
    return {**default, **{k: v for k, v in (given or {}).items() if v is not None}}


def scale_up(behavior: Object | None) -> Object:
    """The rules by which the number of pods grows."""
    return rules((behavior or {}).get("scaleUp"), _UP)


def scale_down(behavior: Object | None) -> Object:
    """The rules by which the number of pods shrinks. Without a stabilization window of its own it has none here."""
    return rules((behavior or {}).get("scaleDown"), _DOWN)
