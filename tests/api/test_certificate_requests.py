"""Certificate signing requests over the API: who asked stands in them, and each part changes on its own path."""

from __future__ import annotations

import base64

import pytest

from app.trust.authority import make_authority, make_client_pair
from app.trust.requests import CLIENT, make_request
from tests.api.conftest import Api

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
APPROVED = {"type": "Approved", "status": "True", "reason": "KubectlApprove"}


def body(user: str = "joe", organizations=("devs",), **spec):
    pem, _ = make_request(user, organizations)
    wanted = {"request": base64.b64encode(pem).decode(), "signerName": CLIENT, "usages": ["client auth"]}
    return {"metadata": {"name": "r"}, "spec": {**wanted, **spec}}


def put(api: Api, part: str, obj, **status):
    path = f"{PATH}/r/{part}" if part else f"{PATH}/r"
    return api.ask("PUT", path, {**obj, "status": {**(obj.get("status") or {}), **status}})


def test_who_asked_stands_in_the_request_whatever_it_says(api: Api) -> None:
    made = api.create(PATH, body(username="somebody", groups=["system:masters"], uid="u", extra={"a": ["b"]}))
    spec = made["spec"]
    assert (spec["username"], spec["uid"]) == ("admin", "1")
    assert spec["groups"] == ["system:masters", "system:authenticated"]
    assert "extra" not in spec
    assert "status" not in made or made["status"] == {}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"request": "bm9uc2Vuc2U="}, "spec.request: Invalid value"),
        ({"request": ""}, "spec.request: Required value"),
        ({"usages": []}, "spec.usages: Required value"),
        ({"usages": ["client auth", "client auth"]}, "spec.usages[1]: Duplicate value"),
        ({"usages": ["wishing"]}, "spec.usages[0]: Unsupported value"),
        ({"signerName": ""}, "spec.signerName: Required value"),
        ({"signerName": "plain"}, "must be a fully qualified domain and path"),
        ({"signerName": "kubernetes.io/legacy-unknown"}, "not allowed via this API version"),
        ({"expirationSeconds": 599}, "may not specify a duration less than 600 seconds"),
    ],
)
def test_what_makes_no_sense_is_refused(api: Api, spec, words: str) -> None:
    answer = api.ask("POST", PATH, body(**spec))
    assert answer.status_code == 422, answer.text
    assert words in answer.json["message"]


def test_nobody_becomes_an_administrator_by_a_request(api: Api) -> None:
    answer = api.ask("POST", PATH, body(organizations=("system:masters",)))
    assert answer.status_code == 403
    assert "system:masters group is not allowed" in answer.json["message"]


def test_conditions_come_by_approval_and_the_certificate_by_status(api: Api) -> None:
    made = api.create(PATH, body())
    pair = make_client_pair(make_authority("x", 1.8e9), "joe", [], 1.8e9, 600.0)
    certificate = base64.b64encode(pair[0]).decode()
    put(api, "", made, conditions=[APPROVED], certificate=certificate)
    put(api, "status", api.get(f"{PATH}/r"), conditions=[APPROVED])
    assert not (api.get(f"{PATH}/r").get("status") or {}).get("conditions")
    approved = put(api, "approval", api.get(f"{PATH}/r"), conditions=[APPROVED], certificate=certificate).json
    assert "certificate" not in approved["status"]
    condition = approved["status"]["conditions"][0]
    assert condition["type"] == "Approved"
    assert condition["lastUpdateTime"]
    assert condition["lastTransitionTime"]
    issued = put(api, "status", approved, conditions=[], certificate=certificate).json
    assert issued["status"]["certificate"] == certificate
    assert [c["type"] for c in issued["status"]["conditions"]] == ["Approved"]
    other = put(api, "status", issued, certificate=base64.b64encode(b"other").decode())
    assert other.status_code == 422


def test_a_decision_is_for_good(api: Api) -> None:
    approved = put(api, "approval", api.create(PATH, body()), conditions=[APPROVED]).json
    denied = {"type": "Denied", "status": "True"}
    both = put(api, "approval", approved, conditions=[APPROVED, denied])
    assert both.status_code == 422
    assert "mutually exclusive" in both.json["message"]
    taken_back = put(api, "approval", approved, conditions=[])
    assert taken_back.status_code == 422
    assert "may not remove a condition of type" in taken_back.json["message"]
    doubted = put(api, "approval", approved, conditions=[{**APPROVED, "status": "False"}])
    assert doubted.status_code == 422


def test_what_was_asked_for_stays(api: Api) -> None:
    made = api.create(PATH, body())
    changed = {**made, "spec": {**made["spec"], "usages": ["server auth"], "username": "joe"}}
    assert api.ask("PUT", f"{PATH}/r", changed).json["spec"] == made["spec"]


def test_requests_are_found_by_their_signer(api: Api) -> None:
    api.create(PATH, body())
    for signer, count in ((CLIENT, 1), ("example.com/other", 0)):
        assert len(api.get(f"{PATH}?fieldSelector=spec.signerName%3D{signer}")["items"]) == count


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({}, "Pending"),
        ({"conditions": [APPROVED]}, "Approved"),
        ({"conditions": [{"type": "Denied", "status": "True"}]}, "Denied"),
    ],
)
def test_the_table_says_what_became_of_it(api: Api, status, words: str) -> None:
    put(api, "approval", api.create(PATH, body(expirationSeconds=3600)), **status)
    table = api.get(PATH, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    names = [column["name"] for column in table["columnDefinitions"]]
    assert names == ["Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition"]
    cells = table["rows"][0]["cells"]
    assert cells[2:] == [CLIENT, "admin", "60m", words]
