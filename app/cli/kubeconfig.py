"""Kubeconfigs: files with everything in them that a client needs.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from app.base.errors import UserError
from app.client.http import ApiClient


def document(server: str, authority: bytes, user: str, credentials: Mapping[str, Any]) -> bytes:
    """A kubeconfig for one user of the API at `server`, whose certificate `authority` (PEM) signed."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "beanpole",
                "cluster": {"server": server, "certificate-authority-data": coded(authority)},
            }
        ],
        "users": [{"name": user, "user": dict(credentials)}],
        "contexts": [{"name": "beanpole", "context": {"cluster": "beanpole", "user": user}}],
        "current-context": "beanpole",
        "preferences": {},
    }
    return yaml.safe_dump(config, sort_keys=False).encode()


def certificate(pair: tuple[bytes, bytes]) -> dict[str, str]:
    """A client certificate and its key (PEM) as credentials of a user."""
    return {"client-certificate-data": coded(pair[0]), "client-key-data": coded(pair[1])}


def server_of(path: Path) -> str:
    """The address in a kubeconfig that Beanpole wrote.

    Raises:
        UserError: there is none, or it is something else.
    """
    return str(_cluster(path)["server"])


def administrator(path: Path) -> ApiClient:
    """The API as the administrator whose kubeconfig this is.

    Raises:
        UserError: there is none, or it is something else.
    """
    cluster = _cluster(path)
    token = yaml.safe_load(path.read_text())["users"][0]["user"].get("token", "")
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return ApiClient(str(cluster["server"]), token=token, ca_data=authority, timeout=10.0)


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _cluster(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())["clusters"][0]["cluster"]
    except FileNotFoundError:
        raise UserError(
            f"there is no {path}; run `beanpole up` first, or name its folder with --state"
        ) from None
    except (OSError, yaml.YAMLError, LookupError, TypeError) as exc:
        raise UserError(f"{path} is no kubeconfig of Beanpole's ({exc})") from exc
    return dict(found)
