"""The state folder of a cluster that `beanpole up` runs: what is in it, and who may use it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from app.base.clock import Clock
from app.base.errors import UserError
from app.base.ids import secret
from app.cli import pki

ADMIN = "kubernetes-admin"
NODE_AGENT = "system:node-agent"
# Certificates are made anew when less than this is left of them. Days.
RENEW_BEFORE = 30


@dataclass(frozen=True, slots=True)
class State:
    """The files of one cluster on this machine, below `folder`."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.csv"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @property
    def data(self) -> Path:
        """Where Valkey keeps its append-only file."""
        return self.folder / "valkey"

    def lock(self) -> IO[str]:
        """Take the folder for this process, for as long as the returned file is open.

        Raises:
            UserError: another `beanpole up` has it, or it can't be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / "lock").open("a+")
        except OSError as exc:
            raise UserError(
                f"the state folder {self.folder} can't be used ({exc.strerror}); give another with --state"
            ) from exc
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"another `beanpole up` runs on {self.folder}; stop it, or give another folder with --state"
            ) from None
        return file

    def remembered(self) -> dict[str, Any]:
        """What this cluster was made with; empty for a new one.

        Raises:
            UserError: the file is damaged.
        """
        path = self.folder / "cluster.json"
        try:
            found = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as exc:
            raise UserError(
                f"{path} is damaged ({exc}); restore it, or remove {self.folder} to start anew"
            ) from exc
        if not isinstance(found, dict):
            raise UserError(f"{path} is damaged; restore it, or remove {self.folder} to start anew")
        return found

    def remember(self, facts: dict[str, Any]) -> None:
        path = self.folder / "cluster.json"
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(facts, indent=1) + "\n")
        draft.replace(path)

    def certify(self, hosts: list[str], clock: Clock) -> None:
        """Have an authority and a server certificate for `hosts`, making what is missing.

        Raises:
            UserError: a key or certificate is damaged.
        """
        ca_key = self.folder / "ca.key"
        now = clock.now()
        try:
            if not self.ca.exists() or not ca_key.exists():
                pki.save_authority(pki.make_authority("beanpole", now), self.ca, ca_key)
            authority = pki.load_authority(self.ca, ca_key)
        except ValueError as exc:
            raise UserError(
                f"{self.ca} or {ca_key} is damaged ({exc}); remove both, then hand out the new kubeconfig"
            ) from exc
        asked = self.folder / "server.hosts"
        wanted = "\n".join(hosts)
        fresh = self.certificate.exists() and self.certificate.stat().st_mtime > max(
            now - (365 * pki.SERVER_YEARS - RENEW_BEFORE) * 86400, self.ca.stat().st_mtime - 1
        )
        if not fresh or not self.key.exists() or not asked.exists() or asked.read_text() != wanted:
            certificate, key = pki.make_server_pair(authority, hosts, now)
            self.certificate.write_bytes(certificate)
            pki.write_private(self.key, key)
            asked.write_text(wanted)

    def secrets(self) -> dict[str, str]:
        """The tokens of the administrator and of this machine's agents, and Valkey's password; made once."""
        path = self.folder / "secrets.json"
        try:
            known = json.loads(path.read_text()) if path.exists() else {}
            complete = {name: str(known.get(name) or secret()) for name in ("admin", "agent", "valkey")}
        except (ValueError, AttributeError) as exc:
            raise UserError(f"{path} is damaged ({exc}); remove it, and new tokens are made") from exc
        if complete != known:
            pki.write_private(path, json.dumps(complete).encode())
        pki.write_private(
            self.tokens,
            f'{complete["admin"]},{ADMIN},admin,"system:masters"\n'
            f'{complete["agent"]},{NODE_AGENT},node-agent,"system:nodes"\n'.encode(),
        )
        return complete

    def write_kubeconfig(self, server: str, token: str) -> None:
        """A kubeconfig with everything in it, for whoever administers the cluster."""
        ca = base64.b64encode(self.ca.read_bytes()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "beanpole", "cluster": {"server": server, "certificate-authority-data": ca}}
            ],
            "users": [{"name": ADMIN, "user": {"token": token}}],
            "contexts": [{"name": "beanpole", "context": {"cluster": "beanpole", "user": ADMIN}}],
            "current-context": "beanpole",
            "preferences": {},
        }
        pki.write_private(self.kubeconfig, yaml.safe_dump(config, sort_keys=False).encode())


def own_hosts(listen: str) -> list[str]:
    """The names and addresses under which this machine's API may be reached."""
    name = socket.gethostname().lower()
    hosts = ["localhost", "127.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc", name]
    if listen not in ("127.0.0.1", "localhost", "0.0.0.0"):
        hosts.append(listen)
    if listen == "0.0.0.0":
        try:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None, socket.AF_INET)}
        except OSError:
            found = set()
        hosts += sorted(found - {"127.0.0.1"})
    return hosts


def check_port(host: str, port: int) -> None:
    """Raises UserError if somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise UserError(
                f"the API can't listen on {host}:{port} ({os.strerror(exc.errno or 0)}); "
                "stop what uses it, or give another with --port"
            ) from exc
