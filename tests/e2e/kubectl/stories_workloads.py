"""Running things: deployments, pods, jobs, sets, and everything kubectl does with them."""

from __future__ import annotations

from tests.e2e.kubectl.line import Line, Story

WEB = """
apiVersion: v1
kind: Pod
metadata: {name: hello, labels: {app: hello}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: python:3.12-alpine
    command:
    - python3
    - -c
    - |
      import http.server, os
      class Hello(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
              self.send_response(200)
              self.end_headers()
              self.wfile.write(b"hello from the pod")
      http.server.HTTPServer((os.environ["POD_IP"], 8080), Hello).serve_forever()
    env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
    ports: [{containerPort: 8080}]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
"""

SETS = """
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: busybox:1.36, command: [sleep, "3600"]}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: every}
spec:
  selector: {matchLabels: {app: every}}
  template:
    metadata: {labels: {app: every}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: busybox:1.36, command: [sleep, "3600"]}]
"""

DEPLOYMENTS = Story(
    "deployments",
    (
        Line(
            "create deployment web --image=busybox:1.36 --replicas=2 -- sleep 3600",
            "deployment.apps/web created",
        ),
        Line("rollout status deployment/web --timeout=60s", "successfully rolled out"),
        Line("get deployments", r"NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+2/2\s+2\s+2"),
        Line(
            "get deploy web -o wide",
            r"CONTAINERS\s+IMAGES\s+SELECTOR\nweb .* busybox\s+busybox:1.36\s+app=web",
        ),
        Line("get rs,pods -l app=web", r"replicaset.apps/web-[\s\S]*pod/web-"),
        Line("describe deployment web", r"StrategyType:\s+RollingUpdate[\s\S]*ScalingReplicaSet"),
        Line("get deployment web -o name", r"^deployment.apps/web$"),
        Line("get deployment web -o jsonpath={.spec.replicas}", r"^2$"),
        Line("get deployment web -o yaml", r"kind: Deployment"),
        Line("get pods -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName", r"NAME\s+NODE\nweb-"),
        Line("get pods -o 'go-template={{range .items}}{{.status.phase}} {{end}}'", r"Running Running"),
        Line("scale deployment web --replicas=3", "deployment.apps/web scaled"),
        Line(
            "scale deployment web --current-replicas=7 --replicas=1",
            "Expected replicas to be 7, was 3",
            code=1,
        ),
        Line("wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=60s", "condition met"),
        Line("wait --for=condition=Available deployment/web --timeout=60s", "condition met"),
        Line("set env deployment/web COLOR=blue", "deployment.apps/web env updated"),
        Line("set env deployment/web --list", "COLOR=blue"),
        Line("set resources deployment/web --requests=cpu=10m,memory=8Mi", "resource requirements updated"),
        Line("set image deployment/web busybox=busybox:1.36.1", "image updated"),
        Line("rollout history deployment/web", r"REVISION\s+CHANGE-CAUSE\n1"),
        Line("rollout history deployment/web --revision=1", r"Pod Template:"),
        Line("rollout pause deployment/web", "deployment.apps/web paused"),
        Line("rollout resume deployment/web", "deployment.apps/web resumed"),
        Line("rollout undo deployment/web", "deployment.apps/web rolled back"),
        Line("rollout restart deployment/web", "deployment.apps/web restarted"),
        Line("rollout status deployment/web --timeout=90s", "successfully rolled out"),
        Line("annotate deployment web kubernetes.io/change-cause=tried", "deployment.apps/web annotated"),
        Line("label deployment web tier=front", "deployment.apps/web labeled"),
        Line("label deployment web tier=back", "already has a value", code=1),
        Line("label deployment web tier=back --overwrite", "deployment.apps/web labeled"),
        Line("label deployment web tier-", "deployment.apps/web unlabeled"),
        Line("get deployments --show-labels", r"web .* app=web"),
        Line("""patch deployment web -p '{"spec":{"minReadySeconds":1}}'""", "deployment.apps/web patched"),
        Line(
            """patch deployment web --type=merge -p '{"spec":{"minReadySeconds":0}}'""",
            "deployment.apps/web patched",
        ),
        Line(
            """patch deployment web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":2}]'""",
            "deployment.apps/web patched",
        ),
        Line("""patch deployment web --subresource=scale -p '{"spec":{"replicas":1}}'""", "patched"),
        Line("get deployment web --subresource=scale -o jsonpath={.spec.replicas}", "^1$"),
        Line("expose deployment web --port=80 --target-port=8080", "service/web exposed"),
        Line("set selector service web app=web", "selector updated"),
        Line("autoscale deployment web --min=1 --max=3 --cpu-percent=80", "web autoscaled"),
        Line(
            "get hpa",
            r"NAME\s+REFERENCE\s+TARGETS\s+MINPODS\s+MAXPODS\s+REPLICAS\s+AGE\nweb\s+Deployment/web",
        ),
        Line("describe hpa web", r"Reference:\s+Deployment/web"),
        Line("set serviceaccount deployment/web default", "serviceaccount updated"),
        Line("edit deployment web", "deployment.apps/web edited"),
        Line("get deployment web -o jsonpath={.metadata.annotations.edited}", "^yes$"),
        Line("delete hpa web", r'"web" deleted'),
        Line(
            "delete deployment web --cascade=foreground --wait --timeout=60s",
            r'deployment.apps "web" deleted',
        ),
        Line(
            "get deployment web", 'Error from server \\(NotFound\\): deployments.apps "web" not found', code=1
        ),
        Line("get pods", "No resources found in .* namespace", retry=True),
    ),
)

