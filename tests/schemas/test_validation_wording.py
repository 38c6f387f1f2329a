"""What is refused is refused in Kubernetes's words: a table of a valid object, one change, and the exact message.

The words are those of kubernetes/pkg/apis/*/validation; people search for them, and tools match them.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.base.errors import Invalid
from app.schemas import defaults, kinds
from app.schemas.validate import validate

REMOVED = object()
META = {"name": "web", "namespace": "default"}
CLUSTER = {"name": "web"}
RULE = {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
NODE_AFFINITY = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}}
NEAR = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "zone"}
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
POD_FIELDS = (
    '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
    '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
)
RESOURCE_FIELDS = (
    '"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", '
    '"requests.ephemeral-storage", "requests.memory"'
)
MODES = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
NEEDED = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
FAR = "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"

VALID: dict[str, dict[str, Any]] = {
    "pods": {
        "metadata": META,
        "spec": {
            "containers": [
                {
                    "name": "web",
                    "image": "nginx",
                    "ports": [{"containerPort": 80, "hostPort": 80}],
                    "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                    "envFrom": [{"configMapRef": {"name": "web"}}],
                    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1"}},
                    "livenessProbe": {"httpGet": {"port": 80}},
                    "readinessProbe": {"tcpSocket": {"port": 80}},
                    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                },
                {"name": "side", "image": "nginx"},
            ],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "affinity": {
                "nodeAffinity": NODE_AFFINITY,
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [NEAR]},
            },
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
            ],
            "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoSchedule"}],
            "securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]},
            "schedulingGates": [{"name": "a.b/c"}],
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a.b"]}],
            "dnsConfig": {"nameservers": ["10.0.0.1"], "searches": ["a.b"], "options": [{"name": "ndots"}]},
        },
    },
    "services": {"metadata": META, "spec": {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}},
    "configmaps": {"metadata": META, "data": {"a": "b"}},
    "secrets": {
        "metadata": META, "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="},
    },
    "nodes": {"metadata": CLUSTER, "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}},
    "endpoints": {
        "metadata": META,
        "subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"name": "a", "port": 80}]}],
    },
    "limitranges": {"metadata": META, "spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]}},
    "resourcequotas": {"metadata": META, "spec": {"hard": {"cpu": "1", "pods": "3"}}},
    "persistentvolumes": {
        "metadata": CLUSTER,
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/data"},
        },
    },
    "persistentvolumeclaims": {
        "metadata": META,
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    },
    "storageclasses.storage.k8s.io": {"metadata": CLUSTER, "provisioner": "example.com/disk"},
    "volumeattributesclasses.storage.k8s.io": {
        "metadata": CLUSTER, "driverName": "disk.example.com", "parameters": {"a": "b"},
    },
    "csidrivers.storage.k8s.io": {"metadata": CLUSTER, "spec": {}},
    "csinodes.storage.k8s.io": {
        "metadata": CLUSTER, "spec": {"drivers": [{"name": "disk.example.com", "nodeID": "n"}]},
    },
    "csistoragecapacities.storage.k8s.io": {"metadata": META, "storageClassName": "slow", "capacity": "1Gi"},
    "volumeattachments.storage.k8s.io": {
        "metadata": CLUSTER,
        "spec": {"attacher": "disk", "nodeName": "n", "source": {"persistentVolumeName": "pv"}},
    },
    "priorityclasses.scheduling.k8s.io": {"metadata": CLUSTER, "value": 1000},
    "runtimeclasses.node.k8s.io": {"metadata": CLUSTER, "handler": "runsc"},
    "ingresses.networking.k8s.io": {
        "metadata": META,
        "spec": {
            "rules": [
                {
                    "host": "foo.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ]
        },
    },
    "ingressclasses.networking.k8s.io": {"metadata": CLUSTER, "spec": {"controller": "example.com/web"}},
    "networkpolicies.networking.k8s.io": {
        "metadata": META,
        "spec": {
            "ingress": [
                {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": 1}]}
            ]
        },
    },
    "ipaddresses.networking.k8s.io": {
        "metadata": {"name": "10.0.0.1"}, "spec": {"parentRef": {"resource": "services", "name": "web"}},
    },
    "servicecidrs.networking.k8s.io": {"metadata": CLUSTER, "spec": {"cidrs": ["10.0.0.0/16"]}},
    "validatingwebhookconfigurations.admissionregistration.k8s.io": {
        "metadata": CLUSTER,
        "webhooks": [
            {
                "name": "a.example.com",
                "clientConfig": {"url": "https://example.com/"},
                "rules": [RULE],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    },
    "validatingadmissionpolicies.admissionregistration.k8s.io": {
        "metadata": CLUSTER,
        "spec": {"matchConstraints": {"resourceRules": [RULE]}, "validations": [{"expression": "true"}]},
    },
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "metadata": CLUSTER, "spec": {"policyName": "web", "validationActions": ["Deny"]},
    },
    "mutatingadmissionpolicies.admissionregistration.k8s.io": {
        "metadata": CLUSTER,
        "spec": {
            "matchConstraints": {"resourceRules": [RULE]},
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}],
            "reinvocationPolicy": "Never",
        },
    },
}  # fmt: skip

_WEBHOOKS = "validatingwebhookconfigurations.admissionregistration.k8s.io"
_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
_BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
_MUTATING = "mutatingadmissionpolicies.admissionregistration.k8s.io"
_INGRESSES = "ingresses.networking.k8s.io"
_CLASSES = "ingressclasses.networking.k8s.io"
_NETWORK = "networkpolicies.networking.k8s.io"
_PATH = "spec.rules.0.http.paths.0"
_FIRST = "spec.rules[0].http.paths[0]"
_CONTAINER = "spec.containers.0"
_ONE = "spec.containers[0]"

# (resource, where, what is put there, the message)
TABLE: list[tuple[str, str, Any, str]] = [
    # Pods: variables.
    ("pods", f"{_CONTAINER}.env.0.valueFrom.fieldRef.fieldPath", "status.phase",
     f'{_ONE}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: {POD_FIELDS}'),
    ("pods", f"{_CONTAINER}.env.0.valueFrom.fieldRef.fieldPath", "spec.nope",
     f'{_ONE}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nope": error converting fieldPath: '
     "field label not supported: spec.nope"),
    ("pods", f"{_CONTAINER}.env.0.valueFrom", {"resourceFieldRef": {"resource": "limits.gpu"}},
     f'{_ONE}.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: '
     f"{RESOURCE_FIELDS}"),
    ("pods", f"{_CONTAINER}.env.0.valueFrom", {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}},
     f'{_ONE}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m '
     "and 1 are supported with the cpu resource"),
    ("pods", f"{_CONTAINER}.env.0.valueFrom", {"configMapKeyRef": {"key": "a"}},
     f'{_ONE}.env[0].valueFrom.configMapKeyRef.name: Invalid value: "": {SUBDOMAIN}'),
    ("pods", f"{_CONTAINER}.envFrom.0", {"secretRef": {}},
     f"{_ONE}.envFrom[0].secretRef.name: Required value"),
    # Pods: ports, probes, hooks, resources.
    ("pods", "spec.containers.1.ports", [{"containerPort": 80, "hostPort": 80}],
     'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'),
    ("pods", f"{_CONTAINER}.livenessProbe.httpGet.httpHeaders", [{"name": "a b", "value": "c"}],
     f'{_ONE}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of '
     "alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"),
    ("pods", f"{_CONTAINER}.livenessProbe.exec", {"command": ["a"]},
     f"{_ONE}.livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type"),
    ("pods", f"{_CONTAINER}.livenessProbe.successThreshold", 2,
     f"{_ONE}.livenessProbe.successThreshold: Invalid value: 2: must be 1"),
    ("pods", f"{_CONTAINER}.readinessProbe.terminationGracePeriodSeconds", 5,
     f"{_ONE}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"),
    ("pods", f"{_CONTAINER}.lifecycle.preStop.sleep.seconds", 31,
     f"{_ONE}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
     "terminationGracePeriodSeconds (30)"),
    ("pods", f"{_CONTAINER}.resources.requests.cpu", "2",
     f'{_ONE}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'),
    ("pods", f"{_CONTAINER}.resources", {"limits": {"hugepages-2Mi": "2Mi"}},
     f"{_ONE}.resources: Forbidden: HugePages require cpu or memory"),
    ("pods", f"{_CONTAINER}.resources", {"requests": {"a.b/gpu": "1"}},
     f"{_ONE}.resources.limits: Required value: Limit must be set for non overcommitable resources"),
    ("pods", f"{_CONTAINER}.terminationMessagePolicy", "x",
     f'{_ONE}.terminationMessagePolicy: Unsupported value: "x": supported values: "File", '
     '"FallbackToLogsOnError"'),
    # Pods: volumes.
    ("pods", "spec.volumes.0", {"name": "v", "configMap": {}}, "spec.volumes[0].configMap.name: Required value"),
    ("pods", "spec.volumes.0", {"name": "v", "secret": {}}, "spec.volumes[0].secret.secretName: Required value"),
    ("pods", "spec.volumes.0", {"name": "v", "secret": {"secretName": "s", "items": [{"key": "a", "path": "/b"}]}},
     'spec.volumes[0].secret.items[0].path: Invalid value: "/b": must be a relative path'),
    ("pods", "spec.volumes.0", {"name": "v", "secret": {"secretName": "s", "items": [{"key": "a", "path": "../b"}]}},
     "spec.volumes[0].secret.items[0].path: Invalid value: \"../b\": must not contain '..'"),
    ("pods", "spec.volumes.0", {"name": "v", "secret": {"secretName": "s", "items": [{"key": "a", "path": "..b"}]}},
     "spec.volumes[0].secret.items[0].path: Invalid value: \"..b\": must not start with '..'"),
    ("pods", "spec.volumes.0", {"name": "v", "hostPath": {"path": "/a", "type": "x"}},
     'spec.volumes[0].hostPath.type: Unsupported value: "x": supported values: "", "BlockDevice", "CharDevice", '
     '"Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'),
    ("pods", "spec.volumes.0", {"name": "v", "nfs": {"server": "a", "path": "b"}},
     'spec.volumes[0].nfs.path: Invalid value: "b": must be an absolute path'),
    ("pods", "spec.volumes.0", {"name": "v", "downwardAPI": {"items": [{"path": "a"}]}},
     "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"),
    ("pods", "spec.volumes.0",
     {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "a", "expirationSeconds": 5}}]}},
     "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not "
     "specify a duration less than 10 minutes"),
    ("pods", "spec.volumes.0", {"name": "v", "emptyDir": {}, "hostPath": {"path": "/a"}},
     "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"),
    ("pods", "spec.volumes.0.name", "w", f'{_ONE}.volumeMounts[0].name: Not found: "v"'),
    ("pods", f"{_CONTAINER}.volumeMounts.0.subPath", "/a",
     f'{_ONE}.volumeMounts.subPath: Invalid value: "/a": must be a relative path'),
    ("pods", f"{_CONTAINER}.volumeMounts.0.mountPropagation", "Bidirectional",
     f"{_ONE}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to "
     "privileged containers"),
    ("pods", "spec.containers.1.volumeDevices", [{"name": "v", "devicePath": "/dev/a"}],
     'spec.containers[1].volumeDevices[0].name: Invalid value: "v": can only use volume source type of '
     "PersistentVolumeClaim or Ephemeral for block mode"),
    # Pods: placement.
    ("pods", f"{NEEDED}.nodeSelectorTerms", [],
     f"{NEEDED}.nodeSelectorTerms: Required value: must have at least one node selector term"),
    ("pods", f"{NEEDED}.nodeSelectorTerms.0.matchExpressions.0.operator", "x",
     f'{NEEDED}.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "x": not a valid selector operator'),
    ("pods", f"{NEEDED}.nodeSelectorTerms.0.matchExpressions.0.values", REMOVED,
     f"{NEEDED}.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` "
     "is 'In' or 'NotIn'"),
    ("pods", f"{NEEDED}.nodeSelectorTerms.0.matchFields",
     [{"key": "a", "operator": "In", "values": ["b"]}],
     f'{NEEDED}.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "a": not a valid field selector key'),
    ("pods", PREFERRED, [{"weight": 101, "preference": TERM}],
     f"{PREFERRED}[0].weight: Invalid value: 101: must be in the range 1-100"),
    ("pods", f"{FAR}.0.matchLabelKeys", ["a b"],
     f"{FAR}[0].matchLabelKeys[0]: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', "
     "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
     "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"),
    ("pods", f"{FAR}.0.labelSelector.matchExpressions", [{"key": "a", "operator": "x"}],
     f'{FAR}[0].labelSelector.matchExpressions[0].operator: Invalid value: "x": not a valid selector operator'),
    ("pods", "spec.topologySpreadConstraints.0.maxSkew", 0,
     "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"),
    ("pods", "spec.topologySpreadConstraints.0.topologyKey", "",
     "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty"),
    ("pods", "spec.topologySpreadConstraints.0.whenUnsatisfiable", "x",
     'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "x": supported values: '
     '"DoNotSchedule", "ScheduleAnyway"'),
    ("pods", "spec.tolerations.0.value", "x",
     "spec.tolerations[0].operator: Invalid value: \"x\": value must be empty when `operator` is 'Exists'"),
    ("pods", "spec.tolerations.0.effect", "x",
     'spec.tolerations[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", '
     '"NoExecute"'),
    ("pods", "spec.tolerations.0.tolerationSeconds", 5,
     "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
     "`tolerationSeconds` is set"),
    ("pods", "spec.schedulingGates", [{"name": "a"}, {"name": "a"}],
     'spec.schedulingGates[1]: Duplicate value: "a"'),
    ("pods", "spec.nodeName", "n", "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"),
    # Pods: names, security and the rest.
    ("pods", "spec.dnsConfig.nameservers", ["x"],
     'spec.dnsConfig.nameservers[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or '
     "2001:db8::ffff)"),
    ("pods", "spec.dnsConfig.nameservers", ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"],
     'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more '
     "than 3 nameservers"),
    ("pods", "spec.dnsConfig.options", [{"value": "5"}],
     "spec.dnsConfig.options[0]: Required value: must not be empty"),
    ("pods", "spec.hostAliases.0.hostnames", ["A"],
     f'spec.hostAliases[0].hostnames[0]: Invalid value: "A": {SUBDOMAIN}'),
    ("pods", f"{_CONTAINER}.securityContext.seccompProfile.type", "Localhost",
     f"{_ONE}.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is "
     "Localhost"),
    ("pods", f"{_CONTAINER}.securityContext", {"allowPrivilegeEscalation": False, "privileged": True},
     f'{_ONE}.securityContext: Invalid value: {{"allowPrivilegeEscalation":false,"privileged":true}}: cannot set '
     "`allowPrivilegeEscalation` to false and `privileged` to true"),
    ("pods", "spec.securityContext.sysctls.0.name", "A",
     'spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex '
     r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"),
    ("pods", "spec.securityContext.supplementalGroups", [-1],
     "spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
    ("pods", "spec.activeDeadlineSeconds", 0,
     "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"),
    ("pods", "spec.ephemeralContainers", [{"name": "e", "image": "i"}],
     "spec.ephemeralContainers: Forbidden: cannot be set on create"),
    ("pods", "spec.preemptionPolicy", "x",
     'spec.preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"'),
    # Metadata.
    ("configmaps", "metadata.ownerReferences", [{"apiVersion": "v1", "kind": "Pod", "name": "a"}],
     'metadata.ownerReferences[0].uid: Invalid value: "": must not be empty'),
    ("configmaps", "metadata.name", "A", f'metadata.name: Invalid value: "A": {SUBDOMAIN}'),
    ("configmaps", "data", {"a b": "c"},
     'data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, \'-\', \'_\' or '
     "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"),
    ("configmaps", "data", {"a": "b" * (1 + (1 << 20))}, "[]: Too long: may not be more than 1048576 bytes"),
    ("secrets", "data", {".dockerconfigjson": "YQ=="},
     "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'a' looking for "
     "beginning of value"),
    # Services and endpoints.
    ("services", "spec.externalTrafficPolicy", "Local",
     'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'),
    ("services", "spec.trafficDistribution", "x",
     'spec.trafficDistribution: Unsupported value: "x": supported values: "PreferClose", "PreferSameZone", '
     '"PreferSameNode"'),
    ("services", "spec.ipFamilies", ["IPv4", "IPv4"], 'spec.ipFamilies[1]: Duplicate value: "IPv4"'),
    ("services", "spec.ipFamilies", ["x"],
     'spec.ipFamilies[0]: Unsupported value: "x": supported values: "IPv4", "IPv6"'),
    ("services", "spec.sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 5}},
     "spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None"),
    ("services", "spec.loadBalancerClass", "a.b/c",
     "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"),
    ("services", "spec.allocateLoadBalancerNodePorts", True,
     "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"),
    ("services", "spec.ports.0.nodePort", 30000,
     "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"),
    ("services", "spec.ports.1.name", "a", 'spec.ports[1].name: Duplicate value: "a"'),
    ("services", "spec.ports.0.port", 0, "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"),
    ("services", "spec.healthCheckNodePort", 1,
     "spec.healthCheckNodePort: Invalid value: 1: may only be set when `type` is 'LoadBalancer' and "
     "`externalTrafficPolicy` is 'Local'"),
    ("endpoints", "subsets.0.ports", [{"name": "a", "port": 1}, {"port": 2}],
     "subsets[0].ports[1].name: Required value"),
    ("endpoints", "subsets.0.addresses", [], "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"),
    ("endpoints", "subsets.0.addresses.0.hostname", "a.b",
     f'subsets[0].addresses[0].hostname: Invalid value: "a.b": {LABEL}'),
    ("nodes", "spec.taints", [{"key": "a", "effect": "NoSchedule"}] * 2,
     'spec.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair'),
    # Limits.
    ("limitranges", "spec.limits.0.type", "x",
     'spec.limits[0].type: Invalid value: "x": must be a standard limit type or fully qualified'),
    ("limitranges", "spec.limits.0", {"type": "Pod", "min": {"cpu": "3"}, "max": {"cpu": "2"}},
     'spec.limits[0].min[cpu]: Invalid value: "3": min value 3 is greater than max value 2'),
    ("limitranges", "spec.limits.0",
     {"type": "Container", "max": {"cpu": "2"}, "default": {"cpu": "3"}, "defaultRequest": {"cpu": "1"}},
     'spec.limits[0].default[cpu]: Invalid value: "2": default value 3 is greater than max value 2'),
    ("limitranges", "spec.limits.0", {"type": "Pod", "max": {"foo": "3"}},
     'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource for containers'),
    ("limitranges", "spec.limits.0", {"type": "Pod", "default": {"cpu": "1"}},
     "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"),
    ("limitranges", "spec.limits.0.maxLimitRequestRatio", {"cpu": "500m"},
     'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'),
    ("resourcequotas", "spec.hard", {"foo": "1"},
     'spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota'),
    ("resourcequotas", "spec.hard.pods", "1500m", 'spec.hard[pods]: Invalid value: "1500m": must be an integer'),
    ("resourcequotas", "spec.hard.cpu", "-1", 'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0'),
    ("resourcequotas", "spec.scopes", ["Terminating", "NotTerminating"],
     'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'),
    ("resourcequotas", "spec.scopes", ["BestEffort"],
     'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'),
    ("resourcequotas", "spec.scopeSelector", {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]},
     "spec.scopeSelector.matchExpressions[0].values: Required value: must be at least one value when `operator` is "
     "'In' or 'NotIn' for scope selector"),
    # Storage.
    ("persistentvolumes", "spec.hostPath", REMOVED, "spec: Required value: must specify a volume type"),
    ("persistentvolumes", "spec.nfs", {"server": "a", "path": "/b"},
     "spec.nfs: Forbidden: may not specify more than 1 volume type"),
    ("persistentvolumes", "spec.capacity", REMOVED, "spec.capacity: Required value"),
    ("persistentvolumes", "spec.capacity.storage", "0",
     'spec.capacity[storage]: Invalid value: "0": must be greater than zero'),
    ("persistentvolumes", "spec.accessModes", ["x"],
     f'spec.accessModes: Unsupported value: "x": supported values: {MODES}'),
    ("persistentvolumes", "spec.accessModes", ["ReadWriteOncePod", "ReadOnlyMany"],
     "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"),
    ("persistentvolumes", "spec.persistentVolumeReclaimPolicy", "x",
     'spec.persistentVolumeReclaimPolicy: Unsupported value: "x": supported values: "Delete", "Recycle", "Retain"'),
    ("persistentvolumeclaims", "spec.accessModes", REMOVED,
     "spec.accessModes: Required value: at least 1 access mode is required"),
    ("persistentvolumeclaims", "spec.resources", REMOVED, "spec.resources[storage]: Required value"),
    ("persistentvolumeclaims", "spec.volumeMode", "x",
     'spec.volumeMode: Unsupported value: "x": supported values: "Block", "Filesystem"'),
    ("persistentvolumeclaims", "spec.storageClassName", "A",
     f'spec.storageClassName: Invalid value: "A": {SUBDOMAIN}'),
    ("storageclasses.storage.k8s.io", "provisioner", REMOVED, "provisioner: Required value"),
    ("storageclasses.storage.k8s.io", "reclaimPolicy", "Recycle",
     'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'),
    ("storageclasses.storage.k8s.io", "volumeBindingMode", "x",
     'volumeBindingMode: Unsupported value: "x": supported values: "Immediate", "WaitForFirstConsumer"'),
    ("volumeattributesclasses.storage.k8s.io", "parameters", REMOVED,
     "parameters: Required value: must contain at least one key/value pair"),
    ("csidrivers.storage.k8s.io", "spec.fsGroupPolicy", "x",
     'spec.fsGroupPolicy: Unsupported value: "x": supported values: "File", "None", "ReadWriteOnceWithFSType"'),
    ("csinodes.storage.k8s.io", "spec.drivers.0.nodeID", REMOVED, "spec.drivers[0].nodeID: Required value"),
    ("csistoragecapacities.storage.k8s.io", "capacity", "-1",
     'capacity: Invalid value: "-1": must be greater than or equal to 0'),
    ("volumeattachments.storage.k8s.io", "spec.source", {},
     "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"),
    # Classes.
    ("priorityclasses.scheduling.k8s.io", "value", 1_000_000_001,
     "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
    ("priorityclasses.scheduling.k8s.io", "metadata.name", "system-mine",
     "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
     "system-mine is not a known system priority class"),
    ("priorityclasses.scheduling.k8s.io", "preemptionPolicy", "x",
     'preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"'),
    ("runtimeclasses.node.k8s.io", "handler", "A", f'handler: Invalid value: "A": {LABEL}'),
    # Networking.
    (_INGRESSES, "spec.rules", REMOVED,
     "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"),
    (_INGRESSES, f"{_PATH}.pathType", REMOVED, f"{_FIRST}.pathType: Required value: pathType must be specified"),
    (_INGRESSES, f"{_PATH}.pathType", "x",
     f'{_FIRST}.pathType: Unsupported value: "x": supported values: "Exact", "ImplementationSpecific", "Prefix"'),
    (_INGRESSES, f"{_PATH}.path", "a", f'{_FIRST}.path: Invalid value: "a": must be an absolute path'),
    (_INGRESSES, f"{_PATH}.path", "/a//b", f"{_FIRST}.path: Invalid value: \"/a//b\": must not contain '//'"),
    (_INGRESSES, f"{_PATH}.backend.service.port.name", "http",
     f'{_FIRST}.backend: Invalid value: "": cannot set both port name & port number'),
    (_INGRESSES, f"{_PATH}.backend.service.port", REMOVED,
     f"{_FIRST}.backend: Required value: port name or number is required"),
    (_INGRESSES, f"{_PATH}.backend", {}, f"{_FIRST}.backend: Required value: resource or service backend is required"),
    (_INGRESSES, "spec.rules.0.host", "10.0.0.1",
     'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'),
    (_CLASSES, "spec.controller", "x",
     'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")'),
    (_CLASSES, "spec.parameters", {"kind": "a", "name": "b", "scope": "Namespace"},
     "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"),
    (_NETWORK, "spec.policyTypes", ["x"],
     'spec.policyTypes[0]: Unsupported value: "x": supported values: "Egress", "Ingress"'),
    (_NETWORK, "spec.ingress.0.from", [{}], "spec.ingress[0].from[0]: Required value: must specify a peer"),
    (_NETWORK, "spec.ingress.0.from.0.podSelector", {},
     "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"),
    (_NETWORK, "spec.ingress.0.from.0.ipBlock.except", ["11.0.0.0/16"],
     'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`'),
    (_NETWORK, "spec.ingress.0.ports.0.protocol", "x",
     'spec.ingress[0].ports[0].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"'),
    ("ipaddresses.networking.k8s.io", "metadata.name", "web",
     'metadata.name: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
    ("servicecidrs.networking.k8s.io", "spec.cidrs", [], "spec.cidrs: Required value: at least one CIDR required"),
    # Admission.
    (_WEBHOOKS, "webhooks.0.name", "a",
     'webhooks[0].name: Invalid value: "a": should be a domain with at least three segments separated by dots'),
    (_WEBHOOKS, "webhooks.0.sideEffects", REMOVED,
     "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun"),
    (_WEBHOOKS, "webhooks.0.clientConfig", {},
     "webhooks[0].clientConfig: Required value: exactly one of url or service is required"),
    (_WEBHOOKS, "webhooks.0.clientConfig.url", "http://a",
     "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: "
     "https://host[:port]/path"),
    (_WEBHOOKS, "webhooks.0.timeoutSeconds", 31,
     "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"),
    (_WEBHOOKS, "webhooks.0.admissionReviewVersions", ["v2"],
     'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1'),
    (_WEBHOOKS, "webhooks.0.rules.0.operations", ["x"],
     'webhooks[0].rules[0].operations[0]: Unsupported value: "x": supported values: "*", "CONNECT", "CREATE", '
     '"DELETE", "UPDATE"'),
    (_WEBHOOKS, "webhooks.0.rules.0.resources", ["*", "pods"],
     'webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other '
     "resources without subresources"),
    (_WEBHOOKS, "webhooks.0.failurePolicy", "x",
     'webhooks[0].failurePolicy: Unsupported value: "x": supported values: "Fail", "Ignore"'),
    (_POLICIES, "spec.matchConstraints", REMOVED, "spec.matchConstraints: Required value"),
    (_POLICIES, "spec.validations.0.expression", " ",
     "spec.validations[0].expression: Required value: expression is not specified"),
    (_POLICIES, "spec.variables", [{"name": "a-b", "expression": "1"}],
     'spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier'),
    (_BINDINGS, "spec.validationActions", [],
     "spec.validationActions: Required value: at least one validation action is required"),
    (_BINDINGS, "spec.policyName", REMOVED, "spec.policyName: Required value"),
    (_MUTATING, "spec.reinvocationPolicy", REMOVED, "spec.reinvocationPolicy: Required value"),
    (_MUTATING, "spec.mutations", REMOVED,
     "spec.mutations: Required value: mutations must contain at least one item"),
]  # fmt: skip


def faults(resource: str, obj: dict[str, Any]) -> list[str]:
    kind = kinds.by_resource(resource)
    try:
        validate(kind, defaults.apply(kind, obj))
    except Invalid as exc:
        return [f"{cause.field}: {cause.message}" for cause in exc.causes]
    return []


def changed(resource: str, path: str, value: Any) -> dict[str, Any]:
    """A valid object with one thing put in another's place."""
    obj = copy.deepcopy(VALID[resource])
    inside: Any = obj
    *outer, last = path.split(".")
    for name in outer:
        inside = inside[int(name)] if isinstance(inside, list) else inside.setdefault(name, {})
    if value is REMOVED:
        del inside[last]
    elif isinstance(inside, list):
        inside[int(last)] = value
    else:
        inside[last] = value
    return obj


@pytest.mark.parametrize("resource", sorted(VALID))
def test_what_the_table_starts_from_is_valid(resource: str) -> None:
    assert faults(resource, VALID[resource]) == []


@pytest.mark.parametrize(("resource", "path", "value", "message"), TABLE)
def test_it_is_refused_in_the_words_of_kubernetes(resource: str, path: str, value: Any, message: str) -> None:
    assert faults(resource, changed(resource, path, value)) == [message]
