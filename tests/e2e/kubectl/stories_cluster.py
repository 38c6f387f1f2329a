"""Everything around the workloads: configuration, access, nodes, discovery, declarative management."""

from __future__ import annotations

from tests.e2e.kubectl.line import Line, Story

DISCOVERY = Story(
    "discovery",
    (
        Line("version", r"Server Version: v1\.\d+\.\d+"),
        Line("cluster-info", "control plane.*is running at https://"),
        Line("api-versions", r"apps/v1\n[\s\S]*^v1$"),
        Line("api-resources", r"pods\s+po\s+v1\s+true\s+Pod"),
        Line("api-resources --namespaced=false --verbs=list -o name", r"(?m)^nodes$"),
        Line("api-resources --api-group=apps -o wide", r"statefulsets\s+sts\s+apps/v1"),
        Line("explain pod.spec.containers.livenessProbe", r"KIND:\s+Pod[\s\S]*periodSeconds"),
        Line("explain deployment --recursive", r"maxSurge"),
        Line("explain hpa --api-version=autoscaling/v2", r"VERSION:\s+v2"),
        Line("explain ingress.spec.rules", r"GROUP:\s+networking.k8s.io"),
        Line("get --raw /healthz", "^ok$"),
        Line("get --raw /readyz?verbose", "ok"),
        Line("get --raw /openapi/v3", "paths"),
        Line("get --raw /version", "gitVersion"),
        Line("get --raw /metrics", "# HELP"),
        Line("get --raw /apis/nobody.example", "NotFound", code=1),
        Line("get unknownthings", 'the server doesn\'t have a resource type "unknownthings"', code=1),
        Line("get all", "No resources found in"),
        Line(
            "proxy --port=0",
            r"Starting to serve on 127.0.0.1:(\d+)",
            until=True,
            fetch="/api/v1/namespaces/default",
            fetched='"name":"default"',
        ),
        Line(
            "cluster-info dump --namespaces={namespace} --output-directory={folder}/dump",
            "Cluster info dumped to",
        ),
        Line("config current-context", r"\w"),
        Line("plugin list", "unable to find any kubectl plugins", code=1),
    ),
)

CONFIG = Story(
    "configuration",
    (
        Line(
            "create configmap colors --from-literal=a=red --from-literal=b=blue", "configmap/colors created"
        ),
        Line("create configmap colors --from-literal=a=red", 'configmaps "colors" already exists', code=1),
        Line("get cm colors", r"NAME\s+DATA\s+AGE\ncolors\s+2"),
        Line("describe configmap colors", r"blue"),
        Line("create secret generic pass --from-literal=word=hush", "secret/pass created"),
        Line("get secret pass -o jsonpath={.data.word}", "^aHVzaA==$"),
        Line("describe secret pass", r"word:\s+4 bytes"),
        Line(
            "create secret docker-registry reg --docker-server=example.com --docker-username=u --docker-password=p",
            "created",
        ),
        Line("get secret reg", r"reg\s+kubernetes.io/dockerconfigjson\s+1"),
        Line(
            "create configmap files --from-file={folder}/app.yaml --dry-run=client -o yaml", "app.yaml: \\|"
        ),
        Line(
            "create configmap files --from-file={folder}/app.yaml --dry-run=server",
            r"created \(server dry run\)",
        ),
        Line("get cm files", "not found", code=1),
        Line("create service clusterip plain --tcp=80:8080", "service/plain created"),
        Line("create service nodeport door --tcp=80", "service/door created"),
        Line("create service externalname away --external-name=example.com", "service/away created"),
        Line("create service loadbalancer out --tcp=80", "service/out created"),
        Line(
            "get svc", r"away\s+ExternalName\s+<none>\s+example.com[\s\S]*door\s+NodePort[\s\S]*80:3\d{4}/TCP"
        ),
        Line("describe svc plain", r"IP Family Policy:\s+SingleStack"),
        Line(
            "create ingress front --rule=example.com/=plain:80 --class=none",
            "ingress.networking.k8s.io/front created",
        ),
        Line("get ingress", r"front\s+none\s+example.com\s+80"),
        Line("describe ingress front", r"example.com"),
        Line("create quota small --hard=pods=2,count/configmaps=9", "resourcequota/small created"),
        Line("describe quota small", r"pods\s+0\s+2", retry=True),
        Line(
            "create poddisruptionbudget keep --selector=app=x --min-available=1",
            "poddisruptionbudget.policy/keep created",
        ),
        Line("get pdb", r"keep\s+1\s+N/A\s+0", retry=True),
        Line(
            "create priorityclass urgent-{namespace} --value=1000",
            "priorityclass.scheduling.k8s.io/urgent-.* created",
        ),
        Line("get priorityclass", r"system-cluster-critical\s+2000000000"),
        Line("delete priorityclass urgent-{namespace}", "deleted"),
        Line("apply -f {folder}/limits.yaml", "limitrange/limits created"),
        Line("describe limits limits", r"Container\s+cpu\s+-\s+1"),
        Line("apply -f {folder}/claim.yaml", "persistentvolumeclaim/data created"),
        Line("get pvc data", r"data\s+(Pending|Bound)"),
        Line("get storageclass", r"NAME\s+PROVISIONER|No resources found"),
        Line("apply -f {folder}/policy.yaml", "networkpolicy.networking.k8s.io/deny created"),
        Line("describe networkpolicy deny", r"PodSelector:\s+<none>"),
        Line("get configmap colors -o yaml --show-managed-fields", "manager: kubectl-create"),
        Line(
            "replace -f -",
            "configmap/colors replaced",
            stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"colors"},"data":{"c":"green"}}',
        ),
        Line("get cm colors -o jsonpath={.data}", r'^{"c":"green"}$'),
        Line("delete cm,secret --all", r'configmap "colors" deleted'),
    ),
    {
        "app.yaml": "name: app\n",
        "limits.yaml": """
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, max: {cpu: "1"}, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}]}
""",
        "claim.yaml": """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
""",
        "policy.yaml": """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}, policyTypes: [Ingress]}
""",
    },
)

