"""The examples of a sidecar and of a job with an init container, as users run them: real kubectl, both runtimes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.e2e.cluster import BIN, ROOT, Cluster
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(240)]


def following(cluster: Cluster, words: list[str], file: IO[bytes]) -> subprocess.Popen[bytes]:
    """kubectl, with its output in a file as it comes."""
    environ = {**os.environ, "KUBECONFIG": str(cluster.state / "kubeconfig")}
    return subprocess.Popen([str(BIN / "kubectl"), *words], stdout=file, env=environ)


def test_a_sidecar_starts_before_what_it_serves_and_ships_its_last_line(
    cluster: Cluster, tmp_path: Path
) -> None:
    space = cluster.namespace("orders")
    cluster.kubectl("-n", space, "apply", "-f", str(ROOT / "examples/sidecar.yaml"))
    cluster.kubectl("-n", space, "rollout", "status", "deployment/orders", "--timeout=60s")
    (pod,) = cluster.items("-n", space, "pods")
    name = pod["metadata"]["name"]
    assert cluster.kubectl("-n", space, "get", "pod", name, "--no-headers").split()[1:3] == ["2/2", "Running"]
    started = [
        pod["status"][section][0]["state"]["running"]["startedAt"]
        for section in ("initContainerStatuses", "containerStatuses")
    ]
    assert started == sorted(started)
    shipped = tmp_path / "shipped"
    command = ["-n", space, "logs", name, "-c", "shipper", "--follow"]
    with shipped.open("wb") as file, following(cluster, command, file) as follower:
        until(lambda: "order 1\n" in shipped.read_text(), 30, cluster.output)
        cluster.kubectl("-n", space, "delete", "deployment", "orders", "--wait=false")
        # It ends with the sidecar, which is after the program's own end.
        assert follower.wait(30) == 0
    assert shipped.read_text().splitlines()[-1] == "closing"
    until(lambda: cluster.items("-n", space, "pods") == [], 30, cluster.output)


def test_a_job_runs_its_init_container_before_each_part(cluster: Cluster) -> None:
    space = cluster.namespace("parts")
    cluster.kubectl("-n", space, "apply", "-f", str(ROOT / "examples/job.yaml"))
    cluster.kubectl("-n", space, "wait", "--for=condition=complete", "job/parts", "--timeout=60s")
    logs = cluster.kubectl("-n", space, "logs", "-l", "job-name=parts", "-c", "part")
    assert sorted(logs.splitlines()) == [f"part {i} of 4" for i in range(4)]
    for pod in cluster.items("-n", space, "pods"):
        (cut,) = pod["status"]["initContainerStatuses"]
        assert (cut["state"]["terminated"]["reason"], cut["ready"]) == ("Completed", True)
        conditions = {c["type"]: (c["status"], c.get("reason")) for c in pod["status"]["conditions"]}
        assert conditions["Initialized"] == ("True", "PodCompleted")
        assert conditions["Ready"] == ("False", "PodCompleted")


def test_a_restricted_program_runs_and_may_do_nothing_else(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", str(ROOT / "examples/restricted.yaml"))
    inside = ("-n", "guarded", "exec", "deployment/clock", "--", "sh", "-c")
    cluster.kubectl("-n", "guarded", "rollout", "status", "deployment/clock", "--timeout=60s")
    script = "id -u; id -G; cat /proc/self/status; touch /x /tmp/x /etc/x 2>/dev/null || echo kept"
    seen = cluster.kubectl(*inside, script)
    uid, groups, *rest = seen.splitlines()
    assert (uid, set(groups.split())) == ("10001", {"10001", "10002"})
    assert rest[-1] == "kept"
    for line in ("CapBnd:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in rest
    (pod,) = cluster.items("-n", "guarded", "pods")
    assert pod["status"]["containerStatuses"][0]["user"]["linux"]["uid"] == 10001
    asks = '{"spec": {"hostNetwork": true}}'
    refused = cluster.try_kubectl("-n", "guarded", "run", "free", "--image=x:1", f"--overrides={asks}")
    assert 'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)' in refused.stderr
    cluster.kubectl("delete", "namespace", "guarded")
