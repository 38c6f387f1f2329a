"""A user of little power, with a token of the token file and the real kubectl: refused in Kubernetes's words, served
where a role says so, and written down in the audit log."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.cluster import BIN, KUBECTLS, ROOT, Cluster, running
from tests.e2e.waiting import until

pytestmark = [pytest.mark.timeout(240)]
SECRET = "nobody-may-read-this"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running("simulated", BEANPOLE_AUDIT_LEVEL="Request") as made:
        yield made


class People:
    """The administrator, and joe."""

    def __init__(self, cluster: Cluster, kubectl: str) -> None:
        self._cluster, self._kubectl = cluster, kubectl
        admin = cluster.state / "kubeconfig"
        config = yaml.safe_load(admin.read_text())
        config["users"][0]["user"] = {"token": "joes-token"}
        mine = cluster.folder / "joe"
        mine.write_text(yaml.safe_dump(config))
        self._configs = {"admin": admin, "joe": mine}

    def run(self, who: str, *words: str, stdin: str | None = None) -> tuple[int, str]:
        environ = {**os.environ, "KUBECONFIG": str(self._configs[who]), "HOME": str(self._cluster.folder)}
        done = subprocess.run(
            [self._kubectl, *words],
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=ROOT,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def admin(self, *words: str) -> str:
        code, said = self.run("admin", *words)
        assert code == 0, said
        return said

    def joe(self, *words: str) -> str:
        return self.run("joe", *words)[1]


@pytest.fixture(params=KUBECTLS)
def people(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[People]:
    tokens = cluster.state / "tokens.csv"
    if "joes-token" not in tokens.read_text():
        with tokens.open("a") as file:
            file.write('joes-token,joe,7,"devs"\n')
    made = People(cluster, request.param)
    until(
        lambda: "Unauthorized" not in made.joe("get", "pods") and "logged in" not in made.joe("get", "pods"),
        30,
    )
    yield made
    made.run("admin", "delete", "role,rolebinding", "--all", "-n", "default")
    made.run("admin", "delete", "secret", "locked", "-n", "default")


def audit(cluster: Cluster, *options: str) -> list[dict[str, object]]:
    command = [str(BIN / "beanpole"), "audit", "--state", str(cluster.state), "-o", "json", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_user_does_what_a_role_allows_and_is_told_what_is_not(people: People) -> None:
    assert people.joe("get", "pods") == (
        'Error from server (Forbidden): pods is forbidden: User "joe" cannot list resource "pods" in API group "" in '
        'the namespace "default"'
    )
    assert people.joe("auth", "can-i", "list", "pods") == "no"
    people.admin("create", "role", "reader", "--verb=get,list,watch", "--resource=pods,configmaps")
    people.admin("create", "rolebinding", "joe", "--role=reader", "--user=joe")
    assert people.joe("get", "pods") == "No resources found in default namespace."
    assert people.joe("auth", "can-i", "list", "pods") == "yes"
    assert "pods" in people.joe("auth", "can-i", "--list")
    assert people.joe("delete", "configmap", "x") == (
        'Error from server (Forbidden): configmaps "x" is forbidden: User "joe" cannot delete resource "configmaps" in '
        'API group "" in the namespace "default"'
    )
    assert people.joe("get", "nodes") == (
        'Error from server (Forbidden): nodes is forbidden: User "joe" cannot list resource "nodes" in API group "" at '
        "the cluster scope"
    )
    people.admin("delete", "rolebinding", "joe")
    assert "is forbidden" in people.joe("get", "pods")


def test_a_user_hands_out_no_more_than_they_have_and_becomes_nobody_else(people: People) -> None:
    people.admin("create", "role", "roler", "--verb=create", "--resource=roles,rolebindings")
    people.admin("create", "rolebinding", "joe", "--role=roler", "--user=joe")
    assert people.joe("create", "role", "more", "--verb=get", "--resource=secrets") == (
        'Error from server (Forbidden): roles.rbac.authorization.k8s.io "more" is forbidden: user "joe" '
        '(groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )
    assert "not currently held" in people.joe(
        "create", "rolebinding", "all", "--clusterrole=admin", "--user=joe"
    )
    assert 'cannot impersonate resource "users"' in people.joe("get", "pods", "--as=ann")
    assert people.admin("auth", "can-i", "get", "secrets", "--as=ann", "--as-group=system:masters") == "yes"


def test_what_was_done_is_in_the_audit_log_and_the_content_of_secrets_is_not(
    people: People, cluster: Cluster
) -> None:
    people.admin("create", "secret", "generic", "locked", f"--from-literal=a={SECRET}")
    people.joe("get", "secret", "locked")
    until(lambda: bool(audit(cluster, "--user", "joe", "--resource", "secrets", "--refused")), 20)
    (made, *_) = audit(cluster, "--resource", "secrets", "--verb", "create")
    assert made["user"]["username"] == "kubernetes-admin"  # type: ignore[index]
    assert made["requestObject"]["data"] == {"a": "REDACTED"}  # type: ignore[index]
    for file in cluster.state.glob("audit.log*"):
        text = file.read_text()
        assert SECRET not in text
        assert "bm9ib2R5LW1heS1yZWFkLXRoaXM" not in text
