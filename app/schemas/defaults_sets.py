"""Defaults that depend on other fields, of stateful sets, daemon sets and replication controllers
(k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go, core/v1/defaults.go)."""

from __future__ import annotations

from app.objects.change import Object


def strategy(given: Object) -> None:
    """A rolling update has settings; which, is on their fields."""
    if given["type"] == "RollingUpdate" and given.get("rollingUpdate") is None:
        given["rollingUpdate"] = {}


def stateful_set_spec(spec: Object) -> None:
    """The claim templates say what they are."""
    claims = spec.get("volumeClaimTemplates")
    if claims:
        spec["volumeClaimTemplates"] = [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **claim,
                "status": claim.get("status") or {"phase": "Pending"},
            }
            for claim in claims
        ]


def replication_controller(controller: Object) -> None:
    """Its labels and its selector are the labels of its template, where it doesn't say."""
    spec = controller.get("spec") or {}
    given = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if not given:
        return
    if not spec.get("selector"):
        controller["spec"] = {**spec, "selector": dict(given)}
    meta = controller.get("metadata") or {}
    if not meta.get("labels"):
        controller["metadata"] = {**meta, "labels": dict(given)}
