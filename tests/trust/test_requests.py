"""Certificate signing requests: what they ask for, what signers grant, and what the certificates are good for."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.trust import clients, requests
from app.trust.authority import make_authority, make_client_pair, make_server_pair
from app.trust.clients import BadCertificate, bearer_of
from app.trust.requests import CLIENT, NODE_CLIENT, NODE_SERVING, Asked, asked, make_request, refusal, sign

NOW = 1_800_000_000.0
NODE = Asked("system:node:n1", ("system:nodes",))
CLIENT_USE = ("digital signature", "client auth")
SERVER_USE = ("digital signature", "key encipherment", "server auth")


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


def test_a_request_says_who_it_is_for() -> None:
    request, _ = make_request("system:node:n1", ["system:nodes"])
    assert asked(request) == NODE


def test_names_and_addresses_are_read_too() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName(
        [x509.DNSName("n1"), x509.IPAddress(ipaddress.ip_address("10.0.0.1")), x509.RFC822Name("a@b")]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, False)
    found = asked(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    assert (found.dns, found.addresses, found.emails, found.common_name) == (
        ("n1",),
        ("10.0.0.1",),
        ("a@b",),
        "",
    )


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                                  b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"])  # fmt: skip
def test_what_is_no_request_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        asked(text)


@pytest.mark.parametrize(
    ("signer", "wanted", "usages", "why"),
    [
        (CLIENT, Asked("joe", ("devs",)), CLIENT_USE, ""),
        (CLIENT, Asked("joe", ()), ("digital signature",), "invalid usages"),
        (CLIENT, Asked("joe", ()), (*CLIENT_USE, "server auth"), "invalid usages"),
        (NODE_CLIENT, NODE, CLIENT_USE, ""),
        (NODE_CLIENT, NODE, (*CLIENT_USE, "key encipherment"), ""),
        (NODE_CLIENT, NODE, SERVER_USE, "usages did not match"),
        (NODE_CLIENT, Asked("joe", ("system:nodes",)), CLIENT_USE, "common name"),
        (
            NODE_CLIENT,
            Asked("system:node:n1", ("system:nodes", "system:masters")),
            CLIENT_USE,
            "organization",
        ),
        (NODE_CLIENT, Asked("system:node:n1", ("system:nodes",), dns=("n1",)), CLIENT_USE, "not allowed"),
        (NODE_SERVING, Asked("system:node:n1", ("system:nodes",), dns=("n1",)), SERVER_USE, ""),
        (NODE_SERVING, NODE, SERVER_USE, "required"),
        (
            NODE_SERVING,
            Asked("system:node:n1", ("system:nodes",), ("n1",), (), ("a@b",)),
            SERVER_USE,
            "email",
        ),
    ],
)
def test_signers_grant_what_kubernetes_says(
    signer: str, wanted: Asked, usages: tuple[str, ...], why: str
) -> None:
    found = refusal(signer, wanted, usages)
    assert why in found
    assert bool(why) == bool(found)


def test_a_granted_request_makes_its_bearer_who_it_names() -> None:
    authority = make_authority("test", NOW)
    request, _ = make_request("joe", ["devs", "ops"])
    made = sign(authority, request, CLIENT_USE, NOW, 3600)
    bearer = bearer_of(der(made), [authority.certificate])
    assert (bearer.user, bearer.groups, bearer.ends) == ("joe", ("devs", "ops"), NOW + 3600)


def test_no_certificate_lasts_longer_than_its_authority_or_a_year() -> None:
    authority = make_authority("test", NOW)
    request, _ = make_request("joe", [])
    for seconds in (None, 100 * 365 * 86400):
        assert (
            clients.lifetime_of(sign(authority, request, CLIENT_USE, NOW, seconds))[1]
            == NOW + requests.LONGEST
        )
    late = NOW + 10 * 365 * 86400 - 7200
    ends = clients.lifetime_of(sign(authority, request, CLIENT_USE, late, None))[1]
    assert ends == authority.certificate.not_valid_after_utc.timestamp()


def test_a_certificate_of_another_authority_or_for_servers_stands_for_nobody() -> None:
    ours, theirs = make_authority("test", NOW), make_authority("test", NOW)
    client, _ = make_client_pair(theirs, "joe", [], NOW, 3600)
    server, _ = make_server_pair(ours, ["localhost"], NOW)
    with pytest.raises(BadCertificate, match="unknown authority"):
        bearer_of(der(client), [ours.certificate])
    with pytest.raises(BadCertificate, match="incompatible key usage"):
        bearer_of(der(server), [ours.certificate])
    with pytest.raises(BadCertificate):
        bearer_of(b"nonsense", [ours.certificate])
