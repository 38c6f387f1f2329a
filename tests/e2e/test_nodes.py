"""A node that decides by itself: static pods, eviction, shutdown. Real kubectl, process runtime.

Nothing is put under pressure: the node has a threshold that no machine could keep.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.cluster import BIN, ROOT, Cluster, running
from tests.e2e.waiting import until as until_within

pytestmark = [pytest.mark.timeout(300)]

SLEEP = ["sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.2; done"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running("process", BEANPOLE_EXCHANGE="1") as made:
        yield made


def until(cluster: Cluster, condition: Callable[[], object]) -> None:
    until_within(condition, 60, cluster.output, every=0.3)


def pod(name: str, **spec: Any) -> dict[str, Any]:
    container = {
        "name": "c", "image": "x:1", "command": SLEEP, "resources": {"requests": {"memory": "4Ki"}},
    }  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec},
    }  # fmt: skip


def state_of(cluster: Cluster, name: str) -> tuple[str, str]:
    found = [p["status"] for p in cluster.items("pods") if p["metadata"]["name"] == name]
    return (found[0]["phase"], found[0].get("reason", "")) if found else ("", "")


def test_a_node_runs_its_files_evicts_what_it_has_no_room_for_and_shuts_down(cluster: Cluster) -> None:
    files = cluster.folder / "files"
    files.mkdir()
    (files / "broken.yaml").write_text("kind: [")
    (files / "keeper.json").write_text(json.dumps(pod("keeper")))
    cluster.add_agent(
        "tight",
        BEANPOLE_STATIC_PODS=str(files),
        BEANPOLE_NODE_LABELS="room=none",
        BEANPOLE_EVICTION_SOFT="memory.available<1Pi:1",
        BEANPOLE_SHUTDOWN_GRACE="6",
        BEANPOLE_SHUTDOWN_CRITICAL="3",
    )

    # The static pod runs and is seen; deleting what stands for it ends nothing.
    until(cluster, lambda: state_of(cluster, "keeper-tight") == ("Running", ""))
    before = cluster.get("pod", "keeper-tight")
    assert before["metadata"]["ownerReferences"][0]["kind"] == "Node"
    assert cluster.kubectl("logs", "keeper-tight").strip() == "up"
    assert cluster.kubectl("exec", "keeper-tight", "--", "echo", "in").strip() == "in"
    cluster.kubectl("delete", "pod", "keeper-tight", "--wait=false")
    until(cluster, lambda: _uid(cluster, "keeper-tight") not in ("", before["metadata"]["uid"]))
    until(cluster, lambda: state_of(cluster, "keeper-tight") == ("Running", ""))
    after = cluster.get("pod", "keeper-tight")
    assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]

    # The node is short of memory by its own measure: who asked for less than it uses goes, static pods stay.
    cluster.apply(
        pod("guest", nodeName="tight"), pod("elsewhere", nodeName="tight", nodeSelector={"room": "much"})
    )
    until(cluster, lambda: state_of(cluster, "guest") == ("Failed", "Evicted"))
    guest = cluster.get("pod", "guest")["status"]
    assert guest["message"].startswith(
        "The node was low on resource: memory. Threshold quantity: 1Pi, available: "
    )
    assert ("DisruptionTarget", "TerminationByKubelet") in {
        (c["type"], c.get("reason")) for c in guest["conditions"]
    }
    assert state_of(cluster, "elsewhere") == ("Failed", "NodeAffinity")
    assert state_of(cluster, "keeper-tight") == ("Running", "")
    until(cluster, lambda: "memory-pressure" in cluster.kubectl("describe", "node", "tight"))
    told = cluster.kubectl("get", "events", "-A", "-o", "jsonpath={.items[*].reason}").split()
    assert {"Evicted", "EvictionThresholdMet", "FailedStaticPod"} <= set(told)

    # The machine goes.
    done = subprocess.run(
        [str(BIN / "beanpole"), "node-shutdown", "--state", str(cluster.state), "--node", "tight"],
        cwd=ROOT, env=cluster.environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "node tight: its pods have ended"
    assert state_of(cluster, "keeper-tight") == ("Failed", "Terminated")
    ready = next(c for c in cluster.get("node", "tight")["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["message"]) == ("False", "node is shutting down")


def _uid(cluster: Cluster, name: str) -> str:
    found = [p["metadata"]["uid"] for p in cluster.items("pods") if p["metadata"]["name"] == name]
    return found[0] if found else ""
