"""The authority and the certificates it signs, as a TLS client sees them."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from app.trust import authority as pki


def pair(folder: Path, hosts: list[str], now: float | None = None) -> Path:
    """An authority and a server's certificate in `folder`."""
    now = time.time() if now is None else now
    authority = pki.make_authority("test", now)
    pki.save_authority(authority, folder / "ca.crt", folder / "ca.key")
    certificate, key = pki.make_server_pair(authority, hosts, now)
    (folder / "server.crt").write_bytes(certificate)
    pki.write_private(folder / "server.key", key)
    return folder


def handshake(folder: Path, host: str, ca: Path | None = None) -> str:
    """The TLS version agreed on by a client that checks everything."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.crt", folder / "server.key")
    client = ssl.create_default_context(cafile=str(ca or folder / "ca.crt"))
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(there, server_side=True).close()
        except (ssl.SSLError, OSError):
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=host) as wrapped:
            return str(wrapped.version())
    finally:
        here.close()
        thread.join(10)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "api.example"])
def test_a_client_that_knows_the_authority_trusts_the_server_under_every_name(
    tmp_path: Path, host: str
) -> None:
    pair(tmp_path, ["localhost", "127.0.0.1", "api.example"])
    assert handshake(tmp_path, host) == "TLSv1.3"


def test_a_name_that_was_not_certified_is_not_trusted(tmp_path: Path) -> None:
    pair(tmp_path, ["localhost"])
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(tmp_path, "other.example")


def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    pair(tmp_path / "a", ["localhost"])
    pair(tmp_path / "b", ["localhost"])
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tmp_path / "a", "localhost", ca=tmp_path / "b" / "ca.crt")


def test_an_expired_certificate_is_not_trusted(tmp_path: Path) -> None:
    pair(tmp_path, ["localhost"], now=time.time() - (365 * pki.SERVER_YEARS + 1) * 86400)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(tmp_path, "localhost")


def test_an_authority_that_was_saved_signs_again(tmp_path: Path) -> None:
    pair(tmp_path, ["old.example"])
    authority = pki.load_authority(tmp_path / "ca.crt", tmp_path / "ca.key")
    certificate, key = pki.make_server_pair(authority, ["new.example"], time.time())
    (tmp_path / "server.crt").write_bytes(certificate)
    pki.write_private(tmp_path / "server.key", key)
    assert handshake(tmp_path, "new.example") == "TLSv1.3"


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    pair(tmp_path, ["localhost"])
    for name in ("ca.key", "server.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