ACCESS = Story(
    "access",
    (
        Line("auth whoami", r"Username\s+\S+"),
        Line("auth can-i create pods", "^yes$"),
        Line("auth can-i --list", r"\*\.\*"),
        Line("create serviceaccount robot", "serviceaccount/robot created"),
        Line("get sa", r"default\s+0[\s\S]*robot\s+0"),
        Line("create token robot --duration=1h", r"^ey[\w-]+\.[\w-]+\.[\w-]+$"),
        Line("create token nobody", 'serviceaccounts "nobody" not found', code=1),
        Line("auth can-i get pods --as=system:serviceaccount:{namespace}:robot", "^no$", code=1),
        Line(
            "get pods --as=system:serviceaccount:{namespace}:robot",
            r'pods is forbidden: User "system:serviceaccount:\S+:robot" cannot list resource "pods" in API group "" in the namespace',
            code=1,
        ),
        Line(
            "create role reader --verb=get,list,watch --resource=pods,deployments.apps",
            "role.rbac.authorization.k8s.io/reader created",
        ),
        Line("describe role reader", r"deployments.apps\s+\[\]\s+\[\]\s+\[get list watch\]"),
        Line(
            "create rolebinding robot --role=reader --serviceaccount={namespace}:robot",
            "rolebinding.rbac.authorization.k8s.io/robot created",
        ),
        Line("get rolebinding -o wide", r"robot\s+Role/reader"),
        Line("auth can-i get pods --as=system:serviceaccount:{namespace}:robot", "^yes$"),
        Line("get pods --as=system:serviceaccount:{namespace}:robot", "No resources found"),
        Line(
            "auth can-i --list --as=system:serviceaccount:{namespace}:robot",
            r"deployments.apps\s+\[\]\s+\[\]\s+\[get list watch\]",
        ),
        Line(
            "create clusterrole nodes-{namespace} --verb=list --resource=nodes",
            "clusterrole.rbac.authorization.k8s.io/nodes-.* created",
        ),
        Line(
            "create clusterrolebinding nodes-{namespace} --clusterrole=nodes-{namespace} --group=ops",
            "created",
        ),
        Line("get nodes --as=somebody --as-group=ops", r"Ready"),
        Line("get secrets --as=somebody --as-group=ops", "forbidden", code=1),
        Line("get clusterrole cluster-admin admin edit view", r"cluster-admin"),
        Line("set subject rolebinding robot --user=ann", "subjects updated"),
        Line("auth reconcile -f {folder}/role.yaml", "rbac.authorization.k8s.io/reader reconciled"),
        Line("delete clusterrole,clusterrolebinding nodes-{namespace}", "deleted"),
        Line(
            "apply -f {folder}/request.yaml", "certificatesigningrequest.certificates.k8s.io/ann-.* created"
        ),
        Line("get csr", r"ann-\S+\s+\S+\s+kubernetes.io/kube-apiserver-client\s+\S+\s+\S+\s+Pending"),
        Line("certificate approve ann-{namespace}", "approved"),
        Line("get csr ann-{namespace}", "Approved,Issued", retry=True),
        Line("certificate deny ann-{namespace}", "Approved", code=1),
        Line("delete csr ann-{namespace}", "deleted"),
    ),
    {
        "role.yaml": """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: $NAMESPACE}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch, delete]}]
""",
        "request.yaml": """
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ann-$NAMESPACE}
spec:
  request: $REQUEST
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
""",
    },
)

