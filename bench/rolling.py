"""What clients of a Service notice while its pods change: failed requests of about 6,000 on new
connections, without any preStop hook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from bench.api import MERGE, Client
from bench.cluster import NAMESPACE, Target, make_namespace, wait_until
from bench.deployment import (
    DEPLOYMENTS,
    PODS,
    create,
    deployment,
    is_ready,
    pods,
    remove,
    rolled_out,
    scale,
    scale_and_wait,
)
from bench.result import Result
from bench.traffic import Traffic
from bench.workload import PORT, container, make_image

NAME = "rolling"
REQUESTS = 6000
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


def measure(target: Target, runs: int) -> list[Result]:
    """Failures during a rolling update of 6 pods, scaling from 6 to 2, and deleting 3 of 6."""
    if target.runtime == "docker":
        make_image()
    client = target.client()
    make_namespace(client)
    create(client, deployment(NAME, container(target.runtime), terminationGracePeriodSeconds=10))
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"selector": {"app": NAME}, "ports": [{"port": 80, "targetPort": PORT}]},
    }
    address = client.json("POST", SERVICES, service)["spec"]["clusterIP"]
    events: tuple[tuple[str, Callable[[Client], None]], ...] = (
        ("failed: rolling update", _update),
        ("failed: scale in", _scale_in),
        ("failed: pods deleted", _delete_half),
    )
    failed: dict[str, list[float]] = {name: [] for name, _ in events}
    kinds: dict[str, Counter[str]] = {name: Counter() for name, _ in events}
    for _ in range(runs):
        for name, event in events:
            scale_and_wait(client, NAME, 6, 120)
            wait_until(lambda: len(pods(client, NAME)) == 6, 60, "6 pods", every=0.1)
            _reachable(address)
            with Traffic(address, 80) as traffic:
                wait_until(lambda t=traffic: t.sent > 500, 60, "traffic")  # type: ignore[misc]
                event(client)
                traffic.finish(REQUESTS)
            failed[name].append(sum(traffic.failures.values()))
            kinds[name].update(traffic.failures)
    client.request("DELETE", f"{SERVICES}/{NAME}")
    remove(client, NAME)
    return [Result(name, "requests", tuple(failed[name]), note=_note(kinds[name])) for name, _ in events]


def _note(kinds: Counter[str]) -> str:
    """How many were sent in a run, and which failed in all runs."""
    found = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    return f"of {REQUESTS}" + (f"; in all runs: {found}" if found else "")


def _reachable(address: str) -> None:
    """Before anything is counted: the Service answers from here at all."""

    def answers() -> bool:
        with Traffic(address, 80, most=20) as probe:
            probe.finish(20)
        return not probe.failures

    wait_until(answers, 30, f"the Service to answer at {address} (run this on one of its nodes)", every=0.2)


def _update(client: Client) -> None:
    body = {"spec": {"template": {"metadata": {"annotations": {"bench/turn": _turn(client)}}}}}
    client.json("PATCH", f"{DEPLOYMENTS}/{NAME}", body, MERGE)
    wait_until(lambda: rolled_out(client, NAME), 180, "the rolling update", every=0.1)


def _turn(client: Client) -> str:
    return str(client.json("GET", f"{DEPLOYMENTS}/{NAME}")["metadata"]["generation"])


def _scale_in(client: Client) -> None:
    scale(client, NAME, 2)
    wait_until(lambda: len(pods(client, NAME)) == 2, 120, "2 pods", every=0.1)


def _delete_half(client: Client) -> None:
    before = [pod["metadata"]["name"] for pod in pods(client, NAME)]
    for name in before[:3]:
        client.json("DELETE", f"{PODS}/{name}")

    def replaced() -> bool:
        now = pods(client, NAME)
        names = {pod["metadata"]["name"] for pod in now}
        return len(now) == 6 and not names & set(before[:3]) and all(is_ready(pod) for pod in now)

    wait_until(replaced, 120, "3 replacements", every=0.1)
