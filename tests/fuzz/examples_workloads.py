"""One valid object of every kind that runs something or that what runs uses."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

_POD: Object = {
    "containers": [
        {
            "name": "web",
            "image": "nginx:1",
            "command": ["nginx"],
            "ports": [{"containerPort": 80, "name": "http"}],
            "env": [{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "100m"}},
            "readinessProbe": {"httpGet": {"port": "http"}},
            "volumeMounts": [{"name": "settings", "mountPath": "/etc/web"}],
        }
    ],
    "volumes": [{"name": "settings", "configMap": {"name": "seed"}}],
    "tolerations": [{"key": "spare", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}],
}
_TEMPLATE: Object = {"metadata": {"labels": {"app": "web"}}, "spec": _POD}
_ONCE: Object = {"metadata": {"labels": {"app": "web"}}, "spec": {**_POD, "restartPolicy": "Never"}}
_SELECTOR: Object = {
    "matchLabels": {"app": "web"},
    "matchExpressions": [{"key": "app", "operator": "Exists"}],
}
_METADATA: Object = {"name": "data"}

# apiVersion, kind, what is in it besides type and metadata.
WORKLOADS: tuple[tuple[str, str, Object], ...] = (
    ("v1", "Pod", {"spec": _POD}),
    ("v1", "PodTemplate", {"template": _TEMPLATE}),
    ("v1", "ReplicationController", {"spec": {"replicas": 2, "selector": {"app": "web"}, "template": _TEMPLATE}}),
    ("apps/v1", "Deployment", {"spec": {"replicas": 2, "selector": _SELECTOR, "template": _TEMPLATE}}),
    ("apps/v1", "ReplicaSet", {"spec": {"replicas": 2, "selector": _SELECTOR, "template": _TEMPLATE}}),
    ("apps/v1", "DaemonSet", {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}}),
    (
        "apps/v1",
        "StatefulSet",
        {
            "spec": {
                "serviceName": "web",
                "selector": _SELECTOR,
                "template": _TEMPLATE,
                "volumeClaimTemplates": [
                    {
                        "metadata": _METADATA,
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "1Gi"}},
                        },
                    }
                ],
            }
        },
    ),
    ("apps/v1", "ControllerRevision", {"revision": 1, "data": {"spec": {"template": {"a": [1, "b"]}}}}),
    ("batch/v1", "Job", {"spec": {"completions": 2, "parallelism": 1, "template": _ONCE}}),
    ("batch/v1", "CronJob", {"spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": _ONCE}}}}),
    (
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        {
            "spec": {
                "minReplicas": 1,
                "maxReplicas": 5,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "seed"},
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}},
                    {"type": "Pods", "pods": {"metric": {"name": "qps"}, "target": {"type": "AverageValue", "averageValue": "10"}}},
                ],
                "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
            }
        },
    ),
    (
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        {
            "spec": {
                "maxReplicas": 5,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "seed"},
                "targetCPUUtilizationPercentage": 70,
            }
        },
    ),
    ("policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": "50%", "selector": _SELECTOR}}),
    ("v1", "ConfigMap", {"data": {"a": "b"}, "binaryData": {"c": "ZA=="}}),
    ("v1", "Secret", {"type": "Opaque", "data": {"a": "Yg=="}}),
    ("v1", "ServiceAccount", {"automountServiceAccountToken": False, "secrets": [{"name": "seed"}]}),
    (
        "v1",
        "Service",
        {"spec": {"selector": {"app": "web"}, "type": "NodePort", "ports": [{"port": 80, "targetPort": "http"}]}},
    ),
    (
        "v1",
        "Endpoints",
        {"subsets": [{"addresses": [{"ip": "10.1.0.1"}], "ports": [{"port": 80, "name": "http"}]}]},
    ),
    (
        "discovery.k8s.io/v1",
        "EndpointSlice",
        {
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}],
            "ports": [{"port": 80, "name": "http"}],
        },
    ),
    (
        "v1",
        "PersistentVolumeClaim",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
    ),
    (
        "networking.k8s.io/v1",
        "Ingress",
        {
            "spec": {
                "rules": [
                    {
                        "host": "web.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "seed", "port": {"number": 80}}},
                                }
                            ]
                        },
                    }
                ]
            }
        },
    ),
    (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        {
            "spec": {
                "podSelector": {"matchLabels": {"app": "web"}},
                "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 80}]}],
            }
        },
    ),
    ("coordination.k8s.io/v1", "Lease", {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}}),
    (
        "v1",
        "Event",
        {
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": "seed"},
            "reason": "Pulled",
            "message": "it was there",
            "type": "Normal",
            "eventTime": "2026-01-31T12:00:00.000000Z",
            "action": "Pulling",
            "reportingComponent": "example.com/agent",
            "reportingInstance": "a",
        },
    ),
    (
        "events.k8s.io/v1",
        "Event",
        {
            "regarding": {"kind": "Pod", "namespace": "default", "name": "seed"},
            "reason": "Pulled",
            "action": "Pulling",
            "type": "Normal",
            "eventTime": "2026-01-31T12:00:00.000000Z",
            "reportingController": "example.com/agent",
            "reportingInstance": "a",
        },
    ),
)  # fmt: skip
