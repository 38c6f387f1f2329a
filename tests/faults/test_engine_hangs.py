"""The engine listens and never answers: the node says so, and nothing else waits for it."""

from __future__ import annotations

import pytest

from tests.e2e.waiting import until
from tests.faults.node import FaultyNode, pod
from tests.faults.own_engine import OwnEngine
from workers.agent.node import readiness
from workers.runtime.docker import client

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

SERVES = "mkdir -p /tmp/www; echo ok >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"
OFTEN = {"periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 2}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that looks at its engine more often, and waits less for it."""
    monkeypatch.setattr(client, "QUESTION_TIMEOUT", 1.0)
    monkeypatch.setattr(readiness, "LOOK", 0.5)


def test_a_node_whose_engine_hangs_says_so_and_recovers(node: FaultyNode, faulty: OwnEngine) -> None:
    by_http = {"httpGet": {"port": 8080, "path": "/"}, **OFTEN}
    by_command = {"exec": {"command": ["true"]}, **OFTEN}
    served = node.started(pod(SERVES, readinessProbe=by_http, livenessProbe=by_command))
    others = [node.started(pod(livenessProbe=by_command)) for _ in range(2)]
    before = {uid: node.container_id(uid) for uid in (served, *others)}
    faulty.hang()
    until(lambda: node.api.ready().get("status") == "False", 20, node.tell)
    assert "container runtime is down" in node.api.ready()["message"]
    # A pod that comes and one that goes wait for the engine, and nobody waits for them.
    new = node.run(pod())
    node.delete(others[0])
    heard, threads = node.api.heard, node.threads()
    until(lambda: node.api.heard > heard + 10, 20, node.tell)
    tries = node.prober.succeeded["httpGet"]
    until(lambda: node.prober.succeeded["httpGet"] > tries + 2, 20, node.tell)
    assert node.is_ready(served)
    # The longer it hangs, the more threads? A lane's are started when needed, and kept.
    assert node.threads() <= threads + 4
    faulty.resume()
    until(lambda: node.api.ready().get("status") == "True", 20, node.tell)
    until(lambda: node.is_ready(new) and others[0] not in node.api.pods, 30, lambda: node.tell(new))
    # That a probe could not be tried says nothing of the container.
    for uid in (served, others[1]):
        assert (node.container_id(uid), node.entry(uid)["restartCount"]) == (before[uid], 0)
        assert not node.api.told("Killing", uid)
    assert node.api.told("ContainerRuntimeDown")
    assert node.api.told("NodeNotReady")
    assert node.api.told("NodeReady")


def test_an_engine_that_hangs_and_then_dies_is_awaited(node: FaultyNode, faulty: OwnEngine) -> None:
    uid = node.started(pod())
    faulty.hang()
    node.delete(uid)
    until(lambda: node.api.ready().get("status") == "False", 20, node.tell)
    faulty.kill()
    faulty.start()
    until(lambda: node.api.ready().get("status") == "True", 20, node.tell)
    until(lambda: uid not in node.api.pods, 30, node.tell)
