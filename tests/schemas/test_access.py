"""Roles and bindings: what is refused, filled in and shown."""

from __future__ import annotations

import pytest

from app.base.errors import Invalid
from app.schemas import defaults, kinds, table
from app.schemas.types.rbac import GROUP
from app.schemas.validate import validate, validate_update

FINE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
REF = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "view"}


def obj(plural, **parts):
    kind = kinds.by_resource(f"{plural}.{GROUP}")
    metadata = {"name": "a", **({"namespace": "default"} if kind.namespaced else {})}
    return kind, {"metadata": metadata, **parts}


def refused(kind, made):
    with pytest.raises(Invalid) as caught:
        validate(kind, made)
    return [f"{cause.field}: {cause.message}" for cause in caught.value.causes]


@pytest.mark.parametrize(
    ("plural", "rule", "why"),
    [
        (
            "roles",
            {**FINE, "verbs": []},
            "rules[0].verbs: Required value: verbs must contain at least one value",
        ),
        (
            "roles",
            {**FINE, "apiGroups": []},
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        ),
        (
            "clusterroles",
            {**FINE, "resources": []},
            "rules[0].resources: Required value: resource rules must supply at least one resource",
        ),
        (
            "roles",
            {"verbs": ["get"], "nonResourceURLs": ["/x"]},
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
        ),
        (
            "clusterroles",
            {**FINE, "nonResourceURLs": ["/x"]},
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and '
            "non-resource URLs",
        ),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_is_refused(plural, rule, why):
    assert refused(*obj(plural, rules=[rule])) == [why]
    validate(*obj(plural, rules=[FINE]))


def test_an_aggregation_rule_must_choose_something():
    assert refused(*obj("clusterroles", aggregationRule={})) == [
        "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
        "aggregationRule is non-nil"
    ]


@pytest.mark.parametrize(
    ("plural", "parts", "why"),
    [
        (
            "clusterrolebindings",
            {"roleRef": {**REF, "kind": "Role"}},
            'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        ),
        ("rolebindings", {"roleRef": {**REF, "name": ""}}, "roleRef.name: Required value"),
        (
            "rolebindings",
            {"roleRef": {**REF, "apiGroup": "x"}},
            f'roleRef.apiGroup: Unsupported value: "x": supported values: "{GROUP}"',
        ),
        (
            "rolebindings",
            {"roleRef": REF, "subjects": [{"kind": "User", "apiGroup": GROUP}]},
            "subjects[0].name: Required value",
        ),
        (
            "rolebindings",
            {"roleRef": REF, "subjects": [{"kind": "Robot", "name": "x"}]},
            'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
        ),
        (
            "clusterrolebindings",
            {"roleRef": REF, "subjects": [{"kind": "ServiceAccount", "name": "x"}]},
            "subjects[0].namespace: Required value",
        ),
        (
            "rolebindings",
            {"roleRef": REF, "subjects": [{"kind": "ServiceAccount", "name": "x", "apiGroup": GROUP}]},
            f'subjects[0].apiGroup: Unsupported value: "{GROUP}": supported values: ""',
        ),
    ],
)
def test_a_binding_names_a_role_and_those_who_get_it(plural, parts, why):
    assert refused(*obj(plural, **parts)) == [why]


@pytest.mark.parametrize(
    ("name", "why"),
    [("..", "may not be '..'"), ("a/b", "may not contain '/'"), ("a%b", "may not contain '%'")],
)
def test_a_name_is_whatever_fits_into_a_path(name, why):
    kind, made = obj("clusterroles", rules=[FINE])
    made["metadata"]["name"] = "system:Any_thing"
    validate(kind, made)
    made["metadata"]["name"] = name
    assert refused(kind, made)[0].endswith(why)


def test_what_a_binding_hands_out_stays():
    kind, old = obj("rolebindings", roleRef=REF)
    validate_update(kind, old, {**old, "subjects": [{"kind": "User", "apiGroup": GROUP, "name": "x"}]})
    with pytest.raises(Invalid, match="roleRef: Invalid value: .*: cannot change roleRef"):
        validate_update(kind, old, {**old, "roleRef": {**REF, "name": "edit"}})


def test_users_and_groups_are_of_the_group_of_roles_and_service_accounts_of_core():
    subjects = [{"kind": kind, "name": "x"} for kind in ("User", "Group", "ServiceAccount")]
    kind, made = obj("rolebindings", roleRef={"kind": "Role", "name": "r"}, subjects=subjects)
    filled = defaults.apply(kind, made)
    assert [each.get("apiGroup", "") for each in filled["subjects"]] == [GROUP, GROUP, ""]
    assert filled["roleRef"]["apiGroup"] == GROUP


def test_tables_show_the_role_and_with_wide_those_who_get_it():
    subjects = [
        {"kind": "User", "name": "ann"},
        {"kind": "User", "name": "bob"},
        {"kind": "Group", "name": "devs"},
        {"kind": "ServiceAccount", "name": "robot", "namespace": "shop"},
    ]
    kind, made = obj("rolebindings", roleRef=REF, subjects=subjects)
    made["metadata"]["creationTimestamp"] = "2026-01-31T12:00:00Z"
    shown = table.render(kind, [made], 1769860860.0)
    assert [(each["name"], each["priority"]) for each in shown["columnDefinitions"]] == [
        ("Name", 0), ("Role", 0), ("Age", 0), ("Users", 1), ("Groups", 1), ("ServiceAccounts", 1),
    ]  # fmt: skip
    assert shown["rows"][0]["cells"] == ["a", "ClusterRole/view", "60s", "ann, bob", "devs", "shop/robot"]
    kind, role = obj("roles", rules=[FINE])
    role["metadata"]["creationTimestamp"] = "2026-01-31T12:00:00Z"
    assert table.render(kind, [role], 0.0)["rows"][0]["cells"] == ["a", "2026-01-31T12:00:00Z"]
