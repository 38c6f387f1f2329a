"""Reading a kubeconfig: which server, and as whom.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.base.errors import UserError
from app.client.http import ApiClient


@dataclass(frozen=True, slots=True)
class Access:
    """What one context of a kubeconfig grants. `*_data` are PEM texts and win over the files."""

    server: str
    namespace: str = "default"
    token: str = ""
    ca_file: str = ""
    ca_data: str = ""
    cert_file: str = ""
    cert_data: str = ""
    key_file: str = ""
    key_data: str = ""
    insecure: bool = False

    def client(self, **options: Any) -> ApiClient:
        """A client with this access. Certificates given as data are written to a private file while they are
        loaded, since TLS contexts read client certificates from files only."""
        given: dict[str, Any] = {
            "token": self.token,
            "ca_file": self.ca_file,
            "ca_data": self.ca_data,
            "insecure": self.insecure,
            **options,
        }
        if not self.cert_data:
            return ApiClient(self.server, cert_file=self.cert_file, key_file=self.key_file, **given)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:
            pem.write(self.cert_data + "\n" + self.key_data)
            pem.flush()
            return ApiClient(self.server, cert_file=pem.name, **given)


def path_from(environ: Mapping[str, str]) -> Path:
    """The kubeconfig in force: the first existing file of KUBECONFIG, else ~/.kube/config."""
    named = [Path(p) for p in environ.get("KUBECONFIG", "").split(os.pathsep) if p]
    for path in named:
        if path.exists():
            return path
    return named[0] if named else Path.home() / ".kube" / "config"


def load(path: Path, context: str = "") -> Access:
    """What `context` (by default the file's current one) of a kubeconfig grants.

    Raises:
        UserError: the file is missing or not a kubeconfig, or names what it doesn't hold.
    """
    try:
        config = yaml.safe_load(path.read_text())
    except OSError as exc:
        raise UserError(f"can't read the kubeconfig {path}: {exc.strerror}; set KUBECONFIG to one") from exc
    except yaml.YAMLError as exc:
        raise UserError(f"{path} is not YAML; set KUBECONFIG to a kubeconfig") from exc
    if not isinstance(config, dict) or not isinstance(config.get("contexts"), list):
        raise UserError(f"{path} is not a kubeconfig; set KUBECONFIG to one")
    name = context or config.get("current-context") or ""
    chosen = _named(config, "contexts", name, "context", path)
    cluster = _named(config, "clusters", chosen.get("cluster", ""), "cluster", path)
    user = _named(config, "users", chosen["user"], "user", path) if chosen.get("user") else {}
    if not cluster.get("server"):
        raise UserError(f"cluster {chosen.get('cluster')!r} in {path} has no server; add one")

    def beside(file: str | None) -> str:
        return str(path.parent / file) if file else ""

    token = user.get("token") or ""
    if not token and user.get("tokenFile"):
        token = Path(beside(user["tokenFile"])).read_text().strip()
    return Access(
        server=cluster["server"],
        namespace=chosen.get("namespace") or "default",
        token=token,
        ca_file=beside(cluster.get("certificate-authority")),
        ca_data=_decoded(cluster.get("certificate-authority-data"), path),
        cert_file=beside(user.get("client-certificate")),
        cert_data=_decoded(user.get("client-certificate-data"), path),
        key_file=beside(user.get("client-key")),
        key_data=_decoded(user.get("client-key-data"), path),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
    )


def _named(config: dict[str, Any], section: str, name: str, word: str, path: Path) -> dict[str, Any]:
    for entry in config.get(section) or ():
        if isinstance(entry, dict) and entry.get("name") == name:
            return dict(entry.get(word) or {})
    raise UserError(f"{path} has no {word} {name!r}; choose one that it holds")


def _decoded(data: str | None, path: Path) -> str:
    if not data:
        return ""
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise UserError(f"{path} holds certificate data that is not base64; write it again") from exc
