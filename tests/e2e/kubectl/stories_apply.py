"""Server-side apply with kubectl: who owns what, conflicts, and the way there from client-side apply and back."""

from __future__ import annotations

from tests.e2e.kubectl.line import Line, Story

_WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: $REPLICAS
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: busybox:1.36
        command: [sleep, "3600"]
        env: [$ENV]
        ports: [{containerPort: 80}]
"""


_SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


def _web(replicas: int, *env: str) -> str:
    listed = ", ".join(f"{{name: {name}, value: x}}" for name in env)
    return _WEB.replace("$REPLICAS", str(replicas)).replace("$ENV", listed)


_MANAGERS = (
    "get deployment web --show-managed-fields -o "
    "'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation}/{.subresource} {end}'"
)
_ENV = "get deployment web -o 'jsonpath={.spec.template.spec.containers[0].env[*].name}'"

OWNERSHIP = Story(
    "ownership",
    (
        Line("apply --server-side -f {folder}/two.yaml", "^deployment.apps/web serverside-applied$"),
        Line(_MANAGERS, "(^| )kubectl/Apply/ "),
        Line("rollout status deployment/web --timeout=60s", "successfully rolled out"),
        Line("diff --server-side -f {folder}/two.yaml", "^$"),
        Line("scale deployment web --replicas=1", "scaled"),
        Line(
            "apply --server-side -f {folder}/two.yaml",
            r'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
            code=1,
        ),
        Line("apply --server-side --force-conflicts -f {folder}/two.yaml", "serverside-applied"),
        Line("get deployment web -o jsonpath={.spec.replicas}", "^2$"),
        Line("set env deployment/web C=3", "env updated"),
        Line("apply --server-side -f {folder}/one.yaml", "serverside-applied"),
        # What it applied no longer is gone; what another added stays.
        Line(_ENV, "^A C$"),
        Line("label deployment web tier=back", "labeled"),
        Line(_MANAGERS, r"^kubectl/Apply/ .*kubectl-label/Update/ "),
        Line(
            "apply --server-side --field-manager=team -f {folder}/three.yaml",
            r'conflict with "kubectl": .spec.replicas',
            code=1,
        ),
        Line(
            "apply --server-side --field-manager=team --force-conflicts --dry-run=server -f {folder}/three.yaml",
            r"serverside-applied \(server dry run\)",
        ),
        Line("get deployment web -o jsonpath={.spec.replicas}", "^2$"),
        Line("delete deployment web", "deleted"),
        Line("apply --server-side -f {folder}/svc.yaml", "service/web serverside-applied"),
        Line("apply --server-side -f {folder}/svc.yaml", "service/web serverside-applied"),
        Line("diff --server-side -f {folder}/svc.yaml", "^$"),
        Line(
            "get service web --show-managed-fields -o yaml",
            r'k:\{"port":80,"protocol":"TCP"\}',
        ),
    ),
    {
        "one.yaml": _web(2, "A"),
        "two.yaml": _web(2, "A", "B"),
        "three.yaml": _web(3, "A"),
        "svc.yaml": _SERVICE,
    },
)

HANDOVER = Story(
    "handover",
    (
        Line("apply -f {folder}/one.yaml", "deployment.apps/web created"),
        Line(_MANAGERS, "kubectl-client-side-apply/Update/ "),
        Line("diff -f {folder}/two.yaml", r"\+\s+- name: B", code=1),
        Line("apply --server-side -f {folder}/two.yaml", "deployment.apps/web serverside-applied"),
        # kubectl has made one entry of two.
        Line(_MANAGERS, "(^| )kubectl/Apply/ "),
        Line(_MANAGERS, "^(?!.*kubectl-client-side-apply).*$"),
        Line(_ENV, "^A B$"),
        Line("apply view-last-applied deployment/web", "name: B"),
        # And back: client-side apply removes what server-side apply had added.
        Line("apply -f {folder}/one.yaml", "deployment.apps/web configured"),
        Line(_ENV, "^A$"),
        Line("apply -f {folder}/one.yaml", "deployment.apps/web unchanged"),
        Line("patch deployment web --type=json -p "
             "'[{\"op\": \"replace\", \"path\": \"/metadata/managedFields\", \"value\": [{}]}]'", "patched"),
        Line("get deployment web --show-managed-fields -o jsonpath={.metadata.managedFields}", "^$", retry=True),
        Line("apply --server-side --force-conflicts -f {folder}/two.yaml", "serverside-applied"),
        Line(_MANAGERS, "(^| )kubectl/Apply/ "),
    ),
    {"one.yaml": _web(1, "A"), "two.yaml": _web(1, "A", "B")},
)  # fmt: skip

STORIES = (OWNERSHIP, HANDOVER)
