"""Joining a cluster that `beanpole up` runs on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from app.base.errors import UserError


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
