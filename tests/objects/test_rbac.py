"""What rules allow, and whether some allow all that others do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.objects import rbac


def rule(verbs="get", groups="", resources="pods", **more):
    return {"verbs": verbs.split(), "apiGroups": groups.split(","), "resources": resources.split(), **more}


@pytest.mark.parametrize(
    ("given_rule", "asked", "allowed"),
    [
        (rule(), ("get", "", "pods", ""), True),
        (rule(), ("list", "", "pods", ""), False),
        (rule(), ("get", "apps", "pods", ""), False),
        (rule(), ("get", "", "secrets", ""), False),
        (rule(), ("get", "", "pods", "log"), False),
        (rule(resources="pods/log"), ("get", "", "pods", "log"), True),
        (rule(resources="pods/log"), ("get", "", "pods", ""), False),
        (rule(resources="*/scale"), ("get", "", "pods", "scale"), True),
        (rule(resources="*/scale"), ("get", "", "pods", ""), False),
        (rule(resources="*/scale"), ("get", "", "pods", "log"), False),
        (rule(resources="*"), ("get", "", "pods", "log"), True),
        (rule(resources="pods/*"), ("get", "", "pods", "log"), False),
        (rule(verbs="*"), ("use", "", "pods", ""), True),
        (rule(groups="*"), ("get", "apps", "pods", ""), True),
        (rule(groups=",apps"), ("get", "apps", "pods", ""), True),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, ("get", "", "pods", ""), False),
        ({}, ("get", "", "pods", ""), False),
    ],
)
def test_a_rule_allows_what_its_verbs_groups_and_resources_say(given_rule, asked, allowed):
    assert rbac.allows_resource(given_rule, *asked) is allowed


@pytest.mark.parametrize(
    ("known", "path", "allowed"),
    [
        ("/healthz", "/healthz", True),
        ("/healthz", "/healthz/ping", False),
        ("/healthz/*", "/healthz/ping", True),
        ("/healthz/*", "/healthz", False),
        ("/api*", "/apis", True),
        ("*", "/anything", True),
        ("/a/*/b", "/a/x/b", False),
    ],
)
def test_a_star_at_the_end_of_a_path_stands_for_all_that_follows(known, path, allowed):
    assert rbac.allows_path({"verbs": ["get"], "nonResourceURLs": [known]}, "get", path) is allowed
    assert not rbac.allows_path({"verbs": ["post"], "nonResourceURLs": [known]}, "get", path)


@pytest.mark.parametrize(
    ("owned", "asked", "covered"),
    [
        (rule(), rule(), True),
        (rule(verbs="*"), rule(verbs="get list"), True),
        (rule(verbs="get list"), rule(verbs="*"), False),
        (rule(resources="*"), rule(resources="pods pods/log secrets"), True),
        (rule(resources="pods"), rule(resources="pods/log"), False),
        (rule(resources="*/log"), rule(resources="pods/log"), True),
        (rule(resources="*/log"), rule(resources="*"), False),
        (rule(), rule(resourceNames=["a"]), True),
        (rule(resourceNames=["a"]), rule(), False),
        (rule(resourceNames=["a", "b"]), rule(resourceNames=["b"]), True),
        (rule(resourceNames=["a"]), rule(resourceNames=["a", "c"]), False),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/a/*"]},
            {"verbs": ["get"], "nonResourceURLs": ["/a/b", "/a/*"]},
            True,
        ),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/a/*"]},
            {"verbs": ["get"], "nonResourceURLs": ["*"]},
            False,
        ),
    ],
)
def test_who_holds_rules_may_hand_out_what_they_cover_and_no_more(owned, asked, covered):
    assert (rbac.not_covered([owned], [asked]) == []) is covered


def test_several_rules_cover_together_what_none_of_them_covers_alone():
    owned = [rule(verbs="get"), rule(verbs="list"), rule(verbs="get list", resources="secrets")]
    assert rbac.not_covered(owned, [rule(verbs="get list", resources="pods secrets")]) == []


def test_what_is_missing_is_shown_as_go_shows_it():
    missing = rbac.not_covered(
        [rule(verbs="get")], [rule(verbs="get list watch", resources="pods secrets", resourceNames=["a"])]
    )
    assert sorted(rbac.shown(each) for each in rbac.compacted(missing)) == [
        '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["list" "watch"]}',
        '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get" "list" "watch"]}',
    ]
    assert (
        rbac.shown({"verbs": ["get"], "nonResourceURLs": ["/x"]}) == '{NonResourceURLs:["/x"], Verbs:["get"]}'
    )


VERBS, GROUPS = st.sampled_from(["get", "list", "*"]), st.sampled_from(["", "apps", "*"])
RESOURCES = st.sampled_from(["pods", "secrets", "pods/log", "*/log", "*"])
NAMES = st.sampled_from(["a", "b"])
RULES = st.fixed_dictionaries(
    {
        "verbs": st.lists(VERBS, min_size=1, max_size=2),
        "apiGroups": st.lists(GROUPS, min_size=1, max_size=2),
        "resources": st.lists(RESOURCES, min_size=1, max_size=2),
    },
    optional={"resourceNames": st.lists(NAMES, min_size=1, max_size=2)},
)


@given(st.lists(RULES, max_size=3), RULES)
def test_rules_that_are_covered_allow_nothing_that_their_owners_are_not_allowed(owned, asked):
    if rbac.not_covered(owned, [asked]):
        return
    for verb in ("get", "list", "create"):
        for group in ("", "apps", "batch"):
            for resource, below in (("pods", ""), ("pods", "log"), ("secrets", ""), ("nodes", "log")):
                for name in ("a", "b", "c", ""):
                    if allows([asked], verb, group, resource, below, name):
                        assert allows(owned, verb, group, resource, below, name)


def allows(rules, verb, group, resource, below, name):
    return any(
        rbac.allows_resource(each, verb, group, resource, below)
        and (not each.get("resourceNames") or name in each["resourceNames"])
        for each in rules
    )
