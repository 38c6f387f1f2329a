"""Joining a cluster that `beanpole up` runs on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from app.base.errors import UserError

# What may differ from node to node: whoever runs an agent says it in the environment.
OF_NODE = tuple(
    f"BEANPOLE_{name}"
    for name in (
        "NODE_ADDRESS", "NODE_LABELS", "NODE_TAINTS", "RESERVED", "EVICTION_HARD", "EVICTION_SOFT",
        "EVICTION_TRANSITION", "EVICTION_GRACE", "SHUTDOWN_GRACE", "SHUTDOWN_CRITICAL", "STATIC_PODS",
    )
)  # fmt: skip


def node_settings(state: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """`local_settings` for one more agent, but for what `environ` says of its node."""
    return {
        name: value
        for name, value in local_settings(state).items()
        if name not in OF_NODE or not environ.get(name)
    }


def local_settings(state: Path) -> dict[str, str]:
    """The environment that the programs of the cluster in `state` run with.

    Raises:
        UserError: no cluster was started there.
    """
    path = state / "environ.json"
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(f"no cluster was started from {state}; run `beanpole up` there first") from None
    except ValueError as exc:
        raise UserError(f"{path} is damaged ({exc}); run `beanpole up` again to write it anew") from exc
    return {str(name): str(value) for name, value in found.items()}
