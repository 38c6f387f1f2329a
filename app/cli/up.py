"""`beanpole up`: a whole cluster on this machine, in one command."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from app.base.clock import Clock, SystemClock
from app.base.errors import BeanpoleError, StoreUnavailable, UserError
from app.base.ids import Ids, RandomIds
from app.base.settings import Settings, as_environ
from app.cli import procfile
from app.cli.addresses import Ranges, check, ranges_for
from app.cli.ask import ask
from app.cli.state import State, check_port, own_hosts, service_hosts
from app.cli.supervisor import Program, Supervisor
from app.cli.valkey import EmbeddedValkey
from app.client.http import ApiClient
from app.registry.addresses import first_service_address
from app.store.connection import connect
from app.trust.authority import write_private

READY_SECONDS = 120.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person at the command line asked for. An empty `runtime` leaves the choice to us; 0 `nodes`
    means as many as before."""

    state: Path
    runtime: str
    nodes: int
    listen: str
    port: int
    workers: int


class Stop(Exception):
    """A signal asked us to stop."""


def up(wish: Wish, base: Settings) -> None:
    """Start everything, say when it is ready, and keep it running until a signal comes.

    Raises:
        UserError: it can't be started, and why.
    """
    clock = SystemClock()
    state = State(wish.state)
    with state.lock():
        supervisor = Supervisor(clock)
        for number in SIGNALS:
            signal.signal(number, _raise_stop)
        try:
            _run(wish, base, state, supervisor, clock)
        except Stop:
            supervisor.say(f"stopping; the cluster's state stays in {state.folder}")
            if state.has_pods():
                supervisor.say(f"its pods keep running; `beanpole down --state {state.folder}` ends them")
        except OSError as exc:
            raise state.unusable(exc) from exc
        finally:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            supervisor.stop()


def _run(wish: Wish, base: Settings, state: State, supervisor: Supervisor, clock: Clock) -> None:
    began = clock.monotonic()
    programs = procfile.read()
    known = state.remembered()
    wish = replace(wish, nodes=wish.nodes or int(known.get("nodes") or 1))
    check_port(wish.listen, wish.port)
    runtime, why = _runtime(wish, base, known)
    supervisor.say(f"runtime: {runtime} ({why})")
    ids = RandomIds()
    ranges = _ranges(base, known, runtime, ids)
    check(ranges, runtime, base.node_cidr_prefix)
    if ranges.why:
        supervisor.say(f"addresses: {ranges.why}")
    settings = _settings(wish, base, state, known, runtime, ranges, ids, clock)
    settings = _with_store(settings, state, supervisor, clock)
    state.remember(
        {
            "cluster": settings.cluster,
            "runtime": runtime,
            "nodes": wish.nodes,
            "service_cidr": settings.service_cidr,
            "pod_cidr": settings.pod_cidr,
        }
    )
    environ = {**as_environ(settings), "BEANPOLE_LISTEN": f"{wish.listen}:{wish.port}"}
    write_private(state.folder / "environ.json", json.dumps(environ).encode())
    for program in _programs(wish, programs, settings, environ):
        supervisor.start(program)
    supervisor.say(f"API: {settings.server}")
    supervisor.say(f"kubeconfig: {state.kubeconfig.resolve()}")
    _await_ready(settings, wish.nodes, supervisor, clock)
    supervisor.say(f"the cluster is ready ({_nodes(wish.nodes)}, {clock.monotonic() - began:.1f} s)")
    supervisor.say(f"try: export KUBECONFIG={state.kubeconfig.resolve()}; kubectl get nodes")
    while True:
        supervisor.run_for(1.0)


def _runtime(wish: Wish, base: Settings, known: Mapping[str, str]) -> tuple[str, str]:
    """The runtime and why: as asked, as this cluster was made with, or the best this machine has."""
    made_with = known.get("runtime")
    if made_with and wish.runtime and made_with != wish.runtime:
        raise UserError(
            f"the cluster in {wish.state} was made with the {made_with} runtime, whose addresses differ; "
            f"use another folder: --state {wish.state}-{wish.runtime}"
        )
    asked = wish.runtime or made_with or base.runtime
    runtime, _, why = ask("workers.runtime.select", environ={"BEANPOLE_RUNTIME": asked}).partition("\t")
    if made_with and not wish.runtime:
        why = "this cluster was made with it"
    return runtime, why


def _ranges(base: Settings, known: Mapping[str, str], runtime: str, ids: Ids) -> Ranges:
    """What this cluster was made with; else what was set outside; else what fits."""
    usual = Settings()
    service = known.get("service_cidr") or _given(base.service_cidr, usual.service_cidr)
    pod = known.get("pod_cidr") or _given(base.pod_cidr, usual.pod_cidr)
    if service and pod:
        return Ranges(service, pod)
    fitting = ranges_for(runtime, ids)
    return replace(fitting, service_cidr=service or fitting.service_cidr, pod_cidr=pod or fitting.pod_cidr)


