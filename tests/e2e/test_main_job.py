"""The main job, as the README tells it: apply a Deployment, and it stays up. Real kubectl, both runtimes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest
import yaml

from tests.e2e.cluster import ROOT, Cluster, processes_below, ready_pods
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(240)]

WEB = list(yaml.safe_load_all((ROOT / "examples/web.yaml").read_text()))


@pytest.fixture
def web(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Web]:
    """The example, applied into a namespace of the test's own and rolled out."""
    name = re.sub("[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_"))[:40].strip("-")
    made = Web(cluster, cluster.namespace(name))
    made.apply()
    made.rolled_out()
    yield made
    made.kubectl("delete", "deployment/web", "--cascade=foreground", "--grace-period=1", "--ignore-not-found")


class Web:
    """The example application in one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def kubectl(self, *words: str, **options: Any) -> str:
        return self.cluster.kubectl("-n", self.namespace, *words, **options)

    def apply(self) -> None:
        self.kubectl("apply", "-f", str(ROOT / "examples/web.yaml"))

    def rolled_out(self) -> str:
        return self.kubectl("rollout", "status", "deployment/web", "--timeout=90s")

    def pods(self) -> list[Any]:
        return self.cluster.items("pods", "-n", self.namespace, "-l", "app=web")

    def ready(self) -> list[str]:
        return ready_pods(self.pods())

    def address(self) -> str:
        return str(self.cluster.get("service/web", "-n", self.namespace)["spec"]["clusterIP"])

    def ask(self) -> str:
        with urllib.request.urlopen(f"http://{self.address()}/", timeout=5) as answer:
            return str(answer.read().decode())

    def environment(self) -> dict[str, str]:
        deployment = self.cluster.get("deployment/web", "-n", self.namespace)
        return {
            e["name"]: e.get("value", "")
            for e in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        }


def kill_container(cluster: Cluster, pod: Any) -> None:
    """Kill the pod's container behind Beanpole's back, as a crash would."""
    identity = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    if cluster.runtime == "docker":
        subprocess.run(["docker", "kill", identity], check=True, capture_output=True)
        return
    address = pod["status"]["podIP"]
    for process in processes_below(cluster.state):
        try:
            environ = Path(f"/proc/{process}/environ").read_bytes()
            words = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            continue
        if f"POD_IP={address}\0".encode() in environ and b"http.server" in words and b"shim" not in words:
            os.kill(process, signal.SIGKILL)
            return
    raise AssertionError(f"no process of {pod['metadata']['name']}")


def test_a_node_is_ready_and_named(cluster: Cluster) -> None:
    (node,) = cluster.items("nodes")
    assert "Ready" in cluster.kubectl("get", "nodes")
    assert int(node["status"]["capacity"]["cpu"]) >= 1
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith(cluster.runtime)


def test_an_applied_deployment_becomes_ready_and_answers_under_its_service(web: Web) -> None:
    assert len(web.ready()) == 3
    answers = {web.ask().strip() for _ in range(40)}
    assert answers == {f"hello from {name}" for name in web.ready()}


def test_applying_again_changes_nothing(web: Web) -> None:
    before = {p["metadata"]["name"]: p["metadata"]["resourceVersion"] for p in web.pods()}
    printed = web.kubectl("apply", "-f", str(ROOT / "examples/web.yaml"))
    assert printed.splitlines() == ["deployment.apps/web unchanged", "service/web unchanged"]
    assert {p["metadata"]["name"]: p["metadata"]["resourceVersion"] for p in web.pods()} == before


def test_what_kubectl_shows_is_what_a_user_looks_for(web: Web) -> None:
    wide = web.kubectl("get", "pods", "-o", "wide")
    assert re.search(r"web-\S+\s+1/1\s+Running\s+0\s+\d+s\s+[\d.]+\s+\S+", wide), wide
    assert re.search(r"web\s+3/3\s+3\s+3\s+\d+s", web.kubectl("get", "deployments"))
    pod = web.ready()[0]
    described = web.kubectl("describe", "pod", pod)
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert reason in described, described
    assert "ScalingReplicaSet" in web.kubectl("describe", "deployment", "web")
    assert "SuccessfulCreate" in web.kubectl("get", "events")


def test_logs_of_a_deployment_and_of_a_pod_are_shown(web: Web) -> None:
    pod = web.pods()[0]
    until(lambda: "listening on" in web.kubectl("logs", pod["metadata"]["name"]), 10)
    last = web.kubectl("logs", pod["metadata"]["name"], "--tail=1", "--timestamps")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z .*\n", last), last
    # kubectl says on stderr which of the three pods it chose.
    chosen = web.cluster.try_kubectl("-n", web.namespace, "logs", "deploy/web")
    assert "listening on" in chosen.stdout


def test_a_killed_container_is_restarted_in_place(web: Web) -> None:
    victim = web.pods()[0]
    name = victim["metadata"]["name"]
    kill_container(web.cluster, victim)

    def restarted() -> bool:
        pod = web.cluster.get(f"pod/{name}", "-n", web.namespace)
        assert pod["metadata"]["uid"] == victim["metadata"]["uid"]
        return pod["status"]["containerStatuses"][0]["restartCount"] == 1 and name in web.ready()

    until(restarted, 30, web.cluster.output)
    last = web.cluster.get(f"pod/{name}", "-n", web.namespace)["status"]["containerStatuses"][0]["lastState"]
    assert last["terminated"]["exitCode"] == 137


def test_a_deleted_pod_is_replaced(web: Web) -> None:
    name = web.ready()[0]
    web.kubectl("delete", "pod", name)
    until(lambda: len(web.ready()) == 3 and name not in web.ready(), 30, web.cluster.output)


def test_scaling_up_and_down_gives_the_declared_number(web: Web) -> None:
    web.kubectl("scale", "deployment/web", "--replicas=6")
    web.rolled_out()
    assert len(web.ready()) == 6
    web.kubectl("scale", "deployment/web", "--replicas=2")
    until(lambda: len(web.pods()) == 2 and len(web.ready()) == 2, 60, web.cluster.output)


class Traffic:
    """Requests on new connections through the Service until told to stop; counts what failed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answered = 0
        self.failed: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(4)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        until(lambda: self.answered + len(self.failed) > 20, 20)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _run(self) -> None:
        while not self._stop.is_set() and self.answered < 20_000:
            try:
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    answer.read()
                self.answered += 1
            except OSError as exc:
                self.failed.append(repr(exc))
            self._stop.wait(0.005)


