"""What the Helm test runs under a Python that Helm's package supports: one release's life.

Its argument is a kubeconfig; it prints, as JSON, what Helm said at each step.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import helm_sdkpy as helm

CHART = "{apiVersion: v2, name: web, version: 0.1.0, type: application}"
VALUES = "{replicas: 1, color: red}"
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config, labels: {app: {{ .Release.Name }}}}
data: {color: {{ .Values.color }}}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: "busybox:1.36", command: [sleep, "3600"]}]
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80}]}
"""
HOOK = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-before
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: "busybox:1.36", command: ["true"]}]
"""
TEST = """
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-test, annotations: {helm.sh/hook: test}}
spec:
  restartPolicy: Never
  containers: [{name: c, image: "busybox:1.36", command: ["true"]}]
"""


def chart() -> str:
    folder = Path(tempfile.mkdtemp()) / "web"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(CHART)
    (folder / "values.yaml").write_text(VALUES)
    for name, text in {"config": CONFIG, "deployment": DEPLOYMENT, "hook": HOOK, "test": TEST}.items():
        (folder / "templates" / f"{name}.yaml").write_text(text)
    return str(folder)


async def life(kubeconfig: str) -> dict[str, Any]:
    settings = helm.Configuration(namespace="helm", kubeconfig=kubeconfig)
    path = chart()
    said: dict[str, Any] = {}
    said["install"] = await helm.Install(settings).run("web", path, create_namespace=True, timeout=90)
    said["upgrade"] = await helm.Upgrade(settings).run(
        "web",
        path,
        {"replicas": 2, "color": "blue"},
        timeout=90,
        server_side_apply=True,
        force_conflicts=True,
    )
    said["test"] = await helm.Test(settings).run("web")
    # Rollback is a fault of the package: it asks for a wait strategy that it gives no way to name.
    said["downgrade"] = await helm.Upgrade(settings).run("web", path, {"color": "red"}, timeout=90)
    said["history"] = await helm.History(settings).run("web")
    said["list"] = await helm.List(settings).run()
    said["uninstall"] = await helm.Uninstall(settings).run("web", timeout=90)
    return said


if __name__ == "__main__":
    print(json.dumps(asyncio.run(life(sys.argv[1])), default=str))
