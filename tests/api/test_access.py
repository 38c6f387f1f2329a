"""Who may ask for what."""

from __future__ import annotations

import os

import pytest

from app.api import health
from app.base.ids import RandomIds
from app.bus.work import Finished, Outcome, Work
from app.store.store import Store
from app.store.work import WorkLedger

CONFIGS = "/api/v1/namespaces/default/configmaps"
EXCHANGE = "/apis/agent.beanpole.dev/v1/exchange"


@pytest.mark.parametrize("path", [CONFIGS, "/api", "/apis", "/metrics", "/openapi/v3", "/nowhere", EXCHANGE])
def test_nothing_but_health_and_version_is_anonymous(api, path):
    for token in ("", "wrong"):
        answer = api.ask("GET", path, token=token)
        assert (answer.status_code, answer.json["reason"], answer.json["kind"]) == (
            401,
            "Unauthorized",
            "Status",
        )


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz?verbose", "/version"])
def test_health_and_version_need_no_token(api, path):
    assert api.ask("GET", path, token="").status_code == 200


def test_readiness_says_what_is_not_ready(own_valkey):
    gone = Store.connect(own_valkey.url)
    own_valkey.kill()
    answer = health.ready(gone, health.Asked())
    assert answer.code == 500
    assert b"[-]store failed" in answer.body
    assert health.ready(gone, health.Asked(), "store").code == 500
    assert health.ready(gone, health.Asked(), "ping").code == 200
    assert health.ready(gone, health.Asked(exclude=("store",))).code == 200


def test_a_single_check_may_be_asked_for_or_left_out(api):
    assert api.ask("GET", "/livez/ping", token="").data == b"ok"
    assert api.ask("GET", "/readyz/store", token="").data == b"ok"
    assert api.ask("GET", "/readyz/nope", token="").status_code == 404
    said = api.ask("GET", "/readyz?verbose&exclude=store&exclude=nope", token="").text
    assert said.splitlines() == [
        "[+]ping ok",
        "[+]store excluded: ok",
        'warn: some health checks cannot be excluded: no matches for "nope"',
        "readyz check passed",
    ]


def test_an_ordinary_user_is_told_what_is_forbidden(api):
    answer = api.ask("GET", "/apis/apps/v1/namespaces/default/deployments", token="joe-token")
    assert (answer.status_code, answer.json["reason"]) == (403, "Forbidden")
    assert answer.json["message"] == (
        'deployments.apps is forbidden: User "joe" cannot list resource "deployments" in API group "apps" '
        'in the namespace "default"'
    )
    one = api.ask("PUT", "/api/v1/nodes/n1/status", {}, token="joe-token")
    assert one.json["message"] == (
        'nodes "n1" is forbidden: User "joe" cannot update resource "nodes/status" in API group "" at the cluster scope'
    )
    watched = api.ask("GET", "/api/v1/pods?watch=1", token="joe-token")
    assert "cannot watch resource" in watched.json["message"]
    assert api.ask("GET", "/apis", token="joe-token").status_code == 200


def test_a_refused_write_changes_nothing(api):
    before = api.store.revision()
    for token in ("joe-token", "n1-token", ""):
        assert api.ask("POST", CONFIGS, {"metadata": {"name": "a"}}, token=token).status_code in (401, 403)
    assert api.store.revision() == before


def test_an_agent_reads_what_pods_need_and_speaks_for_its_own_node_only(api):
    assert api.ask("GET", "/api/v1/services", token="n1-token").status_code == 200
    assert api.ask("GET", "/api/v1/secrets", token="n1-token").status_code == 403
    assert api.ask("GET", "/apis/apps/v1/deployments", token="n1-token").status_code == 403
    other = api.ask("POST", EXCHANGE, {"nodes": {"n1": {}, "n2": {}}}, token="n1-token")
    assert other.status_code == 403
    assert api.ask("POST", EXCHANGE, {"nodes": {"n1": {}}}, token="joe-token").status_code == 403
    for token in ("n1-token", "agent-token"):
        answer = api.ask("POST", EXCHANGE, {"nodes": {"n1": {"since": 0}}}, token=token)
        assert (answer.status_code, answer.json["nodes"]["n1"]["full"]) == (200, True), answer.text


def test_a_malformed_exchange_is_refused(api):
    for body in (b"[]", b"{", b'{"statuses": 3}'):
        answer = api.ask("POST", EXCHANGE, body, token="n1-token")
        assert answer.status_code in (400, 422), answer.text


def test_tokens_are_read_again_when_their_file_changes(api, tokens, monkeypatch):
    monkeypatch.setattr("app.api.authn_static.LOOK", 0.0)
    tokens.write_text('new-token,eve,9,"system:masters"\n')
    os.utime(tokens, ns=(1, 1))
    assert api.ask("GET", CONFIGS).status_code == 401
    assert api.ask("GET", CONFIGS, token="new-token").status_code == 200
    tokens.write_text("broken line\n")
    assert api.ask("GET", CONFIGS, token="new-token").status_code == 200


def test_only_administrators_may_be_somebody_else(api):
    answer = api.ask("GET", CONFIGS, Impersonate_User="joe")
    assert 'User "joe" cannot list' in answer.json["message"]
    asked = api.ask("GET", CONFIGS, token="joe-token", Impersonate_User="admin")
    assert 'User "joe" cannot impersonate resource "users"' in asked.json["message"]


def test_metrics_count_requests(api):
    api.get(CONFIGS)
    page = api.ask("GET", "/metrics").text
    assert 'apiserver_request_total{code="200",resource="configmaps",verb="list"} 1.0' in page


def test_metrics_tell_of_work_that_waits_and_of_work_that_fails(api):
    ledger = WorkLedger(api.store, RandomIds(1))
    ledger.enqueue([Work("echo", "default/a"), Work("echo", "default/b")], 1000.0)
    (held,) = ledger.take("echo", ["default/a"], "w", 1000.0)
    ledger.done([Finished(held, Outcome.FAILED)], 1000.0)
    page = api.ask("GET", "/metrics").text
    assert 'beanpole_work_queue_depth{role="echo"} 1.0' in page
    assert 'beanpole_work_runs_total{outcome="failed",role="echo"} 1.0' in page
    assert 'beanpole_work_failing_keys{role="echo"} 1.0' in page