def test_a_rolling_update_keeps_enough_pods_available_and_drops_no_request(web: Web) -> None:
    lowest = [3]
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            lowest[0] = min(lowest[0], len(web.ready()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    with Traffic(f"http://{web.address()}/") as traffic:
        web.kubectl("set", "env", "deployment/web", "GREETING=goodbye")
        web.rolled_out()
        until(lambda: web.ask().startswith("goodbye") and len(web.pods()) == 3, 60, web.cluster.output)
    done.set()
    watcher.join(20)
    assert traffic.failed == []
    assert traffic.answered > 50
    # 25 % of 3, rounded down, may be unavailable: none.
    assert lowest[0] >= 3


def test_scaling_in_and_deleting_pods_drop_no_request(web: Web) -> None:
    web.kubectl("scale", "deployment/web", "--replicas=5")
    web.rolled_out()
    with Traffic(f"http://{web.address()}/") as traffic:
        web.kubectl("scale", "deployment/web", "--replicas=3")
        until(lambda: len(web.pods()) == 3, 60, web.cluster.output)
        web.kubectl("delete", "pod", web.ready()[0])
        until(lambda: len(web.ready()) == 3 == len(web.pods()), 60, web.cluster.output)
    assert traffic.failed == []


def test_a_rollout_can_be_undone_restarted_paused_and_resumed(web: Web) -> None:
    web.kubectl("set", "env", "deployment/web", "GREETING=second")
    web.rolled_out()
    assert re.search(r"^1\s.*^2\s", web.kubectl("rollout", "history", "deployment/web"), re.M | re.S)
    # kubectl itself warns that a rollback does not touch what `apply` remembers.
    assert web.cluster.try_kubectl("-n", web.namespace, "rollout", "undo", "deployment/web").returncode == 0
    web.rolled_out()
    assert web.environment()["GREETING"] == "hello"
    old = web.ready()
    web.kubectl("rollout", "restart", "deployment/web")
    web.rolled_out()
    until(lambda: not set(old) & set(web.ready()), 60)
    web.kubectl("rollout", "pause", "deployment/web")
    web.kubectl("set", "env", "deployment/web", "GREETING=third")
    sets = len(web.cluster.items("replicasets", "-n", web.namespace))
    web.kubectl("rollout", "resume", "deployment/web")
    web.rolled_out()
    assert len(web.cluster.items("replicasets", "-n", web.namespace)) == sets + 1
    until(lambda: web.ask().startswith("third"), 30)


def test_a_service_is_found_by_its_name_inside_a_pod(web: Web) -> None:
    script = (
        "import urllib.request,time\n"
        f"for name in ('web', 'web.{web.namespace}', 'web.{web.namespace}.svc.cluster.local'):\n"
        "    print(name, urllib.request.urlopen(f'http://{name}/', timeout=10).read().decode(), flush=True)\n"
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "asker", "namespace": web.namespace},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {"name": "asker", "image": "python:3.12-alpine", "command": ["python3", "-c", script]}
            ],
        },
    }
    web.cluster.apply(pod)

    def finished() -> bool:
        phase = web.cluster.get("pod/asker", "-n", web.namespace)["status"].get("phase")
        assert phase != "Failed", web.kubectl("logs", "asker")
        return phase == "Succeeded"

    until(finished, 60, web.cluster.output)
    assert web.kubectl("logs", "asker").count("hello from web-") == 3