NODES = Story(
    "nodes",
    (
        Line("get nodes -o wide", r"NAME\s+STATUS\s+ROLES\s+AGE\s+VERSION\s+INTERNAL-IP"),
        Line("describe node {node}", r"Allocatable:[\s\S]*Non-terminated Pods:"),
        Line("label node {node} disk=fast", "labeled"),
        Line("get nodes -l disk=fast -o name", "node/{node}"),
        Line("label node {node} disk-", "unlabeled"),
        Line("taint node {node} busy=yes:PreferNoSchedule", "tainted"),
        Line("taint node {node} busy-", "untainted"),
        Line("top node", r"CPU\(cores\)", retry=True),
        Line("create deployment moved --image=busybox:1.36 -- sleep 3600", "created"),
        Line("rollout status deployment/moved --timeout=60s", "successfully rolled out"),
        Line("cordon {node}", "node/{node} cordoned"),
        Line("get node {node}", "Ready,SchedulingDisabled"),
        Line(
            "drain {node} --ignore-daemonsets --force --delete-emptydir-data --pod-selector=app=moved --timeout=90s",
            "node/{node} drained",
        ),
        Line("get pods -l app=moved", "Pending", retry=True),
        Line("uncordon {node}", "node/{node} uncordoned"),
        Line("rollout status deployment/moved --timeout=60s", "successfully rolled out"),
        Line(
            "debug node/{node} -i --image=busybox:1.36 -- echo on-the-node",
            "on-the-node",
            stdin="\n",
        ),
        Line("delete deployment moved", "deleted"),
        Line("get leases -n kube-node-lease", "{node}"),
    ),
)

