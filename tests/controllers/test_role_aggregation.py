"""Aggregated ClusterRoles have the rules of those that they are made up of."""

from __future__ import annotations

from app.objects import rbac_aggregation
from app.objects.change import Change, Operation
from workers.controllers import role_aggregation
from workers.reconcile.plan import NOTHING


class Roles:
    """A view of nothing but ClusterRoles."""

    revision = 1

    def __init__(self, *roles):
        self._roles = {role["metadata"]["name"]: role for role in roles}

    def get(self, resource, key):
        return self._roles.get(key)

    def list(self, resource, namespace=None):
        return list(self._roles.values())


def role(name, verbs=(), labels=None, chosen=None):
    made = {
        "metadata": {"name": name, "resourceVersion": "7", "labels": labels or {}},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]} for verb in verbs],
    }
    if chosen:
        made["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": each} for each in chosen]}
    return made


def verbs_after(view, name):
    plan = role_aggregation.plan(view, name, 0.0)
    (write,) = plan.writes
    return [rule["verbs"][0] for rule in write.obj["rules"]]


def test_its_rules_are_those_of_the_chosen_each_once_in_the_order_of_their_names():
    view = Roles(
        role("all", ["old"], chosen=[{"to": "all"}, {"also": "yes"}]),
        role("c", ["get", "list"], {"to": "all"}),
        role("b", ["list", "watch"], {"also": "yes", "to": "all"}),
        role("d", ["delete"], {"to": "other"}),
    )
    assert verbs_after(view, "all") == ["list", "watch", "get"]


def test_nothing_is_written_where_nothing_differs_or_nothing_is_aggregated():
    view = Roles(
        role("all", ["get"], chosen=[{"to": "all"}]), role("a", ["get"], {"to": "all"}), role("plain")
    )
    for name in ("all", "plain", "missing"):
        assert role_aggregation.plan(view, name, 0.0) is NOTHING


def test_an_aggregate_is_not_made_up_of_itself():
    view = Roles(role("all", ["get"], {"to": "all"}, chosen=[{"to": "all"}]))
    assert verbs_after(view, "all") == []


def test_aggregates_of_aggregates_settle():
    inner, outer = (
        role("inner", (), {"to": "outer"}, [{"to": "inner"}]),
        role("outer", (), None, [{"to": "outer"}]),
    )
    roles = [inner, outer, role("a", ["get"], {"to": "inner"})]
    for _ in range(2):
        roles = [
            rbac_aggregation.with_rules(each, rbac_aggregation.aggregated(each, roles))
            if rbac_aggregation.selectors(each)
            else each
            for each in roles
        ]
    assert roles[1]["rules"] == roles[0]["rules"] == roles[2]["rules"]


def test_a_change_of_a_role_makes_work_for_all_aggregates_and_one_of_its_annotations_none():
    view = Roles(role("all", chosen=[{"to": "all"}]), role("a", ["get"], {"to": "all"}))
    (interest,) = role_aggregation.ROLE.interests
    old, new = role("a", ["get"], {"to": "all"}), role("a", ["list"], {"to": "all"})
    noted = {**old, "metadata": {**old["metadata"], "annotations": {"a": "b"}}}
    changed = Change(9, Operation.MODIFIED, role_aggregation.RESOURCE, "a", old, new)
    assert list(interest.keys(changed, view)) == ["all"]
    unconcerned = Change(9, Operation.MODIFIED, role_aggregation.RESOURCE, "a", old, noted)
    assert list(interest.keys(unconcerned, view)) == []
