"""Restart policies of containers and stop signals: what is taken, and in which words the rest is refused."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.rules.pod import pod_spec

RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
SUPPORTED_POLICIES = '"Always", "Never", "OnFailure"'


def told(container: Object, **spec: Any) -> list[str]:
    faults = Faults()
    pod_spec({"containers": [{"name": "c", "image": "i", **container}], **spec}, "spec", faults)
    return [f"{cause.field}: {cause.message}" for cause in faults.causes]


@pytest.mark.parametrize(
    "container",
    [
        {"restartPolicy": "Never", "restartPolicyRules": [RULE]},
        {"restartPolicy": "OnFailure"},
        {"restartPolicy": "Always", "restartPolicyRules": []},
    ],
)
def test_a_container_may_have_its_own_policy_and_rules(container: Object) -> None:
    assert told(container) == []


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (
            {"restartPolicyRules": [RULE]},
            "restartPolicy: Required value: must specify restartPolicy when restart rules are used",
        ),
        (
            {"restartPolicy": "Sometimes"},
            f'restartPolicy: Unsupported value: "Sometimes": supported values: {SUPPORTED_POLICIES}',
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [{**RULE, "action": "RestartAllContainers"}]},
            'restartPolicyRules[0].action: Unsupported value: "RestartAllContainers": supported values: "Restart"',
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart"}]},
            "restartPolicyRules[0].exitCodes: Required value: must be specified",
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [{**RULE, "exitCodes": {"operator": "Is"}}]},
            'restartPolicyRules[0].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [RULE] * 21},
            "restartPolicyRules: Too many: 21: must have at most 20 items",
        ),
    ],
)
def test_what_no_agent_would_do_is_refused(container: Object, message: str) -> None:
    assert told(container) == [f"spec.containers[0].{message}"]


def test_a_stop_signal_is_one_of_the_pods_operating_system() -> None:
    container = {"lifecycle": {"stopSignal": "SIGUSR1"}}
    where = "spec.containers[0].lifecycle.stopSignal"
    assert told(container, os={"name": "linux"}) == []
    assert told(container) == [f"{where}: Forbidden: may not be set for containers with empty `spec.os.name`"]
    assert told(container, os={"name": "windows"}) == [
        f'{where}: Unsupported value: "SIGUSR1": supported values: "SIGKILL", "SIGTERM"'
    ]