PODS = Story(
    "pods",
    (
        Line(
            "run job --image=busybox:1.36 --restart=Never --labels=kind=once --command -- echo done",
            "pod/job created",
        ),
        Line("wait --for=jsonpath={.status.phase}=Succeeded pod/job --timeout=60s", "pod/job condition met"),
        Line("logs job", "^done$"),
        Line("logs job --tail=1 --timestamps", r"^\d{4}-\d\d-\d\dT.* done"),
        Line("logs -l kind=once --prefix", r"\[pod/job/job\] done"),
        Line("apply -f {folder}/web.yaml", "pod/hello created"),
        Line("wait --for=condition=Ready pod/hello --timeout=60s", "condition met"),
        Line("get pod hello -o wide", r"hello\s+1/1\s+Running\s+0"),
        Line("describe pod hello", r"Node:[\s\S]*Conditions:[\s\S]*Events:[\s\S]*Scheduled"),
        Line("get pods --field-selector=status.phase=Running", r"hello"),
        Line("get pods --field-selector=spec.restartPolicy=Never --no-headers", r"^job\s"),
        Line("get pods --sort-by=.metadata.name", r"hello[\s\S]*job"),
        Line("get pods -l 'app in (hello,bye),!gone'", r"hello"),
        Line("get pods --chunk-size=1", r"hello[\s\S]*job"),
        Line("get pods -w", r"hello\s+1/1", until=True),
        Line("get pods --watch-only --output-watch-events --request-timeout=1s", code=0),
        Line("get pods -A", r"NAMESPACE\s+NAME"),
        Line("events --for pod/hello", r"Normal\s+Started"),
        Line("get events --field-selector involvedObject.name=hello", r"Scheduled"),
        Line("exec hello -- echo inside", "^inside$"),
        Line("exec -i hello -- cat", "^typed$", stdin="typed"),
        Line("exec hello -- sh -c 'exit 3'", "exit code 3", code=3),
        Line("exec -t hello -- echo terminal", "terminal", stdin="\n"),
        Line("exec hello -c nobody -- true", "container .*nobody", code=1),
        Line("cp {folder}/web.yaml hello:/tmp/copied-in.yaml", ""),
        Line("exec hello -- cat /tmp/copied-in.yaml", "kind: Pod"),
        Line("cp hello:/tmp/copied-in.yaml {folder}/copied-out.yaml", ""),
        Line(
            "port-forward pod/hello :8080",
            r"Forwarding from 127.0.0.1:(\d+)",
            until=True,
            fetch="/",
            fetched="hello from the pod",
        ),
        Line("attach hello", "press|Unable|If you don't see", until=True),
        Line(
            "run -i attached --rm --restart=Never --image=busybox:1.36 --command -- cat",
            "typed",
            stdin="typed\n",
        ),
        Line("debug hello --image=busybox:1.36 -- sleep 1", "Defaulting debug container name"),
        Line(
            "debug hello -i --copy-to=hello-debug --image=busybox:1.36 --container=d -- sh -c 'read word; echo said $word; sleep 1'",
            "said it",
            stdin="it\n",
        ),
        Line("top pod", r"NAME\s+CPU", retry=True),
        Line("expose pod hello --port=80 --target-port=8080 --name=hello", "service/hello exposed"),
        Line(
            "port-forward service/hello :80",
            r"Forwarding from 127.0.0.1:(\d+)",
            until=True,
            fetch="/",
            fetched="hello from the pod",
        ),
        Line("get --raw /api/v1/namespaces/{namespace}/services/hello/proxy/", "hello from the pod"),
        Line("get --raw /api/v1/namespaces/{namespace}/pods/hello:8080/proxy/", "hello from the pod"),
        Line("label pods --all mark=here", "pod/hello labeled"),
        Line("annotate pods -l mark=here note=read", "pod/hello annotated"),
        Line("delete pods -l mark=here --grace-period=1", r'pod "hello" deleted'),
        Line("wait --for=delete pod/hello --timeout=60s", ""),
    ),
    {"web.yaml": WEB},
)

