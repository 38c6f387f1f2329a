"""The Deployments and Services of a simulated cluster."""

from __future__ import annotations

from app.objects.change import Object


def deployment(name: str, replicas: int, image: str, strategy: Object | None, cpu: str = "300m") -> Object:
    spec: Object = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {
                "terminationGracePeriodSeconds": 5,
                "containers": [
                    {
                        "name": "main",
                        "image": image,
                        "command": ["serve"],
                        "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1},
                        "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}},
                    }
                ],
            },
        },
    }
    if strategy:
        spec["strategy"] = strategy
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def headless(name: str) -> Object:
    made = service(name)
    return {**made, "spec": {**made["spec"], "clusterIP": "None"}}


def service(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
    }
