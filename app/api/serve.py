"""Serve the API: gunicorn with one gevent worker, over TLS. `python -m app.api.serve`.

gevent replaces the blocking parts of the standard library before anything else is imported: thousands of
watches are then threads that cost a few kilobytes each.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import socket  # noqa: E402
import ssl  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

from gunicorn.app.base import BaseApplication  # noqa: E402
from gunicorn.arbiter import Arbiter  # noqa: E402

from app.api.handshake import ask_for_certificates  # noqa: E402
from app.base import logs, memory  # noqa: E402
from app.base.errors import BeanpoleError, UserError  # noqa: E402
from app.base.settings import Settings, load  # noqa: E402

# How long an idle connection is kept: longer than clients keep theirs. Seconds.
KEEP_ALIVE = 120
# How long requests in progress may take to end on SIGTERM, and how long the worker may be silent. Seconds.
GRACE = 10
SILENCE = 60
# Open connections, most of them idle or watching.
CONNECTIONS = 10_000


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, set up from Beanpole's settings. The worker builds the application after it was forked."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        for name, value in {
            "bind": [address(settings)],
            "workers": 1,
            "worker_class": "app.api.worker.Worker",
            "worker_connections": CONNECTIONS,
            "backlog": 2048,
            "keepalive": KEEP_ALIVE,
            "timeout": SILENCE,
            "graceful_timeout": GRACE,
            "proc_name": "beanpole-api",
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "limit_request_line": 8190,
            # Forwarding headers change nothing here, and none are believed.
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
        if settings.cert_file:
            self.cfg.set("certfile", settings.cert_file)
            self.cfg.set("keyfile", settings.key_file)
            client_ca = settings.client_ca_file or settings.ca_file
            self.cfg.set(
                "ssl_context", lambda config, _default: tls(config.certfile, config.keyfile, client_ca)
            )

    def load(self) -> Any:
        from app.api.wsgi import build

        try:
            return build(self.settings)
        except BeanpoleError as exc:
            print(f"beanpole api: {exc}", file=sys.stderr)
            sys.exit(Arbiter.APP_LOAD_ERROR)


def tls(certificate: str, key: str, client_ca: str = "") -> ssl.SSLContext:
    """The TLS side: 1.2 or newer, and tickets so that a client that comes back needs no full handshake.

    With a `client_ca`, clients are asked for a certificate, and may do without; a bad one is for the API to answer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 1
    if client_ca:
        ask_for_certificates(context, client_ca)
    return context


def address(settings: Settings) -> str:
    """Where to listen, as `host:port`: `settings.listen`, or else what `settings.server` names."""
    if settings.listen:
        return settings.listen
    parts = urlsplit(settings.server)
    host = parts.hostname or "127.0.0.1"
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check(settings: Settings) -> None:
    """Find out beforehand what gunicorn would only tell in a stack trace.

    Raises:
        UserError: the certificate can't be used, or the address not be listened on.
    """
    if settings.cert_file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.cert_file, settings.key_file)
        except OSError as exc:
            raise UserError(
                f"the certificate {settings.cert_file} with key {settings.key_file} can't be used: {exc}; "
                "correct BEANPOLE_CERT_FILE and BEANPOLE_KEY_FILE"
            ) from exc
    where = address(settings)
    host, _, port = where.rpartition(":")
    try:
        family, kind, _, _, at = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(at)
    except (OSError, ValueError) as exc:
        raise UserError(
            f"can't listen on {where}: {exc}; stop what uses it, or set BEANPOLE_SERVER to another port"
        ) from exc


def main() -> int:
    """Serve until SIGTERM. Returns the exit code."""
    try:
        settings = load()
        memory.expect_many_objects()
        logs.configure(settings.log_level)
        check(settings)
    except UserError as exc:
        print(f"beanpole api: {exc}", file=sys.stderr)
        return 2
    Server(settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