def _named(cluster: str) -> str:
    """The cluster's name if one was given. Raises UserError if Redis, Docker or nftables would stumble over it."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", cluster):
        raise UserError(
            f"BEANPOLE_CLUSTER={cluster!r} can't name a cluster: up to 40 letters, digits, dots, dashes and "
            "underscores, the first a letter or digit"
        )
    return _given(cluster, Settings().cluster)


def _given(value: str, default: str) -> str:
    return value if value != default else ""


def _settings(
    wish: Wish,
    base: Settings,
    state: State,
    known: Mapping[str, str],
    runtime: str,
    ranges: Ranges,
    ids: Ids,
    clock: Clock,
) -> Settings:
    secrets = state.secrets()
    service = service_hosts(first_service_address(ranges.service_cidr), base.cluster_domain)
    state.certify([*own_hosts(wish.listen), *service], clock)
    server = f"https://{'127.0.0.1' if wish.listen == '0.0.0.0' else wish.listen}:{wish.port}"
    state.write_kubeconfig(server, secrets["admin"])
    return replace(
        base,
        # Containers on one engine are told apart by the cluster's name, so each folder's cluster gets its own.
        cluster=known.get("cluster") or _named(base.cluster) or f"up-{ids.suffix()}",
        state_dir=state.folder.resolve(),
        server=server,
        token=secrets["agent"],
        token_file=str(state.tokens.resolve()),
        ca_file=str(state.ca.resolve()),
        cert_file=str(state.certificate.resolve()),
        key_file=str(state.key.resolve()),
        client_ca_file=str(state.ca.resolve()),
        ca_key_file=str(state.ca_key.resolve()),
        account_key_file=str(state.account_key.resolve()),
        runtime=runtime,
        audit_file=base.audit_file or str(state.audit.resolve()),
        service_cidr=ranges.service_cidr,
        pod_cidr=ranges.pod_cidr,
    )


def _with_store(settings: Settings, state: State, supervisor: Supervisor, clock: Clock) -> Settings:
    """Settings with the Redis to use: the one the environment names, else our own, started here."""
    if os.environ.get("BEANPOLE_REDIS_URL"):
        try:
            connect(settings.redis_url).close()
        except StoreUnavailable as exc:
            raise UserError(str(exc)) from exc
        return settings
    embedded = EmbeddedValkey.plan(state.data, state.secrets()["valkey"])
    process = supervisor.start(Program("valkey", embedded.command, dict(os.environ)))
    embedded.await_ready(process, clock)
    return replace(settings, redis_url=embedded.url)


def _programs(
    wish: Wish, programs: Mapping[str, list[str]], settings: Settings, given: Mapping[str, str]
) -> list[Program]:
    """Everything to start, in order. One agent a node, but for simulated ones, which share a process."""
    environ = {**os.environ, **given}
    # The programs of a Procfile are those of this very installation.
    environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + environ.get("PATH", "")
    own = socket.gethostname().lower()
    made = []
    for name, command in programs.items():
        if name != "agent":
            count = wish.workers if name == "worker" else 1
            for index in range(count):
                label = name if count == 1 else f"{name}.{index + 1}"
                own_name = {"BEANPOLE_WORKER": f"control-{index + 1}"} if count > 1 else {}
                made.append(Program(label, command, {**environ, **own_name}))
        elif settings.runtime == "simulated":
            made.append(
                Program(name, command, {**environ, "BEANPOLE_NODE": "sim", "BEANPOLE_NODES": str(wish.nodes)})
            )
        else:
            for index in range(1, wish.nodes + 1):
                # The first one's name does not depend on how many there are.
                node = own if index == 1 else f"{own}-{index}"
                label = name if wish.nodes == 1 else f"{name}.{index}"
                made.append(
                    Program(label, command, {**environ, "BEANPOLE_NODE": node, "BEANPOLE_NODES": "1"})
                )
    return made


def _await_ready(settings: Settings, nodes: int, supervisor: Supervisor, clock: Clock) -> None:
    """Return once the API answers and `nodes` nodes are Ready, keeping the programs running meanwhile."""
    token = json.loads((settings.state_dir / "secrets.json").read_text())["admin"]
    client = ApiClient(settings.server, token=token, ca_file=settings.ca_file, timeout=5.0)
    told = False
    deadline = clock.monotonic() + READY_SECONDS
    while True:
        supervisor.run_for(0.05)
        try:
            ready = sum(_is_ready(node) for node in client.list("/api/v1/nodes")["items"])
        except BeanpoleError as exc:
            ready, problem = 0, str(exc)
        else:
            if ready >= nodes:
                client.close()
                return
            problem = f"{ready} of {nodes} nodes are ready"
        if not told and clock.monotonic() > deadline:
            told = True
            supervisor.say(
                f"still not ready after {READY_SECONDS:.0f} s: {problem}; the lines above may say why"
            )


def _is_ready(node: Mapping[str, object]) -> bool:
    status = node.get("status")
    conditions = status.get("conditions") or () if isinstance(status, dict) else ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _raise_stop(number: int, frame: FrameType | None) -> None:
    raise Stop
