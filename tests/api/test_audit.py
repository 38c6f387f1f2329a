"""The audit log: what is in it, what never is, and that nothing is lost in silence."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.audit import log as audit_log
from app.api.audit.file import File
from app.api.audit.log import AuditLog
from app.api.audit.recorder import Recorder
from app.api.audit.redaction import redacted
from app.api.audit.setup import recorder_of
from app.base.clock import SystemClock
from app.base.errors import UserError
from app.base.settings import Settings

CONFIGS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"
MERGE = "application/merge-patch+json"


class Audited:
    """An API whose audit log a test reads."""

    def __init__(self, api, path, level):
        self.api, self.path = api, path
        self.log = AuditLog(level, File(str(path), 1 << 20, 2), SystemClock())
        api.app.gate.recorder = Recorder(self.log, SystemClock())

    def entries(self):
        self.log.flush()
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def last(self):
        return self.entries()[-1]


@pytest.fixture
def audited(api, tmp_path):
    """`audited(level)`: the API with a log of that level."""
    return lambda level="Metadata": Audited(api, tmp_path / "audit.log", level)


def test_a_write_is_told_with_who_what_and_what_came_of_it(api, audited):
    found = audited()
    answer = api.ask("POST", CONFIGS, {"metadata": {"name": "a"}}, User_Agent="tests")
    entry = found.last()
    assert entry["auditID"] == answer.headers["Audit-Id"]
    assert (entry["kind"], entry["apiVersion"], entry["stage"]) == (
        "Event",
        "audit.k8s.io/v1",
        "ResponseComplete",
    )
    assert (entry["level"], entry["verb"], entry["requestURI"]) == ("Metadata", "create", CONFIGS)
    assert entry["user"]["username"] == "admin"
    assert "system:masters" in entry["user"]["groups"]
    assert entry["objectRef"] == {
        "resource": "configmaps", "namespace": "default", "name": "a", "apiVersion": "v1",
    }  # fmt: skip
    assert entry["responseStatus"] == {"metadata": {}, "code": 201}
    assert entry["annotations"] == {"authorization.k8s.io/decision": "allow"}
    assert (entry["userAgent"], entry["sourceIPs"]) == ("tests", ["127.0.0.1"])
    assert entry["requestReceivedTimestamp"] <= entry["stageTimestamp"]
    assert "requestObject" not in entry


def test_what_admission_noted_is_told(api, audited):
    found = audited()
    labels = {"pod-security.kubernetes.io/audit": "restricted"}
    api.create("/api/v1/namespaces", {"metadata": {"name": "noted", "labels": labels}})
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    api.create("/api/v1/namespaces/noted/pods", pod)
    noted = found.last()["annotations"]["pod-security.kubernetes.io/audit-violations"]
    assert noted.startswith(
        'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
    )


def test_reads_are_not_told_unless_they_are_refused(api, audited):
    found = audited()
    api.get(CONFIGS)
    api.create(CONFIGS, {"metadata": {"name": "a"}})
    assert [entry["verb"] for entry in found.entries()] == ["create"]
    api.ask("GET", CONFIGS, token="joe-token")
    refused = found.last()
    assert (refused["verb"], refused["user"]["username"], refused["responseStatus"]["code"]) == (
        "list",
        "joe",
        403,
    )
    assert refused["responseStatus"]["message"].startswith("configmaps is forbidden: User")
    assert refused["annotations"] == {"authorization.k8s.io/decision": "forbid"}
    api.ask("GET", CONFIGS, token="wrong")
    assert (found.last()["user"], found.last()["responseStatus"]["code"]) == ({}, 401)
    api.ask("GET", "/metrics", token="joe-token")
    assert found.last()["requestURI"] == "/metrics"


def test_who_acts_for_another_is_told_and_so_is_the_other(api, audited):
    found = audited()
    api.ask("DELETE", f"{CONFIGS}/a", Impersonate_User="joe", Impersonate_Group="devs")
    entry = found.last()
    assert entry["user"]["username"] == "admin"
    assert entry["impersonatedUser"] == {"username": "joe", "groups": ["devs", "system:authenticated"]}


def test_a_drawn_name_is_told(api, audited):
    found = audited()
    made = api.create(CONFIGS, {"metadata": {"generateName": "a-"}})
    assert found.last()["objectRef"]["name"] == made["metadata"]["name"]


def test_the_level_says_how_much_is_told(api, audited):
    found = audited("Request")
    api.create("/api/v1/namespaces", {"metadata": {"name": "x", "labels": {"a": "b"}}})
    assert found.last()["requestObject"]["metadata"] == {"name": "x", "labels": {"a": "b"}}
    assert "responseObject" not in found.last()
    found = audited("RequestResponse")
    api.ask("PATCH", "/api/v1/namespaces/x", {"metadata": {"labels": {"a": "c"}}}, Content_Type=MERGE)
    assert found.last()["requestObject"] == {"metadata": {"labels": {"a": "c"}}}
    assert found.last()["responseObject"]["metadata"]["labels"]["a"] == "c"


WORD = "correct-horse"
CODED = base64.b64encode(WORD.encode()).decode()


@pytest.mark.parametrize("level", ["Metadata", "Request", "RequestResponse"])
def test_what_is_in_secrets_and_configmaps_is_never_told(api, audited, level):
    found = audited(level)
    last = "kubectl.kubernetes.io/last-applied-configuration"
    notes = {last: json.dumps({"data": {"a": CODED}, "stringData": {"a": WORD}})}
    api.create(SECRETS, {"metadata": {"name": "s", "annotations": notes}, "data": {"a": CODED}})
    api.create(SECRETS, {"metadata": {"name": "t"}, "stringData": {"a": WORD}})
    api.create(CONFIGS, {"metadata": {"name": "c"}, "data": {"a": WORD}})
    for path in (f"{SECRETS}/s", f"{CONFIGS}/c"):
        api.ask("PATCH", path, {"data": {"b": CODED}}, Content_Type=MERGE)
        api.ask("PATCH", path, {"data": {"b": CODED}}, Content_Type="application/strategic-merge-patch+json")
        patch = [{"op": "add", "path": "/data/c", "value": CODED}]
        api.ask("PATCH", path, patch, Content_Type="application/json-patch+json")
        api.ask("PUT", path, {**api.get(path), "data": {"d": CODED}})
        # What is malformed or not allowed is quoted in the refusal.
        api.ask("PUT", path, {"data": {"k": [WORD]}, "metadata": {"name": path[-1]}})
        api.ask("PUT", path, f'{{"data": "{WORD}'.encode())
    api.ask("DELETE", f"{SECRETS}/t")
    api.ask("DELETE", SECRETS)
    assert len(found.entries()) >= 15
    text = found.path.read_text()
    assert WORD not in text
    assert CODED not in text
    if level != "Metadata":
        (sent,) = [entry["requestObject"] for entry in found.entries() if entry["objectRef"].get("name") == "t"
                   and entry["verb"] == "create"]  # fmt: skip
        assert sent["stringData"] == {"a": "REDACTED"}


JSON = st.recursive(
    st.text(max_size=5) | st.just(WORD) | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.just("value"), inner, max_size=3)
    ),
    max_leaves=6,
)
HARMLESS = frozenset({"metadata", "apiVersion", "kind", "type", "op", "path", "from", "propagationPolicy"})


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(["secrets", "configmaps"]),
    st.dictionaries(
        st.sampled_from(["data", "stringData", "binaryData", "items", "spec", "$patch", "immutable"])
        | st.text(max_size=5),
        JSON,
        max_size=4,
    )
    | st.lists(st.fixed_dictionaries({"op": st.just("add"), "value": JSON}), max_size=3),
)
def test_whatever_a_body_looks_like_its_values_are_not_told(resource, body):
    if isinstance(body, dict):
        # Keys of data are told, and so is what an object says of itself; neither is a value of its data.
        body = {k: _without_keys(v) for k, v in body.items() if WORD not in k and k not in HARMLESS}
    assert WORD not in json.dumps(redacted("", resource, "", body))


def _without_keys(value):
    if isinstance(value, dict):
        return {k: _without_keys(v) for k, v in value.items() if WORD not in k and k not in HARMLESS}
    return [_without_keys(each) for each in value] if isinstance(value, list) else value


def test_tokens_are_not_told():
    review = {"spec": {"token": WORD, "audiences": ["a"]}, "status": {"user": {"username": "x"}}}
    told = redacted("authentication.k8s.io", "tokenreviews", "", review)
    assert told == {"spec": {"token": "REDACTED", "audiences": ["a"]}, "status": {"user": {"username": "x"}}}
    made = {"spec": {"audiences": []}, "status": {"token": WORD, "expirationTimestamp": "x"}}
    assert WORD not in json.dumps(redacted("", "serviceaccounts", "token", made))
    assert review["spec"]["token"] == WORD


# -- keeping it ----------------------------------------------------------------------------------------


def happened(api, audited):
    """Something to take down."""
    found = audited()
    taken = []
    found.log.record = taken.append
    api.create(CONFIGS, {"metadata": {"name": "seen"}})
    return taken[0]


class Sink:
    def __init__(self):
        self.lines, self.broken = [], False

    def append(self, lines):
        if self.broken:
            raise OSError("the disk is full")
        self.lines += lines.split("\n")


def test_entries_are_written_by_a_thread_and_what_waits_at_the_end_too(api, audited):
    one, sink = happened(api, audited), Sink()
    log = AuditLog("Metadata", sink, SystemClock())
    log.record(one)
    log.record(one)
    assert sink.lines == []
    log.stop()
    assert len(sink.lines) == log.written == 2
    log.record(one)
    assert len(sink.lines) == 3


def test_what_does_not_fit_or_can_not_be_written_is_counted(api, audited, monkeypatch):
    one, sink = happened(api, audited), Sink()
    monkeypatch.setattr(audit_log, "MAX_WAITING", 2)
    log = AuditLog("Metadata", sink, SystemClock())
    for _ in range(5):
        log.record(one)
    assert log.dropped == 3
    log.flush()
    assert (log.written, log.dropped) == (2, 3)
    sink.broken = True
    log.record(one)
    log.flush()
    assert (log.written, log.dropped) == (2, 4)
    sink.broken = False
    log.record(one)
    log.flush()
    assert (log.written, log.dropped) == (3, 4)


def test_dropped_entries_show_in_the_metrics(api, audited):
    found = audited()
    found.log.dropped = 7
    assert "beanpole_audit_dropped_total 7.0" in api.ask("GET", "/metrics").text


def test_a_full_file_makes_room_for_another_and_the_oldest_go(tmp_path):
    path = tmp_path / "audit.log"
    file = File(str(path), 100, 2)
    for number in range(10):
        file.append(f"{number}" * 60)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["audit.log", "audit.log.1", "audit.log.2"]
    assert [(tmp_path / name).read_text()[0] for name in ("audit.log", "audit.log.1", "audit.log.2")] == [
        "9",
        "8",
        "7",
    ]
    assert all(each.stat().st_mode & 0o077 == 0 for each in tmp_path.iterdir())


def test_settings_choose_the_file_and_level_or_none(tmp_path):
    clock = SystemClock()
    path = str(tmp_path / "audit.log")
    assert recorder_of(Settings(), clock) is None
    assert recorder_of(Settings(audit_file=path, audit_level="None"), clock) is None
    made = recorder_of(Settings(audit_file=path, audit_level="Request"), clock)
    assert made is not None
    assert made.log.level == "Request"
    made.log.stop()
    with pytest.raises(UserError, match="BEANPOLE_AUDIT_LEVEL='All' is none of None, Metadata"):
        recorder_of(Settings(audit_file=path, audit_level="All"), clock)
    with pytest.raises(UserError, match="can't be written"):
        recorder_of(Settings(audit_file=str(tmp_path / "no" / "audit.log")), clock)
