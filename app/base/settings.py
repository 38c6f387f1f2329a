"""Settings: read once from the environment, then passed on as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from app.base.errors import UserError

PREFIX = "BEANPOLE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set from outside, each as `BEANPOLE_<NAME>` in the environment.

    Durations are seconds. Attributes:
        cluster: name of the cluster; its Redis keys all carry `{beanpole:<cluster>}`.
        redis_url: the state store. `broker_url`: what carries Celery messages; empty means the same Redis.
        server: the API's own address as clients and agents reach it. `token`: what an agent or the command
            line shows it. `ca_file`: the certificate authority that signed its certificate.
        listen: `host:port` that the API binds to; empty: the one in `server`.
        token_file: lines `token,user,uid,"group,group"`, as kube-apiserver's --token-auth-file.
        client_cert_file, client_key_file: a certificate that an agent shows the API instead of a token.
        client_ca_file: who signs client certificates; empty: ca_file. ca_key_file: the key of that authority, for
            control workers, which sign certificate signing requests that were approved.
        account_key_file: signs the tokens of ServiceAccounts. account_public_keys: files, parted by commas, of further
            keys whose tokens are still good. account_issuer: URLs, parted by commas, of which the first stands in new
            tokens. account_audiences: this API's names in tokens, parted by commas; empty: the issuer.
        service_cidr, pod_cidr: ranges of cluster IPs and pod addresses; node_cidr_prefix: a node's share.
        log_length: entries the change log keeps, about; older watches get 410 Gone.
        replica_acks: replicas that must have a commit before it is acknowledged (Redis WAIT).
        node_grace: how long after its last lease renewal a node counts as gone. unreachable_toleration:
            how long pods stay bound to such a node (Kubernetes: 300).
        usage: how often an agent measures what its pods and its machine use; 0: never.
        lease: how long one worker may hold one key. resync: time in which every key is looked at once.
        worker: this control worker's name, which no other of its machine has: one that starts takes over what its
            namesake left.
        audit_file: where the audit log goes; empty: nowhere. audit_level: how much it tells: None, Metadata, Request
            or RequestResponse. audit_size: MiB after which a new file is begun. audit_count: older files kept.
        max_body: bytes of a request's body. request_timeout: how long a request may take that is no watch, log or the
            like.
        user_seats: requests that one API process works on at the same time; when they are taken, who holds the
            fewest comes next. user_queue: how many of one user may wait. user_rate, user_burst: requests a second of one user, and
            how many at once. user_watches: open watches of one user. Administrators and agents are not bounded; 0: nobody is.
        nudges: how an agent hears that there is something to fetch: by the `broker`, or by a `watch` of the API.
        runtime: docker, process or simulated. node: this agent's name. nodes: how many it speaks for.
        node_address: the node's InternalIP; empty: found out. node_labels: `key=value` of the node, parted by commas.
            node_taints: `key=value:effect` that it registers with.
        reserved: what pods can't have of the machine, such as `cpu=500m,memory=1Gi`.
        eviction_hard, eviction_soft: thresholds below which pods are evicted, such as `memory.available<100Mi` or
            `nodefs.available<10%`; a soft one ends in its patience in seconds: `memory.available<500Mi:90`.
        eviction_transition: how long a node is shown as under pressure after it last was. eviction_grace: the longest
            that a pod gets to end when a soft threshold evicts it.
        shutdown_grace: how long pods have when the machine shuts down; the last `shutdown_critical` of it, critical ones.
        parallel_pulls: images that an agent pulls at the same time. pull_patience: how long a pull may make no progress
            before it is cancelled. image_gc_high, image_gc_low: percent of the disk of images; when the first is
            used, unused images that the agent pulled are removed until it is the second.
        seccomp_profiles: a folder of seccomp profiles that pods may name; empty: `seccomp` in the state folder.
        unsafe_sysctls: kernel settings that pods may change beyond the safe ones, parted by commas; `net.core.*` is all
            that begin so.
        pod_pids: how many processes and threads a container may have; -1: as many as the machine.
        static_pods: a folder of pods that the agent runs whatever the API says; empty: none.
        log_max_size, log_max_files: how much of a container's log is kept: so many files of that size.
    """

    cluster: str = "default"
    state_dir: Path = Path(".beanpole")
    redis_url: str = "redis://127.0.0.1:6379/0"
    broker_url: str = ""
    server: str = "https://127.0.0.1:6443"
    listen: str = ""
    token: str = ""
    token_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    client_cert_file: str = ""
    client_key_file: str = ""
    ca_key_file: str = ""
    account_key_file: str = ""
    account_public_keys: str = ""
    account_issuer: str = "https://kubernetes.default.svc.cluster.local"
    account_audiences: str = ""
    service_cidr: str = "10.96.0.0/16"
    pod_cidr: str = "10.244.0.0/14"
    node_cidr_prefix: int = 24
    cluster_domain: str = "cluster.local"
    log_length: int = 20_000
    replica_acks: int = 0
    exchange: float = 5.0
    node_grace: float = 20.0
    unreachable_toleration: int = 30
    usage: float = 15.0
    lease: float = 30.0
    resync: float = 600.0
    worker: str = "control"
    runtime: str = ""
    node: str = ""
    nodes: int = 1
    nudges: str = "broker"
    node_address: str = ""
    node_labels: str = ""
    node_taints: str = ""
    reserved: str = ""
    eviction_hard: str = "memory.available<100Mi,nodefs.available<10%,imagefs.available<15%,pid.available<5%"
    eviction_soft: str = ""
    eviction_transition: float = 300.0
    eviction_grace: float = 30.0
    shutdown_grace: float = 30.0
    shutdown_critical: float = 10.0
    seccomp_profiles: str = ""
    unsafe_sysctls: str = ""
    static_pods: str = ""
    log_max_size: str = "10Mi"
    log_max_files: int = 2
    pod_pids: int = 4096
    parallel_pulls: int = 4
    pull_patience: float = 60.0
    image_gc_high: int = 85
    image_gc_low: int = 80
    max_body: int = 3 * 1024 * 1024
    request_timeout: float = 60.0
    user_seats: int = 64
    user_queue: int = 400
    user_rate: float = 400.0
    user_burst: int = 1200
    user_watches: int = 2000
    audit_file: str = ""
    audit_level: str = "Metadata"
    audit_size: int = 100
    audit_count: int = 10
    log_level: str = "INFO"

    @property
    def broker(self) -> str:
        return self.broker_url or self.redis_url


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment asks for.

    Raises:
        UserError: a value is of the wrong type; says which.
    """
    environ = os.environ if environ is None else environ
    hints = get_type_hints(Settings)
    given: dict[str, Any] = {}
    for field in fields(Settings):
        text = environ.get(PREFIX + field.name.upper())
        if text is None or text == "":
            continue
        kind = hints[field.name]
        try:
            given[field.name] = kind(text)
        except ValueError as exc:
            raise UserError(
                f"{PREFIX}{field.name.upper()}={text!r} is not a {kind.__name__}; correct or unset it"
            ) from exc
    return Settings(**given)


def as_environ(settings: Settings) -> dict[str, str]:
    """The environment from which `load` makes these settings again, for child processes."""
    return {PREFIX + f.name.upper(): str(getattr(settings, f.name)) for f in fields(Settings)}
