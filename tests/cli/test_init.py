from __future__ import annotations

import csv
import json
import os
import ssl
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from cryptography import x509

from app.api.authn_static import parse
from app.base.settings import load
from app.cli.main import main


def init(folder: Path, *arguments: str):
    return CliRunner().invoke(main, ["init", "--state", str(folder), *arguments])


@pytest.fixture
def made(tmp_path):
    result = init(tmp_path, "--host", "pole.example.com", "--host", "192.0.2.7", "--port", "7443")
    assert result.exit_code == 0, result.output
    return tmp_path, result.stdout


def names_in(certificate: Path) -> set[str]:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return addresses | set(names.get_values_for_type(x509.DNSName))


def test_the_certificate_is_for_every_host_given_and_for_this_machine(made):
    folder, _ = made

    assert {"pole.example.com", "192.0.2.7", "localhost", "127.0.0.1"} <= names_in(folder / "server.crt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")


def test_the_kubeconfig_names_the_first_host_and_holds_the_administrators_token(made):
    folder, _ = made
    config = yaml.safe_load((folder / "kubeconfig").read_text())

    assert config["clusters"][0]["cluster"]["server"] == "https://pole.example.com:7443"
    token = config["users"][0]["user"]["token"]
    tokens = {row[0]: row[3] for row in csv.reader((folder / "tokens.csv").read_text().splitlines())}
    assert tokens[token] == "system:masters"


def test_what_it_prints_is_an_environment_that_the_programs_understand(made):
    folder, printed = made
    environ = dict(line.split("=", 1) for line in printed.splitlines())

    assert load(environ).server == "https://pole.example.com:7443"
    assert environ["BEANPOLE_PASSWORD"] == json.loads((folder / "secrets.json").read_text())["valkey"]
    groups = {user.groups[0] for user in parse((folder / "tokens.csv").read_text()).values()}
    assert groups == {"system:masters", "system:nodes"}
    rows = csv.reader((folder / "tokens.csv").read_text().splitlines())
    assert {row[3] for row in rows if row[0] == load(environ).token} == {"system:nodes"}


def test_doing_it_again_with_another_host_keeps_the_secrets_and_the_authority(made):
    folder, printed = made
    authority = (folder / "ca.crt").read_bytes()

    again = init(folder, "--host", "pole.example.com", "--host", "other.example.com", "--port", "7443")

    assert again.stdout == printed
    assert (folder / "ca.crt").read_bytes() == authority
    assert "other.example.com" in names_in(folder / "server.crt")


def test_nobody_else_may_read_the_secrets(made):
    folder, _ = made
    modes = {name: os.stat(folder / name).st_mode & 0o777 for name in ("ca.key", "server.key", "tokens.csv")}

    assert set(modes.values()) == {0o600}


def test_a_host_is_required(tmp_path):
    assert "--host" in init(tmp_path).output
    assert not (tmp_path / "ca.key").exists()
