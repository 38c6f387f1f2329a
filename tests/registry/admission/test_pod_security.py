"""Pod security: levels by the labels of a namespace."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import Forbidden, Invalid
from app.registry.admission.pod_security.plugin import violations

HARDENED = {
    "containers": [
        {
            "name": "c",
            "image": "i",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
    ]
}


def secured(world: Any, **modes: str) -> None:
    labels = {f"pod-security.kubernetes.io/{mode.replace('_', '-')}": level for mode, level in modes.items()}
    world.create("namespaces", {"metadata": {"name": "safe", "labels": labels}})


def test_restricted_says_all_that_is_missing(world: Any, make: Any) -> None:
    secured(world, enforce="restricted")
    with pytest.raises(Forbidden) as refused:
        world.create("pods", make.pod(), "safe")
    assert refused.value.message == (
        'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container '
        '"web" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "web" '
        'must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "web" must set '
        'securityContext.runAsNonRoot=true), seccompProfile (pod or container "web" must set '
        'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )


def test_a_hardened_pod_passes_every_level(world: Any) -> None:
    secured(world, enforce="restricted")
    assert world.create("pods", {"metadata": {"name": "p"}, "spec": HARDENED}, "safe")
    assert violations("restricted", {"metadata": {}, "spec": HARDENED}) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"hostNetwork": True, "hostPID": True}, "host namespaces (hostNetwork=true, hostPID=true)"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, 'hostPath volumes (volume "v")'),
        (
            {"containers": [{"name": "c", "securityContext": {"privileged": True}}]},
            'privileged (container "c" must not set securityContext.privileged=true)',
        ),
        (
            {"containers": [{"name": "c", "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}]},
            'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)',
        ),
        (
            {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
            'hostPort (container "c" uses hostPort 80)',
        ),
        ({"securityContext": {"sysctls": [{"name": "kernel.x"}]}}, "forbidden sysctls (kernel.x)"),
        (
            {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
            'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
    ],
)
def test_baseline_names_what_it_forbids(spec: dict[str, Any], said: str) -> None:
    assert violations("baseline", {"metadata": {}, "spec": {"containers": [{"name": "c"}], **spec}}) == [said]
    assert violations("privileged", {"metadata": {}, "spec": spec}) == []


def test_a_deployment_is_warned_of_and_let_through(world: Any, make: Any) -> None:
    secured(world, enforce="restricted", warn="restricted")
    from app.schemas import kinds

    request = world.request()
    world.registry.create(request, kinds.by_resource("deployments.apps"), "safe", make.deployment())
    assert request.warnings[0].startswith(
        'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation'
    )
    assert world.get("deployments.apps", "safe/web") is not None


def test_a_level_that_does_not_exist_is_refused(world: Any) -> None:
    with pytest.raises(Invalid, match="must be one of privileged, baseline, restricted"):
        secured(world, enforce="strict")


def test_who_begins_to_enforce_hears_which_pods_break_it(world: Any, make: Any) -> None:
    from app.schemas import kinds

    world.create("pods", make.pod("old"))
    request = world.request()
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    world.registry.view.catch_up()
    world.registry.patch(
        request, kinds.by_resource("namespaces"), "", "default", labels, "application/merge-patch+json"
    )
    assert request.warnings == [
        'existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
        "old: allowPrivilegeEscalation != false, runAsNonRoot != true, seccompProfile, unrestricted capabilities",
    ]
    with pytest.raises(Forbidden):
        world.create("pods", make.pod("new"))
