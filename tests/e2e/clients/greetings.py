"""An operator as people write them with kopf: a Greeting has a ConfigMap with its words."""

from __future__ import annotations

from typing import Any

import kopf
import kubernetes


@kopf.on.startup()
def connect(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.persistence.finalizer = "example.com/greeting"
    kubernetes.config.load_kube_config()


@kopf.on.create("example.com", "v1", "greetings")
def made(spec: Any, name: str, namespace: str, patch: kopf.Patch, **_: Any) -> None:
    body = {"metadata": {"name": f"{name}-words"}, "data": {"words": spec["words"]}}
    kopf.adopt(body)
    kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, body)
    patch.status["said"] = spec["words"]


@kopf.on.update("example.com", "v1", "greetings", field="spec.words")
def changed(new: str, name: str, namespace: str, patch: kopf.Patch, **_: Any) -> None:
    kubernetes.client.CoreV1Api().patch_namespaced_config_map(
        f"{name}-words", namespace, {"data": {"words": new}}
    )
    patch.status["said"] = new


@kopf.on.delete("example.com", "v1", "greetings")
def gone(name: str, namespace: str, **_: Any) -> None:
    kubernetes.client.CoreV1Api().create_namespaced_config_map(
        namespace, {"metadata": {"name": f"{name}-farewell"}}
    )
