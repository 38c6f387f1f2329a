"""Create, get and merge-patch of a small ConfigMap: latency alone, throughput of 8 clients."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable

from bench.api import MERGE, Client
from bench.cluster import NAMESPACE, Target, make_namespace
from bench.result import Result, percentile

PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
CLIENTS = 8
OBJECTS = 300
WARM_UP = 50  # a server that has just started is not what is measured
SECONDS = 3.0
VERBS = ("create", "get", "patch")

Call = Callable[[str, int], None]


def measure(target: Target, runs: int, package: bool = False) -> list[Result]:
    """Milliseconds of one client (with `package`, the `kubernetes` package over the same access), and
    requests a second of 8 client processes."""
    client = target.client()
    make_namespace(client)
    p50: dict[str, list[float]] = {v: [] for v in VERBS}
    p99: dict[str, list[float]] = {v: [] for v in VERBS}
    rates: dict[str, list[float]] = {v: [] for v in VERBS}
    for n in range(WARM_UP):
        for verb in VERBS:
            _ask(client, verb, f"warm-{n}", n + 1)
    for run in range(runs):
        call = _package(target) if package else _lean(client)
        for verb in VERBS:
            times = _time(call, verb, run)
            p50[verb].append(percentile(times, 0.5))
            p99[verb].append(percentile(times, 0.99))
        for verb in VERBS:
            rates[verb].append(_throughput(target, verb, run))
        client.request("DELETE", PATH)
    note = "kubernetes package" if package else ""
    return [
        *(Result(f"{v} p50", "ms", tuple(p50[v]), note=note) for v in VERBS),
        *(Result(f"{v} p99", "ms", tuple(p99[v]), note=note) for v in VERBS),
        *(Result(f"{v}, 8 clients", "per s", tuple(rates[v]), True) for v in VERBS),
    ]


def _body(name: str, value: int) -> bytes:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": str(value)}}
    return json.dumps(obj).encode()


def _ask(client: Client, verb: str, name: str, value: int) -> None:
    if verb == "create":
        status, said = client.request("POST", PATH, _body(name, value))
    elif verb == "get":
        status, said = client.request("GET", f"{PATH}/{name}")
    else:
        status, said = client.request("PATCH", f"{PATH}/{name}", b'{"data":{"value":"-%d"}}' % value, MERGE)
    if status >= 300:
        raise SystemExit(f"{verb} {name}: {status} {said[:300].decode(errors='replace')}")


def _lean(client: Client) -> Call:
    return lambda verb, n: _ask(client, verb, f"alone-{n}", n + 1)


def _package(target: Target) -> Call:
    from kubernetes import client as kubernetes

    access = target.access
    config = kubernetes.Configuration()
    config.host = f"{'https' if access.tls else 'http'}://{access.host}:{access.port}"
    config.verify_ssl = False
    if access.token:
        config.api_key = {"authorization": "Bearer " + access.token}
    api = kubernetes.CoreV1Api(kubernetes.ApiClient(config))

    def call(verb: str, n: int) -> None:
        name = f"alone-{n}"
        if verb == "create":
            api.create_namespaced_config_map(NAMESPACE, json.loads(_body(name, n)))
        elif verb == "get":
            api.read_namespaced_config_map(name, NAMESPACE)
        else:
            api.patch_namespaced_config_map(name, NAMESPACE, {"data": {"value": f"-{n + 1}"}})

    return call


def _time(call: Call, verb: str, run: int) -> list[float]:
    times = []
    for n in range(OBJECTS):
        began = time.perf_counter()
        call(verb, run * OBJECTS + n)
        times.append((time.perf_counter() - began) * 1e3)
    return times


def _throughput(target: Target, verb: str, run: int) -> float:
    """Requests a second of 8 processes together, each on objects of its own."""
    context = multiprocessing.get_context("fork")
    start = context.Barrier(CLIENTS)
    done = context.Queue()
    clients = [
        context.Process(target=_worker, args=(target, verb, f"c{n}-r{run}", start, done))
        for n in range(CLIENTS)
    ]
    for process in clients:
        process.start()
    total = 0.0
    for _ in clients:
        try:
            total += done.get(timeout=60)
        except Exception:
            raise SystemExit(f"a client that should {verb} failed; see above") from None
    for process in clients:
        process.join()
    return total


def _worker(target: Target, verb: str, name: str, start: object, done: object) -> None:
    client = target.client()
    if verb != "create":
        client.request("POST", PATH, _body(f"{name}-own", 0))
    client.request("GET", "/version")  # the connection is made before the clock runs
    start.wait(30)  # type: ignore[attr-defined]
    count = 0
    began = time.perf_counter()
    while (spent := time.perf_counter() - began) < SECONDS:
        _ask(client, verb, f"{name}-{count}" if verb == "create" else f"{name}-own", count + 1)
        count += 1
    done.put(count / spent)  # type: ignore[attr-defined]
