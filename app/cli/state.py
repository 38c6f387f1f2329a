"""The state folder of a cluster that `beanpole up` runs: what is in it, and who may use it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from app.base.clock import Clock
from app.base.errors import UserError
from app.base.ids import secret
from app.base.trees import remove_tree
from app.cli import kubeconfig
from app.trust import authority as pki
from app.trust import keys

ADMIN = "kubernetes-admin"
NODE_AGENT = "system:node-agent"
# All that a cluster has in its folder, besides the files of the service rules, which begin with `beanpole-`.
FOLDERS = ("valkey", "pods", "process", "docker", "simulated", "images", "volumes")
FILES = (
    "account.key",
    "agents.lock",
    "ca.crt",
    "ca.key",
    "cluster.json",
    "cluster.new",
    "environ.json",
    "joined.json",
    "node.crt",
    "node.key",
    "kubeconfig",
    "lock",
    "secrets.json",
    "server.crt",
    "server.hosts",
    "server.key",
    "tokens.csv",
)
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
    def ca_key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def account_key(self) -> Path:
        """What tokens of ServiceAccounts are signed with."""
        return self.folder / "account.key"

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

    @property
    def audit(self) -> Path:
        """The audit log; older ones beside it are called the same with `.1`, `.2` ... behind."""
        return self.folder / "audit.log"

    def lock(self) -> IO[str]:
        """Take the folder for this process, for as long as the returned file is open.

        Raises:
            UserError: another `beanpole up` or `down` has it, or it can't be written.
        """
        file = self._open("lock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            who = file.read().strip()
            file.close()
            raise UserError(
                f"another `beanpole up` runs on {self.folder}{f' (process {who})' if who else ''}; "
                "stop it, or give another folder with --state"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def lock_agents(self, *, alone: bool) -> IO[str]:
        """Hold what agents that were started beside `up` share, for as long as the returned file is open: one
        that runs would start the pods again that `down` ends. `alone`: only if there is none.

        Raises:
            UserError: such an agent runs, or (for an agent) `beanpole down` does.
        """
        file = self._open("agents.lock")
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise UserError(
                f"an agent runs that `beanpole agent --state {self.folder}` started; stop it first"
                if alone
                else f"`beanpole down` runs on {self.folder}; try again when it has ended"
            ) from None
        return file

    def _open(self, name: str) -> IO[str]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return (self.folder / name).open("a+")
        except OSError as exc:
            raise self.unusable(exc) from exc

    def unusable(self, exc: OSError) -> UserError:
        """What to tell when a file of the folder can't be read or written."""
        name = f": {exc.filename}" if exc.filename and str(exc.filename) != str(self.folder) else ""
        return UserError(
            f"the state folder {self.folder} can't be used ({exc.strerror}{name}); give another with --state"
        )

    def purge(self) -> list[str]:
        """Remove what Beanpole keeps here, and the folder itself if nothing else is in it. Returns the names of
        what is not Beanpole's: a folder may have been chosen that holds more."""
        for entry in self.folder.iterdir():
            if entry.name in FOLDERS and not entry.is_symlink():
                remove_tree(entry)
            elif entry.name in FILES or entry.name.startswith(("beanpole-", self.audit.name)):
                entry.unlink()
        foreign = sorted(entry.name for entry in self.folder.iterdir())
        if not foreign:
            self.folder.rmdir()
        return foreign

    def has_pods(self) -> bool:
        """Whether pods of this machine, which run on without `up`, have files here."""
        return any(any(self.folder.glob(f"{runtime}/*/pods/*")) for runtime in ("docker", "process"))

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
        """Have an authority, a server certificate for `hosts`, and a key for tokens, making what is missing.

        Raises:
            UserError: a key or certificate is damaged.
        """
        now = clock.now()
        try:
            if not self.ca.exists() or not self.ca_key.exists():
                pki.save_authority(pki.make_authority("beanpole", now), self.ca, self.ca_key)
            authority = pki.load_authority(self.ca, self.ca_key)
            if not self.account_key.exists():
                keys.make_key(self.account_key)
        except ValueError as exc:
            raise UserError(
                f"{self.ca} or {self.ca_key} is damaged ({exc}); remove both, then hand out the new kubeconfig"
            ) from exc
        asked = self.folder / "server.hosts"
        wanted = "\n".join(hosts)
        fresh = self.certificate.exists() and self.certificate.stat().st_mtime > max(
            now - (365 * pki.SERVER_YEARS - RENEW_BEFORE) * 86400, self.ca.stat().st_mtime - 1
        )
        if not fresh or not self._serves() or not asked.exists() or asked.read_text() != wanted:
            certificate, key = pki.make_server_pair(authority, hosts, now)
            self.certificate.write_bytes(certificate)
            pki.write_private(self.key, key)
            asked.write_text(wanted)

    def _serves(self) -> bool:
        """Whether the server's certificate and key can be used."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except OSError:
            return False
        return True

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
            f'{complete["agent"]},{NODE_AGENT},node-agent,"system:nodes"\n{self._added_tokens()}'.encode(),
        )
        return complete

    def _added_tokens(self) -> str:
        """The lines of the token file that somebody added: of other users than our own."""
        try:
            lines = self.tokens.read_text().splitlines()
        except FileNotFoundError:
            return ""
        own = (ADMIN, NODE_AGENT)
        users = [line.split(",")[1].strip() if line.count(",") > 1 else "" for line in lines]
        return "".join(
            f"{line}\n" for line, user in zip(lines, users, strict=True) if line and user not in own
        )

    def write_kubeconfig(self, server: str, token: str) -> None:
        """A kubeconfig with everything in it, for whoever administers the cluster."""
        config = kubeconfig.document(server, self.ca.read_bytes(), ADMIN, {"token": token})
        pki.write_private(self.kubeconfig, config)

    def client_kubeconfig(self, user: str, groups: Sequence[str], days: float, clock: Clock) -> bytes:
        """A kubeconfig with a client certificate by which somebody is `user` in `groups` for so many days.

        Raises:
            UserError: there is no cluster here, or its authority is damaged.
        """
        server = kubeconfig.server_of(self.kubeconfig)
        try:
            authority = pki.load_authority(self.ca, self.ca_key)
        except (OSError, ValueError) as exc:
            raise UserError(f"{self.ca} or {self.ca_key} can't be used ({exc})") from exc
        pair = pki.make_client_pair(authority, user, groups, clock.now(), days * pki.DAY)
        return kubeconfig.document(server, self.ca.read_bytes(), user, kubeconfig.certificate(pair))


def own_hosts(listen: str) -> list[str]:
    """The names and addresses under which this machine's API may be reached."""
    name = socket.gethostname().lower()
    hosts = ["localhost", "127.0.0.1", name]
    if listen not in ("127.0.0.1", "localhost", "0.0.0.0"):
        hosts.append(listen)
    if listen == "0.0.0.0":
        try:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None, socket.AF_INET)}
        except OSError:
            found = set()
        hosts += sorted(found - {"127.0.0.1"})
    return hosts


def service_hosts(address: str, domain: str) -> list[str]:
    """The names and the address under which pods reach the API: those of the Service `kubernetes`."""
    return [
        address,
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{domain}",
    ]


def check_port(host: str, port: int) -> None:
    """Raises UserError if the API could not listen there, and why."""
    try:
        address = socket.gethostbyname(host)
    except OSError as exc:
        raise UserError(
            f"{host} is no address of this machine ({exc.strerror}); give one with --listen, 0.0.0.0 for all"
        ) from exc
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as exc:
            what = {
                errno.EADDRINUSE: "something uses it already; stop that, or give another with --port",
                errno.EACCES: "ports below 1024 are for root; give another with --port",
                errno.EADDRNOTAVAIL: "this machine has no such address; give one with --listen, 0.0.0.0 for all",
            }.get(exc.errno or 0, f"{exc.strerror}; give another with --port or --listen")
            raise UserError(f"the API can't listen on {host}:{port}: {what}") from exc