DECLARED = Story(
    "declared",
    (
        Line("create -f {folder}/a.yaml", "configmap/a created"),
        Line("apply -f {folder}/a.yaml", "configmap/a configured"),
        Line("apply -f {folder}/all", "configmap/b created\nconfigmap/c created"),
        Line("apply -f {folder}/all", "configmap/b unchanged\nconfigmap/c unchanged"),
        Line("diff -f {folder}/all", "^$"),
        Line("diff -f {folder}/a2.yaml", r"-\s+color: red\n\+\s+color: green", code=1),
        Line("diff --server-side -f {folder}/a2.yaml --force-conflicts", r"\+\s+color: green", code=1),
        Line("apply view-last-applied configmap/a", "color: red"),
        Line("apply set-last-applied -f {folder}/a.yaml", "configmap/a configured|configmap/a unchanged"),
        Line("apply -f {folder}/a2.yaml --dry-run=server", r"configured \(server dry run\)"),
        Line("apply -f {folder}/a2.yaml", "configmap/a configured"),
        Line("apply --server-side -f {folder}/d.yaml", "configmap/d serverside-applied"),
        Line(
            "apply --server-side -f {folder}/d.yaml --field-manager=other", "configmap/d serverside-applied"
        ),
        Line(
            "apply --server-side -f {folder}/d2.yaml --field-manager=other",
            r'conflict with "kubectl": .data.color',
            code=1,
        ),
        Line(
            "apply --server-side -f {folder}/d2.yaml --field-manager=other --force-conflicts",
            "serverside-applied",
        ),
        Line("get cm d -o jsonpath={.data.color}", "^blue$"),
        Line("apply --server-side -f {folder}/a2.yaml", "configmap/a serverside-applied"),
        Line(
            "apply -f {folder}/all/b.yaml --prune -l set=all --prune-allowlist=core/v1/ConfigMap",
            "configmap/c pruned",
        ),
        Line("kustomize {folder}/kustom", "name: k-a"),
        Line("apply -k {folder}/kustom", "configmap/k-a created"),
        Line("get -k {folder}/kustom", "k-a"),
        Line("delete -k {folder}/kustom", "deleted"),
        Line("replace --force -f {folder}/a.yaml", "configmap/a replaced"),
        Line(
            "apply -f {folder}/bad.yaml",
            r'strict decoding error: unknown field "spec.template.spec.containers\[0\].imag"',
            code=1,
        ),
        Line(
            "apply -f {folder}/bad.yaml --validate=warn",
            r"spec.template.spec.containers\[0\].image: Required value",
            code=1,
        ),
        Line(
            "apply -f {folder}/invalid.yaml",
            r'ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name"',
            code=1,
        ),
        Line("create namespace made-{namespace}", "namespace/made-.* created"),
        Line("delete namespace made-{namespace} --timeout=60s", 'namespace "made-.*" deleted'),
        Line("delete -f {folder}/all --ignore-not-found", 'configmap "b" deleted'),
    ),
    {
        "a.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {color: red}}",
        "a2.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {color: green}}",
        "d.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: d}, data: {color: red}}",
        "d2.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: d}, data: {color: blue}}",
        "all/b.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, labels: {set: all}}}",
        "all/c.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {set: all}}}",
        "kustom/kustomization.yaml": "{namePrefix: k-, resources: [a.yaml]}",
        "kustom/a.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {color: red}}",
        "invalid.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: Bad_Name}}",
        "bad.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad}
spec:
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec: {containers: [{name: c, imag: busybox}]}
""",
    },
)

CUSTOM = Story(
    "custom",
    (
        Line(
            "apply -f {folder}/crd.yaml", r"customresourcedefinition.apiextensions.k8s.io/poles.\S+ created"
        ),
        Line(
            "wait --for=condition=established crd/poles.{namespace}.example.com --timeout=30s",
            "condition met",
        ),
        Line("apply -f {folder}/pole.yaml", "created"),
        Line("get poles.{namespace}.example.com", r"NAME\s+HEIGHT\s+AGE\nlong\s+30"),
        Line("explain poles.spec --api-version={namespace}.example.com/v1", r"height\s+<integer>"),
        Line(
            """patch poles.{namespace}.example.com long --type=merge -p '{"spec":{"height":"tall"}}'""",
            "Invalid value",
            code=1,
        ),
        Line(
            """patch poles.{namespace}.example.com long --type=merge -p '{"spec":{"height":31}}'""", "patched"
        ),
        Line("scale poles.{namespace}.example.com/long --replicas=4", "scaled"),
        Line("get poles.{namespace}.example.com long -o jsonpath={.spec.replicas}", "^4$"),
        Line("api-resources --api-group={namespace}.example.com", r"poles\s+\S+/v1\s+true\s+Pole"),
        Line("apply --server-side -f {folder}/pole.yaml --force-conflicts", "serverside-applied"),
        Line("delete crd poles.{namespace}.example.com --timeout=60s", "deleted"),
        Line(
            "get poles.{namespace}.example.com",
            "the server doesn't have a resource type|could not find the requested",
            code=1,
        ),
    ),
    {
        "crd.yaml": """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: poles.$NAMESPACE.example.com}
spec:
  group: $NAMESPACE.example.com
  scope: Namespaced
  names: {plural: poles, singular: pole, kind: Pole, listKind: PoleList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {height: {type: integer}, replicas: {type: integer, default: 1}}}
          status: {type: object, properties: {replicas: {type: integer}}}
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns:
    - {name: Height, type: integer, jsonPath: .spec.height}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
""",
        "pole.yaml": "{apiVersion: $NAMESPACE.example.com/v1, kind: Pole, metadata: {name: long}, spec: {height: 30}}",
    },
)

STORIES = (DISCOVERY, CONFIG, ACCESS, NODES, DECLARED, CUSTOM)