SETS_STORY = Story(
    "sets",
    (
        Line("apply -f {folder}/sets.yaml", "statefulset.apps/db created\ndaemonset.apps/every created"),
        Line("rollout status statefulset/db --timeout=90s", "rolling update complete|roll out complete"),
        Line("rollout status daemonset/every --timeout=90s", "successfully rolled out"),
        Line("get sts,ds", r"statefulset.apps/db\s+2/2[\s\S]*daemonset.apps/every\s+1\s+1\s+1"),
        Line("get pods -l app=db -o name", "pod/db-0\npod/db-1"),
        Line("scale statefulset db --replicas=1", "statefulset.apps/db scaled"),
        Line("rollout restart statefulset/db daemonset/every", "daemonset.apps/every restarted"),
        Line("rollout history statefulset/db", r"REVISION[\s\S]*2"),
        Line("rollout undo daemonset/every", "rolled back"),
        Line("get controllerrevisions", r"NAME\s+CONTROLLER\s+REVISION\s+AGE\ndb-"),
        Line("describe statefulset db", r"Pods Status:"),
        Line("describe daemonset every", r"Desired Number of Nodes Scheduled: 1"),
        Line("delete -f {folder}/sets.yaml --wait=false", r'daemonset.apps "every" deleted'),
    ),
    {"sets.yaml": SETS},
)

JOBS = Story(
    "jobs",
    (
        Line("create job once --image=busybox:1.36 -- echo worked", "job.batch/once created"),
        Line("wait --for=condition=complete job/once --timeout=60s", "condition met"),
        Line("get jobs", r"NAME\s+STATUS\s+COMPLETIONS\s+DURATION\s+AGE\nonce\s+Complete\s+1/1"),
        Line("logs job/once", "^worked$"),
        Line("describe job once", r"Pods Statuses:\s+0 Active .* 1 Succeeded"),
        Line(
            "create cronjob tick --image=busybox:1.36 --schedule='*/5 * * * *' -- date",
            "cronjob.batch/tick created",
        ),
        Line("get cronjob", r"NAME\s+SCHEDULE\s+TIMEZONE\s+SUSPEND\s+ACTIVE\s+LAST SCHEDULE\s+AGE\ntick"),
        Line("create job now --from=cronjob/tick", "job.batch/now created"),
        Line("wait --for=condition=complete job/now --timeout=60s", "condition met"),
        Line("""patch cronjob tick -p '{"spec":{"suspend":true}}'""", "cronjob.batch/tick patched"),
        Line("describe cronjob tick", r"Suspend:\s+True"),
        Line("delete job --all", r'job.batch "once" deleted'),
        Line("delete cronjob tick", r'cronjob.batch "tick" deleted'),
        Line("get pods", "No resources found", retry=True),
    ),
)

STORIES = (DEPLOYMENTS, PODS, SETS_STORY, JOBS)
