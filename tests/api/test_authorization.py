"""Requests as authorization sees them, in the words in which it refuses, and the reviews that ask it."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.api import authz
from app.api.routing import parse, segments

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ASK = "/apis/authorization.k8s.io/v1"
PODS = "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize(
    ("method", "path", "query", "asked"),
    [
        ("GET", "/api/v1/pods", "", ("list", "", "pods", "", "", "")),
        ("GET", "/api/v1/pods", "watch=1", ("watch", "", "pods", "", "", "")),
        ("GET", f"{PODS}/a", "", ("get", "", "pods", "", "default", "a")),
        ("HEAD", f"{PODS}/a", "", ("get", "", "pods", "", "default", "a")),
        ("GET", f"{PODS}/a/log", "", ("get", "", "pods", "log", "default", "a")),
        ("POST", f"{PODS}/a/eviction", "", ("create", "", "pods", "eviction", "default", "a")),
        ("DELETE", PODS, "", ("deletecollection", "", "pods", "", "default", "")),
        ("DELETE", f"{PODS}/a", "", ("delete", "", "pods", "", "default", "a")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/x/deployments/a/scale",
            "",
            ("patch", "apps", "deployments", "scale", "x", "a"),
        ),
        ("GET", "/api/v1/namespaces", "", ("list", "", "namespaces", "", "", "")),
        ("GET", "/api/v1/namespaces/x", "", ("get", "", "namespaces", "", "x", "x")),
        ("PUT", "/api/v1/namespaces/x/status", "", ("update", "", "namespaces", "status", "x", "x")),
        ("GET", PODS, "fieldSelector=metadata.name%3Da", ("list", "", "pods", "", "default", "a")),
        ("GET", PODS, "fieldSelector=metadata.name!%3Da", ("list", "", "pods", "", "default", "")),
        ("GET", PODS, "fieldSelector=%3D%3D%3D", ("list", "", "pods", "", "default", "")),
    ],
)
def test_a_request_is_about_a_verb_and_a_resource(method, path, query, asked):
    target = parse(segments(path))
    assert target is not None
    found = authz.asked_of(authz.verb(method, target, "watch" in query), target, query)
    assert (found.verb, found.group, found.resource, found.subresource, found.namespace, found.name) == asked


@pytest.mark.parametrize(
    ("method", "path", "message", "details"),
    [
        (
            "GET",
            "/apis/apps/v1/namespaces/default/deployments",
            'deployments.apps is forbidden: User "joe" cannot list resource "deployments" in API group "apps" in the '
            'namespace "default"',
            {"group": "apps", "kind": "deployments"},
        ),
        (
            "GET",
            f"{PODS}/a/log",
            'pods "a" is forbidden: User "joe" cannot get resource "pods/log" in API group "" in the namespace "default"',
            {"name": "a", "kind": "pods"},
        ),
        (
            "GET",
            "/api/v1/namespaces/x",
            'namespaces "x" is forbidden: User "joe" cannot get resource "namespaces" in API group "" in the namespace "x"',
            {"name": "x", "kind": "namespaces"},
        ),
        (
            "DELETE",
            "/api/v1/nodes",
            'nodes is forbidden: User "joe" cannot deletecollection resource "nodes" in API group "" at the cluster scope',
            {"kind": "nodes"},
        ),
        ("GET", "/metrics", 'forbidden: User "joe" cannot get path "/metrics"', None),
        ("POST", "/nowhere", 'forbidden: User "joe" cannot post path "/nowhere"', None),
    ],
)
def test_a_refusal_says_who_can_not_do_what_where(api, method, path, message, details):
    answer = api.ask(method, path, token="joe-token")
    assert (answer.status_code, answer.json["reason"], answer.json["message"]) == (403, "Forbidden", message)
    assert (answer.json.get("details") or None) == details


def grant(api, *rules, user="joe", name="some"):
    api.create(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": list(rules)})
    api.create(
        f"{RBAC}/clusterrolebindings",
        {
            "metadata": {"name": name},
            "roleRef": {"kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "User", "name": user}],
        },
    )


def rule(verbs, resources, groups="", **more):
    return {"verbs": verbs.split(), "apiGroups": [groups], "resources": resources.split(), **more}


def test_a_granted_request_is_served_and_the_next_after_the_grant_is_taken_is_not(api):
    assert api.ask("GET", PODS, token="joe-token").status_code == 403
    grant(api, rule("list", "pods"))
    for _ in range(3):
        assert api.ask("GET", PODS, token="joe-token").status_code == 200
    assert api.ask("DELETE", f"{RBAC}/clusterrolebindings/some").status_code == 200
    assert api.ask("GET", PODS, token="joe-token").status_code == 403


def test_bindings_get_their_defaults_and_keep_their_role(api):
    grant(api, rule("list", "pods"))
    made = api.get(f"{RBAC}/clusterrolebindings/some")
    assert made["subjects"] == [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "joe"}]
    assert made["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io"
    made["roleRef"]["name"] = "cluster-admin"
    answer = api.ask("PUT", f"{RBAC}/clusterrolebindings/some", made)
    assert answer.status_code == 422
    assert answer.json["details"]["causes"][0]["message"].endswith("cannot change roleRef")


def test_names_of_roles_may_have_colons_but_no_slashes(api):
    api.create(f"{RBAC}/clusterroles", {"metadata": {"name": "system:Mine.x"}, "rules": []})
    answer = api.ask("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "a/b"}, "rules": []})
    assert answer.json["details"]["causes"][0]["message"] == "Invalid value: \"a/b\": may not contain '/'"


# -- impersonation -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        (
            {"Impersonate_User": "jim"},
            'users "jim" is forbidden: User "joe" cannot impersonate resource "users" in API',
        ),
        (
            {"Impersonate_User": "system:serviceaccount:x:robot"},
            'serviceaccounts "robot" is forbidden: User "joe" cannot impersonate resource "serviceaccounts" in API group "" '
            'in the namespace "x"',
        ),
        (
            {"Impersonate_User": "ann", "Impersonate_Group": "admins"},
            'groups "admins" is forbidden: User "joe" cannot impersonate resource "groups" in API group "" at the cluster',
        ),
        (
            {"Impersonate_User": "ann", "Impersonate_Uid": "7"},
            'uids.authentication.k8s.io "7" is forbidden: User "joe" cannot impersonate resource "uids" in API group',
        ),
        (
            {"Impersonate_User": "ann", "Impersonate_Extra_Scope": "all"},
            'userextras.authentication.k8s.io "all" is forbidden: User "joe" cannot impersonate resource '
            '"userextras/scope" in API group "authentication.k8s.io" at the cluster scope',
        ),
    ],
)
def test_each_thing_that_one_asks_to_be_must_be_allowed(api, headers, refused):
    grant(api, rule("impersonate", "users", resourceNames=["ann"]))
    grant(api, rule("list", "pods"), user="ann", name="ann")
    assert api.ask("GET", PODS, token="joe-token", Impersonate_User="ann").status_code == 200
    answer = api.ask("GET", PODS, token="joe-token", **headers)
    assert answer.status_code == 403
    assert answer.json["message"].startswith(refused)


# -- reviews -------------------------------------------------------------------------------------------


def ask(api, kind, spec, token="admin-token", path=""):
    answer = api.ask("POST", f"{ASK}/{path}{kind}", {"spec": spec}, token=token)
    assert answer.status_code == 201, answer.text
    return answer.json["status"]


def test_reviews_answer_and_store_nothing(api):
    grant(api, rule("list", "pods"))
    attributes = {"verb": "list", "resource": "pods", "namespace": "x"}
    before = api.store.revision()
    assert ask(api, "selfsubjectaccessreviews", {"resourceAttributes": attributes}, "joe-token") == {
        "allowed": True,
        "reason": 'RBAC: allowed by ClusterRoleBinding "some" of ClusterRole "some" to User "joe"',
    }
    assert ask(api, "subjectaccessreviews", {"resourceAttributes": attributes, "user": "joe"})["allowed"]
    assert not ask(api, "subjectaccessreviews", {"resourceAttributes": attributes, "user": "jim"})["allowed"]
    assert ask(
        api, "subjectaccessreviews", {"resourceAttributes": attributes, "groups": ["system:masters"]}
    ) == {"allowed": True}
    local = {"resourceAttributes": attributes, "user": "joe"}
    assert ask(api, "localsubjectaccessreviews", local, path="namespaces/x/")["allowed"]
    path = {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}
    assert not ask(api, "selfsubjectaccessreviews", path, "joe-token")["allowed"]
    assert api.store.revision() == before


def test_the_rules_of_whoever_asks_are_listed(api):
    grant(api, rule("list", "pods", resourceNames=["a"]))
    status = ask(api, "selfsubjectrulesreviews", {"namespace": "x"}, "joe-token")
    assert {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]} in status[
        "resourceRules"
    ]
    assert any("/apis/*" in each["nonResourceURLs"] for each in status["nonResourceRules"])
    assert status["incomplete"] is False


@pytest.mark.parametrize(
    ("kind", "body", "where"),
    [
        ("subjectaccessreviews", {"spec": {"user": "joe"}}, "spec.resourceAttributes"),
        ("subjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "get"}}}, "spec.user"),
        (
            "selfsubjectaccessreviews",
            {"spec": {"resourceAttributes": {}, "nonResourceAttributes": {}}},
            "spec.nonResourceAttributes",
        ),
        (
            "namespaces/x/localsubjectaccessreviews",
            {"spec": {"user": "joe", "resourceAttributes": {"namespace": "y"}}},
            "spec.resourceAttributes.namespace",
        ),
        (
            "selfsubjectaccessreviews",
            {
                "spec": {
                    "resourceAttributes": {
                        "fieldSelector": {
                            "rawSelector": "a=b",
                            "requirements": [{"key": "a", "operator": "In"}],
                        }
                    }
                }
            },
            "spec.resourceAttributes.fieldSelector.rawSelector",
        ),
    ],
)
def test_what_can_not_be_answered_is_refused(api, kind, body, where):
    answer = api.ask("POST", f"{ASK}/{kind}", body)
    assert (answer.status_code, answer.json["details"]["causes"][0]["field"]) == (422, where)


def test_a_node_is_answered_by_the_selector_it_would_use(api):
    node = {"user": "system:node:n1", "groups": ["system:nodes"]}
    for selector, allowed in (
        ({"rawSelector": "spec.nodeName=n1"}, True),
        ({"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1"]}]}, True),
        ({"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1", "n2"]}]}, False),
        ({"rawSelector": "spec.nodeName=n2"}, False),
    ):
        attributes = {"verb": "list", "resource": "pods", "fieldSelector": selector}
        status = ask(api, "subjectaccessreviews", {"resourceAttributes": attributes, **node})
        assert status["allowed"] is allowed, selector
    broken = {"verb": "list", "resource": "pods", "fieldSelector": {"rawSelector": "==="}}
    assert (
        "parse error"
        in ask(api, "subjectaccessreviews", {"resourceAttributes": broken, **node})["evaluationError"]
    )


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_questions_can_only_be_asked(api, method):
    assert api.ask(method, f"{ASK}/subjectaccessreviews").status_code == 405


def test_decisions_are_counted(api):
    api.ask("GET", PODS, token="joe-token")
    page = api.ask("GET", "/metrics").text
    assert 'apiserver_authorization_decisions_total{decision="denied"} 1.0' in page
    assert 'apiserver_authorization_decisions_total{decision="allowed"}' in page


# -- certificates --------------------------------------------------------------------------------------


def test_who_approves_a_certificate_must_be_allowed_to_for_its_signer(api):
    csrs, signer = "/apis/certificates.k8s.io/v1/certificatesigningrequests", "example.com/mine"
    made = api.create(
        csrs,
        {
            "metadata": {"name": "c"},
            "spec": {"request": request_for("joe"), "signerName": signer, "usages": ["client auth"]},
        },
    )
    grant(api, rule("get update", "certificatesigningrequests/approval", "certificates.k8s.io"))
    approved = {"type": "Approved", "status": "True", "reason": "because", "message": "yes"}
    made["status"] = {"conditions": [approved]}
    refused = api.ask("PUT", f"{csrs}/c/approval", made, token="joe-token")
    assert (refused.status_code, refused.json["message"]) == (
        403,
        'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with '
        'signerName "example.com/mine"',
    )
    signers = rule("approve", "signers", "certificates.k8s.io", resourceNames=["example.com/*"])
    grant(api, signers, name="approver")
    assert api.ask("PUT", f"{csrs}/c/approval", made, token="joe-token").status_code == 200


def request_for(name):
    """A certificate signing request in PEM, in base64."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()
