"""Bodies in protobuf: what kubectl sends is stored, what is broken is refused, and the answers are JSON."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPT = f"{PROTOBUF},application/json"
# As kubectl 1.37 sends them: `create namespace shop`, and in it `create secret`, `create deployment`.
NAMESPACE = base64.b64decode("azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEc2hvcBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==")
SECRET = base64.b64decode(
    "azhzAAoMCgJ2MRIGU2VjcmV0EjEKGQoFbG9naW4SABoEc2hvcCIAKgAyADgAQgASEgoIcGFzc3dvcmQSBnMzY3JldBoAGgAiAA=="
)
DEPLOYMENT = base64.b64decode(
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErwBCiMKA3dlYhIAGgRzaG9wIgAqADIAOABCAFoKCgNhcHASA3dlYhKGAQgCEgwKCgoDYXBw"
    "EgN3ZWIabAocCgASABoAIgAqADIAOABCAFoKCgNhcHASA3dlYhJMEi4KBW5naW54EgVuZ2lueCoAMgoKABAAGFAiACoAQgBqAHIAgAEAiAEA"
    "kAEAogEAGgAyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBACICCgAoADgAGgwIABAAGAAgACgAOAAaACIA"
)
SECRETS = "/api/v1/namespaces/shop/secrets"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
CONFIGS = "/api/v1/namespaces/default/configmaps"


def send(api, method, path, body):
    return api.ask(method, path, body, Content_Type=PROTOBUF, Accept=ACCEPT)


@pytest.fixture
def shop(api):
    answer = send(api, "POST", "/api/v1/namespaces", NAMESPACE)
    assert (answer.status_code, answer.content_type) == (201, "application/json"), answer.text
    return api


def delete_options(version, raw):
    """DeleteOptions in their envelope. Each part is shorter than 128 bytes, so one byte tells its length."""

    def part(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    return b"k8s\x00" + part(1, part(1, version) + part(2, b"DeleteOptions")) + part(2, raw)


def test_what_kubectl_sends_is_stored_and_answered_in_json(shop):
    secret = send(shop, "POST", SECRETS, SECRET)
    assert (secret.status_code, secret.content_type) == (201, "application/json"), secret.text
    assert (secret.json["data"], secret.json["type"]) == ({"password": "czNjcmV0"}, "Opaque")

    assert send(shop, "POST", DEPLOYMENTS, DEPLOYMENT).status_code == 201
    spec = shop.get(f"{DEPLOYMENTS}/web")["spec"]
    assert (spec["replicas"], spec["progressDeadlineSeconds"]) == (2, 600)
    assert spec["template"]["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_another_kind_than_the_paths_is_refused(shop):
    answer = send(shop, "POST", f"{SECRETS}?dryRun=All", NAMESPACE)
    assert (answer.status_code, answer.json["reason"]) == (400, "BadRequest")
    assert answer.json["message"] == 'Namespace in version "v1" cannot be handled as a Secret'


def test_options_of_a_delete_are_heeded(shop):
    send(shop, "POST", SECRETS, SECRET)
    uid_of_another = b"\x12\x07\x0a\x05other"
    answer = send(shop, "DELETE", f"{SECRETS}/login", delete_options(b"v1", uid_of_another))
    assert (answer.status_code, answer.json["reason"]) == (409, "Conflict")
    dry = send(shop, "DELETE", f"{SECRETS}/login", delete_options(b"meta.k8s.io/v1", b"\x2a\x03All"))
    assert dry.status_code == 200
    assert shop.get(f"{SECRETS}/login")["data"]
    assert send(shop, "DELETE", f"{SECRETS}/login", delete_options(b"v1", b"\x08\x00")).status_code == 200
    assert shop.ask("GET", f"{SECRETS}/login").status_code == 404


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.tuples(st.integers(4, len(DEPLOYMENT) - 1), st.integers(0, 255)), max_size=4),
    st.integers(0, 40),
)
def test_a_damaged_body_never_breaks_the_server(api, damage, cut):
    body = bytearray(DEPLOYMENT)
    for place, value in damage:
        body[place] = value
    before = api.store.revision()
    answer = send(
        api, "POST", "/apis/apps/v1/namespaces/default/deployments?dryRun=All", bytes(body[: len(body) - cut])
    )
    assert answer.status_code < 500, answer.text
    assert answer.content_type == "application/json"
    assert api.store.revision() == before


def test_too_large_a_body_is_refused(api):
    answer = send(api, "POST", CONFIGS, b"k8s\x00" + bytes(100_001))
    assert (answer.status_code, answer.json["reason"]) == (413, "RequestEntityTooLarge")


def test_the_library_is_loaded_with_the_first_such_body_only():
    code = (
        "import sys, app.api.factory, app.api.body as body\n"
        "loaded = lambda: any(name.startswith('google.protobuf') for name in sys.modules)\n"
        "assert not loaded()\n"
        f"body.parse({NAMESPACE!r}, body.PROTOBUF, 'Namespace')\n"
        "assert loaded()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