def test_deleting_what_was_applied_leaves_nothing(web: Web) -> None:
    web.kubectl("delete", "-f", str(ROOT / "examples/web.yaml"))
    until(
        lambda: not web.pods() and not web.cluster.items("replicasets,endpointslices", "-n", web.namespace),
        60,
    )
    if web.cluster.runtime == "docker":
        listed = subprocess.run(
            ["docker", "ps", "-aq", "--filter", f"label=beanpole.dev/cluster={web.cluster.name}",
             "--filter", f"label=beanpole.dev/pod-namespace={web.namespace}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert listed.stdout == ""
    else:
        assert [p for p in processes_below(web.cluster.state) if b"http.server" in _words(p)] == []


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_the_official_python_client_creates_watches_and_deletes(cluster: Cluster) -> None:
    namespace = cluster.namespace("python-client")
    api = kubernetes.client.CoreV1Api(
        kubernetes.config.new_client_from_config(str(cluster.state / "kubeconfig"))
    )
    begun = api.list_namespaced_config_map(namespace).metadata.resource_version
    body = kubernetes.client.V1ConfigMap(
        metadata=kubernetes.client.V1ObjectMeta(generate_name="made-", labels={"by": "client"}),
        data={"n": "1"},
    )
    made = api.create_namespaced_config_map(namespace, body)
    api.patch_namespaced_config_map(made.metadata.name, namespace, {"data": {"n": "2"}})
    api.delete_namespaced_config_map(made.metadata.name, namespace)
    seen = []
    for event in kubernetes.watch.Watch().stream(
        api.list_namespaced_config_map,
        namespace,
        label_selector="by=client",
        resource_version=begun,
        timeout_seconds=10,
    ):
        seen.append((event["type"], event["object"].data["n"]))
        if event["type"] == "DELETED":
            break
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]
