"""ValidatingAdmissionPolicy: rules in CEL, in force where they are bound."""

from __future__ import annotations

from typing import Any

import pytest

from app.base.errors import ApiError
from app.schemas import kinds

POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
DEPLOYMENTS = {
    "resourceRules": [
        {
            "operations": ["CREATE", "UPDATE"],
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "resources": ["deployments"],
        }
    ]
}


def policy(
    world: Any, *validations: dict[str, Any], bound: dict[str, Any] | None = None, **spec: Any
) -> None:
    whole = {"matchConstraints": DEPLOYMENTS, "validations": list(validations), **spec}
    world.create(POLICIES, {"metadata": {"name": "p"}, "spec": whole})
    binding = {"policyName": "p", "validationActions": ["Deny"], **(bound or {})}
    world.create(BINDINGS, {"metadata": {"name": "b"}, "spec": binding})


def test_what_breaks_it_is_denied_in_the_words_of_kubernetes(world: Any, make: Any) -> None:
    policy(world, {"expression": "object.spec.replicas <= 5"})
    assert world.create("deployments.apps", make.deployment("small", 5))
    with pytest.raises(ApiError) as denied:
        world.create("deployments.apps", make.deployment("large", 6))
    assert denied.value.message == (
        "deployments.apps \"large\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "
        "failed expression: object.spec.replicas <= 5"
    )
    assert (denied.value.code, denied.value.reason) == (422, "Invalid")


def test_an_update_is_judged_by_what_was_before(world: Any, make: Any) -> None:
    policy(
        world,
        {
            "expression": "oldObject == null || object.spec.replicas >= oldObject.spec.replicas",
            "messageExpression": "'never fewer than ' + string(oldObject.spec.replicas)",
            "reason": "Forbidden",
        },
    )
    world.create("deployments.apps", make.deployment("web", 3))
    world.patch("deployments.apps", "web", {"spec": {"replicas": 4}})
    with pytest.raises(ApiError, match="denied request: never fewer than 4") as denied:
        world.patch("deployments.apps", "web", {"spec": {"replicas": 2}})
    assert denied.value.code == 403


def test_variables_parameters_and_the_namespace_may_be_named(world: Any, make: Any) -> None:
    world.create("configmaps", make.config_map("limits", most="2"))
    policy(
        world,
        {"expression": "variables.wanted <= int(params.data.most)", "message": "too many"},
        {"expression": "namespaceObject.metadata.name == 'default'"},
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        variables=[{"name": "wanted", "expression": "object.spec.replicas"}],
        bound={"paramRef": {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}},
    )
    assert world.create("deployments.apps", make.deployment("a", 2))
    with pytest.raises(ApiError, match="too many"):
        world.create("deployments.apps", make.deployment("b", 3))


def test_without_its_parameters_it_denies_if_the_binding_says_so(world: Any, make: Any) -> None:
    policy(
        world,
        {"expression": "true"},
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        bound={"paramRef": {"name": "none", "namespace": "default", "parameterNotFoundAction": "Deny"}},
    )
    with pytest.raises(ApiError, match="no params found"):
        world.create("deployments.apps", make.deployment())


def test_one_that_is_not_bound_or_bound_elsewhere_does_nothing(world: Any, make: Any) -> None:
    elsewhere = {"namespaceSelector": {"matchLabels": {"strict": "yes"}}}
    policy(world, {"expression": "false"}, bound={"matchResources": elsewhere})
    assert world.create("deployments.apps", make.deployment())
    world.create("namespaces", {"metadata": {"name": "strict", "labels": {"strict": "yes"}}})
    with pytest.raises(ApiError):
        world.create("deployments.apps", make.deployment(), "strict")


def test_a_binding_may_only_warn(world: Any, make: Any) -> None:
    policy(world, {"expression": "false", "message": "mind"}, bound={"validationActions": ["Warn"]})
    request = world.request()
    world.registry.create(request, kinds.by_resource("deployments.apps"), "default", make.deployment())
    assert request.warnings == ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': mind"]


@pytest.mark.parametrize("lenient", [True, False])
def test_an_expression_that_fails_denies_unless_the_policy_is_lenient(
    world: Any, make: Any, lenient: bool
) -> None:
    policy(world, {"expression": "object.spec.none > 1"}, failurePolicy="Ignore" if lenient else "Fail")
    if lenient:
        assert world.create("deployments.apps", make.deployment())
    else:
        with pytest.raises(ApiError, match="resulted in error: no such key: none"):
            world.create("deployments.apps", make.deployment())
