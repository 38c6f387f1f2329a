"""One valid object of every kind that makes up a cluster, bounds it, or says who may do what."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

_RULES: list[Object] = [
    {"operations": ["CREATE"], "apiGroups": ["toys.example.com"], "apiVersions": ["*"], "resources": ["toys"]}
]
_WEBHOOK: Object = {
    "name": "toys.example.com",
    "clientConfig": {"service": {"namespace": "default", "name": "nobody"}},
    "rules": _RULES,
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
}
_SUBJECT: Object = {"kind": "User", "name": "joe", "apiGroup": "rbac.authorization.k8s.io"}
_ROLE: Object = {"apiGroup": "rbac.authorization.k8s.io", "name": "seed"}
_ASKED: Object = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}
# apiVersion, kind, what is in it besides type and metadata.
CLUSTER: tuple[tuple[str, str, Object], ...] = (
    ("v1", "Namespace", {}),
    ("v1", "Node", {"spec": {"taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}]}}),
    ("v1", "LimitRange", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "64"}, "default": {"cpu": "1"}}]}}),
    ("v1", "ResourceQuota", {"spec": {"hard": {"pods": "100", "requests.cpu": "1000"}}}),
    (
        "v1",
        "PersistentVolume",
        {
            "spec": {
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/srv/data"},
            }
        },
    ),
    ("storage.k8s.io/v1", "StorageClass", {"provisioner": "example.com/disk", "parameters": {"a": "b"}}),
    ("storage.k8s.io/v1", "CSIDriver", {"spec": {"attachRequired": False}}),
    ("storage.k8s.io/v1", "CSINode", {"spec": {"drivers": [{"name": "disk.example.com", "nodeID": "n"}]}}),
    ("storage.k8s.io/v1", "CSIStorageCapacity", {"storageClassName": "seed", "capacity": "5Gi"}),
    (
        "storage.k8s.io/v1",
        "VolumeAttachment",
        {"spec": {"attacher": "disk.example.com", "nodeName": "seed", "source": {"persistentVolumeName": "seed"}}},
    ),
    ("storage.k8s.io/v1", "VolumeAttributesClass", {"driverName": "disk.example.com", "parameters": {"a": "b"}}),
    ("networking.k8s.io/v1", "IngressClass", {"spec": {"controller": "example.com/ingress"}}),
    ("networking.k8s.io/v1", "IPAddress", {"spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "seed"}}}),
    ("networking.k8s.io/v1", "ServiceCIDR", {"spec": {"cidrs": ["10.200.0.0/24"]}}),
    ("scheduling.k8s.io/v1", "PriorityClass", {"value": 10, "description": "before others"}),
    ("node.k8s.io/v1", "RuntimeClass", {"handler": "runsc", "overhead": {"podFixed": {"cpu": "10m"}}}),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        {
            "spec": {
                "matchConstraints": {"resourceRules": _RULES},
                "variables": [{"name": "few", "expression": "size(object.metadata.name) < 9"}],
                "validations": [{"expression": "variables.few", "message": "too long"}],
            }
        },
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        {"spec": {"policyName": "seed", "validationActions": ["Deny"]}},
    ),
    (
        "admissionregistration.k8s.io/v1",
        "MutatingAdmissionPolicy",
        {
            "spec": {
                "matchConstraints": {"resourceRules": _RULES},
                "reinvocationPolicy": "Never",
                "mutations": [
                    {
                        "patchType": "JSONPatch",
                        "jsonPatch": {"expression": '[JSONPatch{op: "add", path: "/a", value: 1}]'},
                    }
                ],
            }
        },
    ),
    ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicyBinding", {"spec": {"policyName": "seed"}}),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", {"webhooks": [_WEBHOOK]}),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", {"webhooks": [_WEBHOOK]}),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", {"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}),
    ("rbac.authorization.k8s.io/v1", "Role", {"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", {"subjects": [_SUBJECT], "roleRef": {**_ROLE, "kind": "ClusterRole"}}),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", {"subjects": [_SUBJECT], "roleRef": {**_ROLE, "kind": "Role"}}),
    ("authorization.k8s.io/v1", "SubjectAccessReview", {"spec": {"user": "joe", **_ASKED}}),
    ("authorization.k8s.io/v1", "LocalSubjectAccessReview", {"spec": {"user": "joe", **_ASKED}}),
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview", {"spec": _ASKED}),
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview", {"spec": {"namespace": "default"}}),
    ("authentication.k8s.io/v1", "TokenReview", {"spec": {"token": "admin-token"}}),
    ("authentication.k8s.io/v1", "SelfSubjectReview", {}),
    (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        {
            "spec": {
                "group": "toys.example.com",
                "scope": "Namespaced",
                "names": {"plural": "tops", "kind": "Top"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {
                            "openAPIV3Schema": {
                                "type": "object",
                                "properties": {"spec": {"type": "object", "properties": {"speed": {"type": "integer"}}}},
                            }
                        },
                        "additionalPrinterColumns": [{"name": "Speed", "type": "integer", "jsonPath": ".spec.speed"}],
                    }
                ],
            }
        },
    ),
)  # fmt: skip
