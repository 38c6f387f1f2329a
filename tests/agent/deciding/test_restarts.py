"""Which containers start again: the pod's policy, the container's own, its rules."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects.change import Object
from workers.agent.deciding.restarts import failed_for_good, restarts


def pod(policy: str) -> Object:
    return {"spec": {"restartPolicy": policy, "containers": []}}


def rule(operator: str, *codes: int) -> Object:
    return {"action": "Restart", "exitCodes": {"operator": operator, "values": list(codes)}}


@pytest.mark.parametrize(
    ("policy", "own", "starts_again"),
    [
        ("Always", {}, {0, 1, 42}),
        ("OnFailure", {}, {1, 42}),
        ("Never", {}, set()),
        ("Always", {"restartPolicy": "Never"}, set()),
        ("Never", {"restartPolicy": "Always"}, {0, 1, 42}),
        ("Always", {"restartPolicy": "OnFailure"}, {1, 42}),
        ("Never", {"restartPolicy": "Never", "restartPolicyRules": [rule("In", 42)]}, {42}),
        ("Never", {"restartPolicy": "Never", "restartPolicyRules": [rule("NotIn", 42)]}, {0, 1}),
        ("Never", {"restartPolicy": "OnFailure", "restartPolicyRules": [rule("In", 0)]}, {0, 1, 42}),
        # Rules without a policy of the container's own are none (the API refuses them).
        ("Never", {"restartPolicyRules": [rule("In", 42)]}, set()),
    ],
)
def test_a_containers_own_policy_stands_in_place_of_the_pods(
    policy: str, own: dict[str, Any], starts_again: set[int]
) -> None:
    assert {code for code in (0, 1, 42) if restarts(pod(policy), own, code)} == starts_again


@pytest.mark.parametrize(
    ("policy", "own", "starts_again"),
    [
        ("Always", {}, {1, 42}),
        ("OnFailure", {}, {1, 42}),
        ("Never", {}, set()),
        ("Never", {"restartPolicy": "Always"}, {0, 1, 42}),
        ("Always", {"restartPolicy": "Never"}, set()),
        ("Never", {"restartPolicy": "Never", "restartPolicyRules": [rule("In", 42)]}, {42}),
    ],
)
def test_an_init_container_starts_again_until_it_succeeds_and_a_sidecar_always(
    policy: str, own: dict[str, Any], starts_again: set[int]
) -> None:
    codes = {code for code in (0, 1, 42) if restarts(pod(policy), own, code, init=True)}
    assert codes == starts_again
    assert {c for c in (0, 1, 42) if failed_for_good(pod(policy), own, c)} == {1, 42} - starts_again
