"""The roles that every cluster has, as kube-apiserver makes them.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
"""

from __future__ import annotations

from app.objects.change import Object

READ = "get list watch"
CHANGE = "create delete deletecollection patch update"
ALL = f"{READ} {CHANGE}"
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"


def _rule(verbs: str, group: str, resources: str, names: str = "") -> Object:
    rule: Object = {
        "apiGroups": [group],
        "resources": resources.split(),
        "verbs": sorted(verbs.split()),
    }
    return {**rule, "resourceNames": names.split()} if names else rule


def _paths(verbs: str, paths: str) -> Object:
    return {"nonResourceURLs": paths.split(), "verbs": verbs.split()}


def _events() -> list[Object]:
    return [
        _rule("create patch update", "", "events"),
        _rule("create patch update", "events.k8s.io", "events"),
    ]


_HEALTH = "/healthz /livez /readyz /version /version/"
_ASK = [
    _rule("create", "authentication.k8s.io", "tokenreviews"),
    _rule("create", "authorization.k8s.io", "subjectaccessreviews"),
]
_CERTIFICATES = "system:certificates.k8s.io:"
_SIGNER = "kubernetes.io/"

_VIEW = [
    _rule(
        READ,
        "",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
        "replicationcontrollers/scale serviceaccounts services services/status",
    ),
    _rule(
        READ,
        "",
        "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
        "resourcequotas resourcequotas/status",
    ),
    _rule(READ, "", "namespaces"),
    _rule(READ, "discovery.k8s.io", "endpointslices"),
    _rule(
        READ,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
        "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
    ),
    _rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    _rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    _rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    _rule(READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
]
_EDIT = [
    _rule(READ, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    _rule("impersonate", "", "serviceaccounts"),
    _rule(CHANGE, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    _rule("create", "", "pods/eviction"),
    _rule(
        CHANGE,
        "",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
        "serviceaccounts services services/proxy",
    ),
    _rule("create", "", "serviceaccounts/token"),
    _rule(
        CHANGE,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
        "statefulsets/scale",
    ),
    _rule(CHANGE, "autoscaling", "horizontalpodautoscalers"),
    _rule(CHANGE, "batch", "cronjobs jobs"),
    _rule(CHANGE, "policy", "poddisruptionbudgets"),
    _rule(CHANGE, "networking.k8s.io", "ingresses networkpolicies"),
    _rule(ALL, "coordination.k8s.io", "leases"),
]
_ADMIN = [
    _rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    _rule(ALL, "rbac.authorization.k8s.io", "rolebindings roles"),
]
# What a node's credential may do is decided by the node authorizer; this is for whoever is given the role by hand.
_NODE = [
    _rule("create", "authentication.k8s.io", "tokenreviews"),
    _rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
    _rule(READ, "", "services"),
    _rule(f"create {READ}", "", "nodes"),
    _rule("patch update", "", "nodes/status"),
    _rule("patch update", "", "nodes"),
    *_events(),
    _rule(READ, "", "pods"),
    _rule("create delete", "", "pods"),
    _rule("patch update", "", "pods/status"),
    _rule("create", "", "pods/eviction"),
    _rule(READ, "", "configmaps secrets"),
    _rule("get", "", "persistentvolumeclaims persistentvolumes"),
    _rule("get", "", "endpoints"),
    _rule(f"create {READ}", "certificates.k8s.io", "certificatesigningrequests"),
    _rule("create delete get patch update", "coordination.k8s.io", "leases"),
    _rule("get", "storage.k8s.io", "volumeattachments"),
    _rule("create", "", "serviceaccounts/token"),
    _rule("get patch update", "", "persistentvolumeclaims/status"),
    _rule(READ, "storage.k8s.io", "csidrivers"),
    _rule("create delete get patch update", "storage.k8s.io", "csinodes"),
    _rule(READ, "node.k8s.io", "runtimeclasses"),
]
_SCHEDULER = [
    *_events(),
    _rule("create", "coordination.k8s.io", "leases"),
    _rule("get update", "coordination.k8s.io", "leases", "kube-scheduler"),
    _rule(READ, "", "nodes"),
    _rule(f"delete {READ}", "", "pods"),
    _rule("create", "", "bindings pods/binding"),
    _rule("patch update", "", "pods/status"),
    _rule(READ, "", "replicationcontrollers services"),
    _rule(READ, "apps", "replicasets statefulsets"),
    _rule(READ, "policy", "poddisruptionbudgets"),
    _rule(f"patch update {READ}", "", "persistentvolumeclaims persistentvolumes"),
    *_ASK,
    _rule(READ, "storage.k8s.io", "csidrivers csinodes csistoragecapacities"),
    _rule(READ, "", "namespaces"),
]
_CONTROLLERS = [
    *_events(),
    _rule("create", "coordination.k8s.io", "leases"),
    _rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
    _rule("create", "", "secrets serviceaccounts"),
    _rule("delete", "", "secrets"),
    _rule("get", "", "configmaps namespaces secrets serviceaccounts"),
    _rule("update", "", "secrets serviceaccounts"),
    *_ASK,
    _rule("list watch", "*", "*"),
    _rule("create", "", "serviceaccounts/token"),
]
_PROXIER = [
    _rule("list watch", "", "endpoints services"),
    _rule(READ, "", "nodes"),
    *_events(),
    _rule("list watch", "discovery.k8s.io", "endpointslices"),
]

# Name -> rules.
CLUSTER_ROLES: dict[str, list[Object]] = {
    "cluster-admin": [_rule("*", "*", "*"), _paths("*", "*")],
    "system:aggregate-to-admin": _ADMIN,
    "system:aggregate-to-edit": _EDIT,
    "system:aggregate-to-view": _VIEW,
    "system:aggregated-metrics-reader": [_rule(READ, "metrics.k8s.io", "nodes pods")],
    "system:auth-delegator": _ASK,
    "system:basic-user": [
        _rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        _rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
    "system:discovery": [_paths("get", f"/api /api/* /apis /apis/* /openapi /openapi/* {_HEALTH}")],
    "system:kube-controller-manager": _CONTROLLERS,
    "system:kube-dns": [_rule("list watch", "", "endpoints services")],
    "system:kube-scheduler": _SCHEDULER,
    "system:monitoring": [
        _paths("get", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*")
    ],
    "system:node": _NODE,
    "system:node-bootstrapper": [_rule(f"create {READ}", "certificates.k8s.io", "certificatesigningrequests")],
    "system:node-problem-detector": [_rule("get", "", "nodes"), _rule("patch", "", "nodes/status"), *_events()],
    "system:node-proxier": _PROXIER,
    "system:persistent-volume-provisioner": [
        _rule(f"create delete {READ}", "", "persistentvolumes"),
        _rule(f"update {READ}", "", "persistentvolumeclaims"),
        _rule(READ, "storage.k8s.io", "storageclasses"),
        _rule("watch", "", "events"),
        *_events(),
    ],
    "system:public-info-viewer": [_paths("get", _HEALTH)],
    "system:service-account-issuer-discovery": [
        _paths("get", "/.well-known/openid-configuration /.well-known/openid-configuration/ "
               "/openid/v1/jwks /openid/v1/jwks/")
    ],
    **{
        f"{_CERTIFICATES}certificatesigningrequests:{name}": [
            _rule("create", "certificates.k8s.io", f"certificatesigningrequests/{name}")
        ]
        for name in ("nodeclient", "selfnodeclient")
    },
    **{
        f"{_CERTIFICATES}{name}-approver": [_rule("approve", "certificates.k8s.io", "signers", f"{_SIGNER}{name}")]
        for name in ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
    },
}  # fmt: skip

# Name -> those for which its rules count, too.
AGGREGATED_TO: dict[str, str] = {
    "edit": "admin",
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
    "system:aggregated-metrics-reader": "view",
    "view": "edit",
}
# Their rules are those of others.
AGGREGATES = ("admin", "edit", "view")

# (namespace, name) -> rules.
ROLES: dict[tuple[str, str], list[Object]] = {
    ("kube-system", "extension-apiserver-authentication-reader"): [
        _rule(READ, "", "configmaps", "extension-apiserver-authentication")
    ],
    ("kube-public", "kubeadm:bootstrap-signer-clusterinfo"): [_rule("get", "", "configmaps", "cluster-info")],
}

_EVERYBODY = ("Group system:authenticated",)
_NODE_TOKENS = ("Group system:bootstrappers:kubeadm:default-node-token",)
# Name -> role, and who gets it.
CLUSTER_BINDINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cluster-admin": ("cluster-admin", ("Group system:masters",)),
    "system:basic-user": ("system:basic-user", _EVERYBODY),
    "system:discovery": ("system:discovery", _EVERYBODY),
    "system:kube-controller-manager": (
        "system:kube-controller-manager",
        ("User system:kube-controller-manager",),
    ),
    "system:kube-dns": ("system:kube-dns", ("ServiceAccount kube-system/kube-dns",)),
    "system:kube-scheduler": ("system:kube-scheduler", ("User system:kube-scheduler",)),
    "system:monitoring": ("system:monitoring", ("Group system:monitoring",)),
    "system:node": ("system:node", ()),
    "system:node-proxier": ("system:node-proxier", ("User system:kube-proxy",)),
    "system:public-info-viewer": (
        "system:public-info-viewer",
        (*_EVERYBODY, "Group system:unauthenticated"),
    ),
    "system:service-account-issuer-discovery": (
        "system:service-account-issuer-discovery",
        ("Group system:serviceaccounts",),
    ),
    # As kubeadm has them, for nodes that join.
    "kubeadm:kubelet-bootstrap": ("system:node-bootstrapper", _NODE_TOKENS),
    "kubeadm:node-autoapprove-bootstrap": (
        f"{_CERTIFICATES}certificatesigningrequests:nodeclient",
        _NODE_TOKENS,
    ),
    "kubeadm:node-autoapprove-certificate-rotation": (
        f"{_CERTIFICATES}certificatesigningrequests:selfnodeclient",
        ("Group system:nodes",),
    ),
}
# (namespace, name of the binding and its Role) -> who gets it.
BINDINGS: dict[tuple[str, str], tuple[str, ...]] = {
    ("kube-public", "kubeadm:bootstrap-signer-clusterinfo"): ("User system:anonymous",),
}


def aggregate_labels(name: str) -> dict[str, str]:
    """The labels by which a role's rules count for another, too."""
    into = AGGREGATED_TO.get(name)
    return {f"{_AGGREGATE}{into}": "true"} if into else {}


def aggregation_rule(name: str) -> Object | None:
    """What chooses the roles that make up an aggregate; None for other roles."""
    if name not in AGGREGATES:
        return None
    return {"clusterRoleSelectors": [{"matchLabels": {f"{_AGGREGATE}{name}": "true"}}]}
