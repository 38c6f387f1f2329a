"""Who one is, as users and programs meet it: a pod that talks to the API, tokens and certificates for people, and a
machine that joins. Under the process runtime, for which every machine has all it takes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from app.trust.requests import make_request
from tests.e2e.cluster import BIN, KUBECTLS, ROOT, Cluster, running
from tests.e2e.waiting import until

# What a program in a pod does with the official client, and nothing else.
IN_CLUSTER = """
from kubernetes import client, config
config.load_incluster_config()
who = client.AuthenticationV1Api().create_self_subject_review(client.V1SelfSubjectReview()).status.user_info
print("I am", who.username)
made = client.CoreV1Api().create_namespaced_config_map("default", {"metadata": {"name": "from-a-pod"}})
print("made", made.metadata.name)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running("process", BEANPOLE_EXCHANGE="1") as made:
        yield made


def kubectl(cluster: Cluster, program: str, *words: str, credentials: Any = None) -> str:
    """What a kubectl prints, as the administrator or with a kubeconfig that has these credentials instead."""
    path = cluster.state / "kubeconfig"
    if credentials is not None:
        config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
        config["users"][0]["user"] = credentials
        path = cluster.folder / "other-kubeconfig"
        path.write_text(json.dumps(config))
    done = subprocess.run(
        [program, *words],
        env={**os.environ, "KUBECONFIG": str(path), "HOME": str(cluster.folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{words}: {done.stderr}\n{cluster.output()}"
    return done.stdout


def test_a_pod_talks_to_the_api_as_its_service_account(cluster: Cluster) -> None:
    cluster.kubectl("create", "serviceaccount", "robot")
    cluster.kubectl("create", "role", "maker", "--verb=create", "--resource=configmaps")
    cluster.kubectl("create", "rolebinding", "maker", "--role=maker", "--serviceaccount=default:robot")
    container = {"name": "c", "image": "python", "command": [sys.executable, "-c", IN_CLUSTER]}
    spec = {"serviceAccountName": "robot", "restartPolicy": "Never", "containers": [container]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "inside"}, "spec": spec})
    until(
        lambda: cluster.get("pod", "inside")["status"]["phase"] in ("Succeeded", "Failed"), 60, cluster.output
    )
    said = cluster.kubectl("logs", "inside").splitlines()
    assert said == ["I am system:serviceaccount:default:robot", "made from-a-pod"]
    assert cluster.get("configmap", "from-a-pod")["metadata"]["name"] == "from-a-pod"


@pytest.mark.parametrize("program", KUBECTLS)
def test_a_token_from_create_token_says_who_one_is(cluster: Cluster, program: str) -> None:
    token = kubectl(cluster, program, "create", "token", "default", "--duration", "20m").strip()
    who = kubectl(cluster, program, "auth", "whoami", "-o", "json", credentials={"token": token})
    assert json.loads(who)["status"]["userInfo"]["username"] == "system:serviceaccount:default:default"


@pytest.mark.parametrize("program", KUBECTLS)
def test_an_approved_certificate_says_who_one_is(cluster: Cluster, program: str) -> None:
    name = f"joe-{KUBECTLS.index(program)}"
    request, key = make_request(name, ["devs"])
    spec = {
        "request": base64.b64encode(request).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    cluster.apply(
        {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": spec,
        }
    )
    assert "Pending" in kubectl(cluster, program, "get", "csr", name)
    kubectl(cluster, program, "certificate", "approve", name)
    until(lambda: "Approved,Issued" in kubectl(cluster, program, "get", "csr", name), 20, cluster.output)
    credentials = {
        "client-certificate-data": cluster.get("csr", name)["status"]["certificate"],
        "client-key-data": base64.b64encode(key).decode(),
    }
    who = json.loads(kubectl(cluster, program, "auth", "whoami", "-o", "json", credentials=credentials))
    info = who["status"]["userInfo"]
    assert (info["username"], info["groups"]) == (name, ["devs", "system:authenticated"])


def test_a_kubeconfig_may_carry_a_certificate(cluster: Cluster) -> None:
    command = [str(BIN / "beanpole"), "kubeconfig", "--state", str(cluster.state), "--client-certificate"]
    done = subprocess.run(
        [*command, "--user", "jane", "--group", "ops"], capture_output=True, text=True, timeout=30, cwd=ROOT
    )
    path = cluster.folder / "jane"
    path.write_text(done.stdout)
    who = json.loads(cluster.kubectl("--kubeconfig", str(path), "auth", "whoami", "-o", "json"))
    assert who["status"]["userInfo"]["username"] == "jane"


def test_a_secret_of_the_type_gets_a_token(cluster: Cluster) -> None:
    meta = {"name": "legacy", "annotations": {"kubernetes.io/service-account.name": "default"}}
    kind = "kubernetes.io/service-account-token"
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind})
    data = until(lambda: cluster.get("secret", "legacy").get("data"), 20, cluster.output)
    token = base64.b64decode(data["token"]).decode()
    who = kubectl(cluster, KUBECTLS[0], "auth", "whoami", "-o", "json", credentials={"token": token})
    assert json.loads(who)["status"]["userInfo"]["username"] == "system:serviceaccount:default:default"


def test_a_machine_joins_with_a_token_and_runs_pods(cluster: Cluster) -> None:
    beanpole = str(BIN / "beanpole")
    made = subprocess.run(
        [beanpole, "token", "create", "--state", str(cluster.state), "--print-join-command"],
        capture_output=True, text=True, timeout=30, cwd=ROOT,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    until(lambda: len(cluster.get("cm", "cluster-info", "-n", "kube-public")["data"]) > 1, 20, cluster.output)
    folder = cluster.folder / "far"
    options = ["--node", "far", "--state", str(folder), "--runtime", "process"]
    # Nothing of the cluster's environment: the command is all that a machine elsewhere has.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BEANPOLE_")}
    log = (cluster.folder / "far.log").open("wb")
    agent = subprocess.Popen(
        [beanpole, *made.stdout.split()[1:], *options], env=environ, cwd=ROOT, stdout=log, stderr=log
    )
    cluster.agents.append(agent)

    def told() -> str:
        return (cluster.folder / "far.log").read_text()

    until(lambda: "far" in cluster.kubectl("get", "nodes", "-o", "name"), 30, told)
    container = {"name": "c", "image": "sh", "command": ["sh", "-c", "echo here"]}
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": "far"},
        "restartPolicy": "Never",
        "containers": [container],
    }
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "far-away"}, "spec": spec})
    until(lambda: cluster.get("pod", "far-away")["status"]["phase"] == "Succeeded", 60, told)
    assert cluster.kubectl("logs", "far-away") == "here\n"
    agent.terminate()
    assert agent.wait(30) == 0, told()
    left = subprocess.run(
        [beanpole, "down", "--state", str(folder), "--yes", "--purge"],
        env=environ, capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert left.returncode == 0, left.stderr
    assert not folder.exists()
