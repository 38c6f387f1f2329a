"""What controllers do for accounts, certificates and machines that join."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pytest

from app.base.clock import rfc3339
from app.objects.bootstrap_token import GROUP, NODE_GROUP
from app.trust.authority import make_authority
from app.trust.discovery_signature import verify
from app.trust.requests import CLIENT, NODE_CLIENT, NODE_SERVING, make_request, sign
from tests.controllers.worlds import START, World
from workers.controllers import account_tokens, bootstrap_tokens, certificates, root_ca

CSR = certificates.RESOURCE
SECRETS = "secrets"
NODE = "system:node:n1"
AUTHORITY = make_authority("test", START)


def coded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def decoded(secret, name: str) -> str:
    return base64.b64decode(secret["data"][name]).decode()


# -- the authority in every namespace ------------------------------------------------------------------


def test_every_namespace_has_the_authority_and_gets_it_back() -> None:
    world = World([root_ca.role("PEM")])
    for name in ("default", "shop"):
        world.put("namespaces", {"metadata": {"name": name}})
    world.settle()
    assert world.keys("configmaps") == ["default/kube-root-ca.crt", "shop/kube-root-ca.crt"]
    world.remove("configmaps", "shop/kube-root-ca.crt")
    world.edit("configmaps", "default/kube-root-ca.crt", lambda cm: cm.update(data={"ca.crt": "forged"}))
    world.settle()
    assert [cm["data"] for cm in world.list("configmaps")] == [{"ca.crt": "PEM"}] * 2


def test_a_namespace_that_goes_gets_nothing_more() -> None:
    world = World([root_ca.role("PEM")])
    world.put("namespaces", {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}})
    world.edit("namespaces", "shop", lambda ns: ns["metadata"].update(deletionTimestamp=rfc3339(START)))
    world.settle()
    assert world.keys("configmaps") == []


# -- tokens in Secrets ---------------------------------------------------------------------------------


def token_secret(account: str = "robot", **annotations: str):
    notes = {"kubernetes.io/service-account.name": account, **annotations}
    meta = {"name": "t", "namespace": "default", "annotations": notes}
    return {"metadata": meta, "type": account_tokens.TYPE}


@pytest.fixture
def accounts() -> World:
    world = World([account_tokens.role(lambda claims: f"signed for {claims['sub']}", "PEM")])
    world.put("serviceaccounts", {"metadata": {"name": "robot", "namespace": "default"}})
    return world


def test_a_secret_gets_a_token_of_its_account(accounts: World) -> None:
    accounts.put(SECRETS, token_secret())
    accounts.settle()
    made = accounts.get(SECRETS, "default/t")
    account = accounts.get("serviceaccounts", "default/robot")
    assert made is not None
    assert account is not None
    assert decoded(made, "token") == "signed for system:serviceaccount:default:robot"
    assert (decoded(made, "ca.crt"), decoded(made, "namespace")) == ("PEM", "default")
    assert made["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == account["metadata"]["uid"]


def test_the_secret_goes_with_its_account_even_if_another_of_the_name_comes(accounts: World) -> None:
    accounts.put(SECRETS, token_secret())
    accounts.settle()
    accounts.remove("serviceaccounts", "default/robot")
    accounts.put("serviceaccounts", {"metadata": {"name": "robot", "namespace": "default"}})
    accounts.settle()
    assert accounts.keys(SECRETS) == []


def test_a_secret_for_no_account_goes_and_others_are_left_alone(accounts: World) -> None:
    accounts.put(SECRETS, token_secret("nobody"))
    accounts.put(SECRETS, {"metadata": {"name": "mine", "namespace": "default"}, "type": "Opaque"})
    accounts.settle()
    assert accounts.keys(SECRETS) == ["default/mine"]


# -- certificates --------------------------------------------------------------------------------------


def granted(pem: bytes, usages: Iterable[str], now: float, seconds: int | None) -> bytes:
    return sign(AUTHORITY, pem, usages, now, seconds)


@pytest.fixture
def requests() -> World:
    return World(certificates.roles(granted))


def request(
    user: str = NODE, groups=("system:nodes",), signer: str = NODE_CLIENT, by: str = "", asked_by=(), **spec
):
    pem, _ = make_request(user, groups)
    usages = ["digital signature", "server auth" if signer == NODE_SERVING else "client auth"]
    return {
        "metadata": {"name": "r", "creationTimestamp": rfc3339(START)},
        "spec": {
            "request": coded(pem),
            "signerName": signer,
            "usages": usages,
            "username": by,
            "groups": list(asked_by),
            **spec,
        },
    }  # fmt: skip


def conditions(world: World) -> list[str]:
    found = world.get(CSR, "r")
    assert found is not None
    return [condition["type"] for condition in (found.get("status") or {}).get("conditions") or ()]


def issued(world: World) -> bool:
    found = world.get(CSR, "r")
    return found is not None and bool((found.get("status") or {}).get("certificate"))


def approve(world: World, kind: str = "Approved") -> None:
    said = {"type": kind, "status": "True", "lastUpdateTime": rfc3339(world.now)}
    world.edit(CSR, "r", lambda csr: csr.update(status={"conditions": [said]}))


def test_a_machine_with_a_bootstrap_token_gets_its_certificate(requests: World) -> None:
    requests.put(CSR, request(by="system:bootstrap:abcdef", asked_by=[GROUP, NODE_GROUP]))
    requests.settle()
    assert conditions(requests) == ["Approved"]
    assert issued(requests)


def test_a_node_renews_its_own_certificate_and_no_others(requests: World) -> None:
    requests.put(CSR, request(by=NODE, asked_by=["system:nodes"]))
    requests.settle()
    assert issued(requests)
    requests.remove(CSR, "r")
    requests.put(CSR, request(by="system:node:n2", asked_by=["system:nodes"]))
    requests.settle()
    assert conditions(requests) == []


@pytest.mark.parametrize(
    "asked",
    [
        request(by="joe", asked_by=["devs"]),
        request(by="system:bootstrap:abcdef", asked_by=[GROUP]),
        request("joe", ["devs"], by="system:bootstrap:abcdef", asked_by=[NODE_GROUP]),
        request(signer=CLIENT, by="system:bootstrap:abcdef", asked_by=[NODE_GROUP]),
        request(signer=NODE_SERVING, by=NODE, asked_by=["system:nodes"]),
    ],
)
def test_everybody_else_waits_for_somebody_to_approve(requests: World, asked) -> None:
    requests.put(CSR, asked)
    requests.settle()
    assert conditions(requests) == []
    assert not issued(requests)


def test_an_approved_request_is_granted(requests: World) -> None:
    requests.put(CSR, request("joe", ["devs"], CLIENT, by="joe"))
    approve(requests)
    requests.settle()
    assert issued(requests)


def test_a_denied_request_is_not(requests: World) -> None:
    requests.put(CSR, request("joe", ["devs"], CLIENT, by="joe"))
    approve(requests, "Denied")
    requests.settle()
    assert not issued(requests)


def test_what_a_signer_may_not_grant_fails_and_says_why(requests: World) -> None:
    requests.put(CSR, request("joe", ["devs"], NODE_CLIENT, by="joe"))
    approve(requests)
    requests.settle()
    found = requests.get(CSR, "r")
    assert found is not None
    failed = found["status"]["conditions"][-1]
    assert (failed["type"], failed["reason"]) == ("Failed", "SignerValidationFailure")
    assert "system:nodes" in failed["message"]
    assert not issued(requests)


def test_requests_of_other_signers_are_left_to_them(requests: World) -> None:
    requests.put(CSR, request("joe", ["devs"], "example.com/signer", by="joe"))
    approve(requests)
    requests.settle()
    assert conditions(requests) == ["Approved"]
    assert not issued(requests)


@pytest.mark.parametrize(("decision", "hours"), [("Approved", 1), ("Denied", 1), ("", 24)])
def test_old_requests_go(requests: World, decision: str, hours: int) -> None:
    requests.put(CSR, request("joe", ["devs"], CLIENT, by="joe"))
    if decision:
        approve(requests, decision)
    requests.settle()
    requests.advance(hours * 3600 - 60)
    assert requests.keys(CSR) == ["r"]
    requests.advance(120)
    assert requests.keys(CSR) == []


# -- bootstrap tokens ----------------------------------------------------------------------------------


def token(name: str = "abcdef", expires: float | None = None, signs: bool = True):
    data = {
        "token-id": name,
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true" if signs else "false",
    }
    if expires is not None:
        data["expiration"] = rfc3339(expires)
    return {
        "metadata": {"name": f"bootstrap-token-{name}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: coded(value) for key, value in data.items()},
    }


@pytest.fixture
def joining() -> World:
    world = World(bootstrap_tokens.ROLES)
    info = {"metadata": {"name": "cluster-info", "namespace": "kube-public"}, "data": {"kubeconfig": "{}"}}
    world.put("configmaps", info)
    return world


def signatures(world: World) -> dict[str, str]:
    info = world.get("configmaps", "kube-public/cluster-info")
    assert info is not None
    return {k.removeprefix("jws-kubeconfig-"): v for k, v in info["data"].items() if k != "kubeconfig"}


def test_the_cluster_signs_what_it_says_of_itself_with_each_token(joining: World) -> None:
    joining.put(SECRETS, token())
    joining.put(SECRETS, token("fedcba", signs=False))
    joining.settle()
    found = signatures(joining)
    assert list(found) == ["abcdef"]
    assert verify("{}", found["abcdef"], "abcdef", "0123456789abcdef")


def test_it_signs_anew_what_changed_and_no_longer_with_tokens_that_are_gone(joining: World) -> None:
    joining.put(SECRETS, token())
    joining.settle()
    joining.edit("configmaps", "kube-public/cluster-info", lambda cm: cm["data"].update(kubeconfig="{1}"))
    joining.settle()
    assert verify("{1}", signatures(joining)["abcdef"], "abcdef", "0123456789abcdef")
    joining.remove(SECRETS, "kube-system/bootstrap-token-abcdef")
    joining.settle()
    assert signatures(joining) == {}


def test_a_token_goes_when_its_time_is_over_and_signs_nothing_more(joining: World) -> None:
    joining.put(SECRETS, token(expires=START + 600))
    joining.put(SECRETS, token("fedcba"))
    joining.settle()
    assert sorted(signatures(joining)) == ["abcdef", "fedcba"]
    joining.advance(700)
    assert joining.keys(SECRETS) == ["kube-system/bootstrap-token-fedcba"]
    assert sorted(signatures(joining)) == ["fedcba"]
