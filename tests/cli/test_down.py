"""`beanpole down` ends what a cluster left running, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.cli.command import beanpole, refusal
from tests.e2e.cluster import Cluster, processes_below, ready_pods
from tests.e2e.waiting import until

SLEEPS = "trap 'exit 0' TERM; sleep 1000 & wait"
WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [{"name": "web", "image": "busybox:1.36", "command": ["sh", "-c", SLEEPS]}]
            },
        },
    },
}


def printed(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def running(cluster: Cluster) -> list[str]:
    """The cluster's containers that run."""
    if cluster.runtime == "process":
        return [str(pid) for pid in processes_below(cluster.state)]
    return printed("docker", "ps", "-q", "--filter", f"label=beanpole.dev/cluster={cluster.name}").split()


def traces(cluster: Cluster) -> list[str]:
    """Whatever of the cluster there still is on the machine besides its state."""
    found = running(cluster)
    found += [str(path) for runtime in ("docker", "process") for path in cluster.state.glob(f"{runtime}/*")]
    if cluster.runtime == "docker":
        mine = f"label=beanpole.dev/cluster={cluster.name}"
        found += printed("docker", "ps", "-aq", "--filter", mine).split()
        found += printed("docker", "network", "ls", "-q", "--filter", mine).split()
        found += rules(cluster)
        found += [line for line in printed("nft", "list", "tables").splitlines() if cluster.name in line]
    return found


def rules(cluster: Cluster) -> list[str]:
    """The packet filter's rules that name the cluster."""
    listed = printed("iptables", "-S", "DOCKER-USER") + printed("iptables", "-t", "nat", "-S", "POSTROUTING")
    return [line for line in listed.splitlines() if f'"beanpole {cluster.name}"' in line]


@contextmanager
def made(runtime: str) -> Iterator[Cluster]:
    """A cluster that chooses its addresses itself, and of which nothing is left afterwards."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="bp-down-")), runtime)
    for name in ("BEANPOLE_POD_CIDR", "BEANPOLE_SERVICE_CIDR"):
        cluster.environ.pop(name, None)
    try:
        yield cluster
    finally:
        cluster.stop()
        for agent in cluster.agents:
            agent.kill()
            agent.wait()
        beanpole("down", "--state", cluster.state, "--yes")
        cluster.close()


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.xdist_group("docker"))])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if request.param == "docker":
        request.getfixturevalue("images")
    with made(request.param) as made_one:
        yield made_one


def with_pods(cluster: Cluster) -> None:
    cluster.start()
    cluster.apply(WEB)
    until(lambda: len(ready_pods(cluster.items("pods"))) == 2, 60, cluster.output)


def test_down_ends_the_pods_of_a_stopped_cluster_and_up_brings_them_back(cluster: Cluster) -> None:
    with_pods(cluster)
    assert "another `beanpole up` runs" in refusal(beanpole("down", "--state", cluster.state, "--yes"))
    cluster.stop()
    assert cluster.said(f"its pods keep running; `beanpole down --state {cluster.state}` ends them")
    before = running(cluster)
    assert len(before) >= 2

    declined = beanpole("down", "--state", cluster.state, stdin="n\n")
    assert (refusal(declined), running(cluster)) == ("nothing was changed", before)
    assert (
        f"This ends 2 pods of cluster {cluster.name} ({cluster.runtime}) on this machine." in declined.stdout
    )

    done = beanpole("down", "--state", cluster.state, stdin="y\n")
    assert done.returncode == 0, done.stderr
    assert traces(cluster) == []
    assert beanpole("down", "--state", cluster.state, "--yes").stdout.startswith("ended 0 pods")

    cluster.lines.clear()
    cluster.start()
    until(lambda: len(ready_pods(cluster.items("pods"))) == 2, 60, cluster.output)
    cluster.stop()
    (cluster.state / "mine.txt").write_text("keep me")
    done = beanpole("down", "--state", cluster.state, "--yes", "--purge")
    assert done.returncode == 0, done.stderr
    assert "but not mine.txt" in done.stdout
    assert traces(cluster) == []
    assert [path.name for path in cluster.state.iterdir()] == ["mine.txt"]


def test_down_waits_for_an_agent_that_was_started_beside_up() -> None:
    with made("process") as cluster:
        with_pods(cluster)
        agent = cluster.add_agent("beside")
        until(lambda: len(cluster.items("nodes")) == 2, 30, cluster.output)
        cluster.stop()
        assert "an agent runs that `beanpole agent" in refusal(
            beanpole("down", "--state", cluster.state, "--yes")
        )
        agent.terminate()
        agent.wait(30)
        assert beanpole("down", "--state", cluster.state, "--yes").returncode == 0
        assert traces(cluster) == []


@pytest.mark.xdist_group("docker")
def test_two_clusters_share_an_engine_and_one_goes_alone(images: object) -> None:
    with made("docker") as first, made("docker") as second:
        for cluster in (first, second):
            with_pods(cluster)
        ranges = [json.loads((cluster.state / "cluster.json").read_text()) for cluster in (first, second)]
        for name in ("pod_cidr", "service_cidr"):
            assert not ip_network(ranges[0][name]).overlaps(ip_network(ranges[1][name]))
        assert second.said("addresses: pods get ")
        verdicts = ["ACCEPT", "ACCEPT translated", "RETURN"] if shutil.which("nft") else ["ACCEPT", "RETURN"]
        for cluster in (first, second):
            assert sorted(map(verdict, rules(cluster))) == verdicts
        first.stop()
        assert beanpole("down", "--state", first.state, "--yes").returncode == 0
        assert traces(first) == []
        assert len(ready_pods(second.items("pods"))) == 2
        assert len(running(second)) == 4
        assert sorted(map(verdict, rules(second))) == verdicts


def verdict(rule: str) -> str:
    return rule.rsplit(" ", 1)[1] + (" translated" if "DNAT" in rule else "")
