"""Joining a cluster from another machine: learn whom to trust, get a certificate of one's own, keep both.

A bootstrap token proves each side to the other: the cluster has signed its `cluster-info` with it, and takes it for a
request for a certificate. https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.base.clock import Clock
from app.base.errors import ApiError, UserError
from app.cli.ask import ask
from app.client.certificates import obtain
from app.client.http import ApiClient, Unreachable
from app.objects import bootstrap_token
from app.trust import discovery_signature
from app.trust.authority import pins_of, write_private
from app.trust.clients import lifetime_of
from app.trust.requests import NODE_PREFIX, NODES

INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
# What a joined machine keeps besides the pods' files.
CERTIFICATE, KEY, AUTHORITY, CLUSTER = "node.crt", "node.key", "ca.crt", "joined.json"
ENVIRON = "environ.json"


@dataclass(frozen=True, slots=True)
class Joining:
    """What was asked for. An empty `token` is enough for a machine that has joined before; `pins` are hashes of the
    authority's key, one of which it must have; an empty `runtime` means the one it had before, else what the machine has."""

    server: str
    token: str
    node: str
    folder: Path
    pins: Sequence[str] = ()
    runtime: str = ""


def join(asked: Joining, clock: Clock) -> dict[str, str]:
    """The environment for the agent of a machine that has joined, which it does now if it has not.

    Raises:
        UserError: it can't join, and why.
    """
    folder = asked.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _joined(asked, clock):
            _join(asked, clock)
        facts = json.loads((folder / CLUSTER).read_text())
        runtime = asked.runtime or _former_runtime(folder) or ask("workers.runtime.select").partition("\t")[0]
    except (OSError, ValueError) as exc:
        raise UserError(f"the folder {folder} can't be used ({exc}); give another with --state") from exc
    environ = {
        **{f"BEANPOLE_{name.upper()}": str(value) for name, value in facts["settings"].items()},
        "BEANPOLE_SERVER": asked.server,
        "BEANPOLE_NODE": asked.node,
        "BEANPOLE_STATE_DIR": str(folder.resolve()),
        "BEANPOLE_CA_FILE": str((folder / AUTHORITY).resolve()),
        "BEANPOLE_CLIENT_CERT_FILE": str((folder / CERTIFICATE).resolve()),
        "BEANPOLE_CLIENT_KEY_FILE": str((folder / KEY).resolve()),
        "BEANPOLE_TOKEN": "",
        "BEANPOLE_NUDGES": "watch",
        "BEANPOLE_RUNTIME": runtime,
    }
    # For `beanpole down`, which ends what the agent leaves running.
    write_private(folder / ENVIRON, json.dumps(environ).encode())
    return environ


def _former_runtime(folder: Path) -> str:
    """What has run this machine's containers so far, which an engine that is away for once doesn't change."""
    path = folder / ENVIRON
    return str(json.loads(path.read_text())["BEANPOLE_RUNTIME"]) if path.exists() else ""


def _joined(asked: Joining, clock: Clock) -> bool:
    """Whether the folder holds a certificate for this node that is still good."""
    folder = asked.folder
    if not all((folder / name).exists() for name in (CERTIFICATE, KEY, AUTHORITY, CLUSTER)):
        return False
    known = json.loads((folder / CLUSTER).read_text())
    if known.get("node") != asked.node:
        raise UserError(f"{folder} is that of the node {known.get('node')}; give another folder with --state")
    return lifetime_of((folder / CERTIFICATE).read_bytes())[1] > clock.now()


def _join(asked: Joining, clock: Clock) -> None:
    parts = bootstrap_token.split(asked.token)
    if parts is None:
        raise UserError(
            "this machine has not joined yet, or its certificate has expired: give a token with --token; "
            "`beanpole token create` on the cluster's machine makes one"
        )
    authority, facts = _discover(asked, *parts)
    client = ApiClient(asked.server, token=asked.token, ca_data=authority.decode(), timeout=10.0)
    try:
        certificate, key = obtain(client, NODE_PREFIX + asked.node, [NODES], clock)
    except (ApiError, Unreachable) as exc:
        raise UserError(f"the cluster at {asked.server} gives no certificate: {exc}") from exc
    finally:
        client.close()
    folder = asked.folder
    (folder / AUTHORITY).write_bytes(authority)
    write_private(folder / KEY, key)
    (folder / CERTIFICATE).write_bytes(certificate)
    (folder / CLUSTER).write_text(json.dumps({"node": asked.node, "settings": facts}, indent=1) + "\n")


def _discover(asked: Joining, name: str, secret: str) -> tuple[bytes, dict[str, Any]]:
    """The cluster's authority (PEM) and its settings, which whoever answers can only have signed if it knows the
    token. Nothing secret is sent before."""
    client = ApiClient(asked.server, insecure=True, timeout=10.0)
    try:
        data = client.get(INFO).get("data") or {}
    except (ApiError, Unreachable) as exc:
        raise UserError(f"can't learn of the cluster at {asked.server}: {exc}") from exc
    finally:
        client.close()
    content, signature = data.get("kubeconfig", ""), data.get(f"jws-kubeconfig-{name}", "")
    if not signature:
        raise UserError(
            f"the cluster at {asked.server} does not know the token {name}; is it right, or has it expired?"
        )
    if not discovery_signature.verify(content, signature, name, secret):
        raise UserError(f"whoever answers at {asked.server} does not know the token: don't trust it")
    try:
        cluster = json.loads(content)["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"])
        pins = pins_of(authority)
        facts = next(e["extension"] for e in cluster["extensions"] if e["name"] == "beanpole")
    except (ValueError, LookupError, TypeError, StopIteration) as exc:
        raise UserError(f"what {asked.server} says of its cluster can't be read ({exc})") from exc
    if asked.pins and not set(asked.pins) & set(pins):
        raise UserError(
            f"the authority of {asked.server} is {pins[0]}, not the one of --ca-hash: don't trust it"
        )
    return authority, facts
