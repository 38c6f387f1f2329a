"""Who may do what, by roles and bindings."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.base.errors import Forbidden, NotFound
from app.registry.access import index
from app.registry.access.attributes import Asked, AskedPath, Subject
from app.registry.access.rbac import Rbac
from app.schemas.types.rbac import GROUP
from app.store.view import View

ALICE = Subject("alice", ("devs", "system:authenticated"))
ROBOT = Subject("system:serviceaccount:default:robot", ("system:serviceaccounts",))


def rule(verbs, resources, groups="", **more):
    return {"verbs": verbs.split(), "apiGroups": groups.split(","), "resources": resources.split(), **more}


def role(name, *rules, **meta):
    return {"metadata": {"name": name, **meta}, "rules": list(rules)}


def binding(name, to, role_name, kind="Role"):
    kinds = {
        "User": {"apiGroup": GROUP},
        "Group": {"apiGroup": GROUP},
        "ServiceAccount": {"namespace": "default"},
    }
    subjects = [{"kind": k, "name": n, **kinds[k]} for k, n in (each.split(" ") for each in to)]
    return {
        "metadata": {"name": name},
        "subjects": subjects,
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role_name},
    }


@pytest.fixture
def give(world):
    """`give(resource, obj)`: create it as an administrator."""

    def make(resource, obj, namespace="default"):
        return world.create(f"{resource}.{GROUP}", obj, namespace, groups=("system:masters",))

    return make


@pytest.fixture
def may(world):
    def ask(subject, verb, resource, namespace="default", name="", group="", below=""):
        return world.registry.access.decide(
            subject, Asked(verb, group, resource, below, namespace, name)
        ).allowed

    return ask


def test_nobody_may_anything_but_those_that_a_binding_names(give, may):
    assert not may(ALICE, "get", "pods")
    give("roles", role("reader", rule("get list", "pods")))
    assert not may(ALICE, "get", "pods")
    give("rolebindings", binding("alice", ["User alice"], "reader"))
    assert may(ALICE, "get", "pods")
    assert not may(ALICE, "create", "pods")
    assert not may(ALICE, "get", "pods", namespace="kube-system")
    assert not may(ALICE, "list", "pods", namespace="")
    assert not may(Subject("jim", ("alice",)), "get", "pods")


def test_groups_and_service_accounts_are_bound_too(give, may):
    give("roles", role("reader", rule("get", "pods")))
    give("rolebindings", binding("all", ["Group devs", "ServiceAccount robot"], "reader"))
    assert may(ALICE, "get", "pods")
    assert may(ROBOT, "get", "pods")
    assert not may(Subject("devs"), "get", "pods")
    assert not may(Subject("robot"), "get", "pods")


def test_a_cluster_role_counts_where_it_is_bound(give, may):
    give("clusterroles", role("reader", rule("get", "pods nodes")))
    give("rolebindings", binding("here", ["User alice"], "reader", "ClusterRole"))
    assert may(ALICE, "get", "pods")
    assert not may(ALICE, "get", "nodes", namespace="")
    give("clusterrolebindings", binding("everywhere", ["User alice"], "reader", "ClusterRole"))
    assert may(ALICE, "get", "nodes", namespace="")
    assert may(ALICE, "get", "pods", namespace="kube-system")


def test_names_narrow_a_rule_down(give, may):
    give("roles", role("one", rule("get list", "configmaps", resourceNames=["a"])))
    give("rolebindings", binding("alice", ["User alice"], "one"))
    assert may(ALICE, "get", "configmaps", name="a")
    assert not may(ALICE, "get", "configmaps", name="b")
    assert not may(ALICE, "list", "configmaps")


def test_the_next_request_after_a_binding_is_gone_is_refused(world, give, may):
    give("roles", role("reader", rule("get", "pods")))
    give("rolebindings", binding("alice", ["User alice"], "reader"))
    for _ in range(3):
        assert may(ALICE, "get", "pods")
    kind = "rolebindings." + GROUP
    world.delete(kind, "alice")
    assert not may(ALICE, "get", "pods")
    give("rolebindings", binding("alice", ["User alice"], "reader"))
    assert may(ALICE, "get", "pods")
    world.delete("roles." + GROUP, "reader")
    assert not may(ALICE, "get", "pods")


def test_what_another_process_grants_works_at_once_and_what_it_takes_is_gone_soon(world, give, may):
    give("roles", role("reader", rule("get", "pods")))
    other = world.another(2)
    asked = Asked("get", "", "pods", "", "default", "p")
    assert not other.access.decide(ALICE, asked).allowed
    give("rolebindings", binding("alice", ["User alice"], "reader"))
    assert other.access.decide(ALICE, asked).allowed
    world.delete("rolebindings." + GROUP, "alice")
    world.clock.move(1.0)
    assert not other.access.decide(ALICE, asked).allowed


def test_a_decision_says_by_which_role_or_what_is_missing(world, give):
    give("clusterroles", role("reader", rule("get", "pods")))
    give("rolebindings", binding("alice", ["User alice"], "reader", "ClusterRole"))
    give("rolebindings", binding("lost", ["Group devs"], "nowhere"))
    decide = world.registry.access.decide
    assert decide(ALICE, Asked("get", "", "pods", "", "default")).reason == (
        'RBAC: allowed by RoleBinding "alice/default" of ClusterRole "reader" to User "alice"'
    )
    assert decide(ALICE, Asked("list", "", "pods", "", "default")).reason == (
        'RBAC: role.rbac.authorization.k8s.io "nowhere" not found'
    )


def test_administrators_may_all_whatever_roles_say(may):
    assert may(Subject("root", ("system:masters",)), "frobnicate", "anything", group="no.such")


@pytest.mark.parametrize(
    ("group", "path", "allowed"),
    [
        ("system:authenticated", "/apis/apps/v1", True),
        ("system:authenticated", "/metrics", False),
        ("system:unauthenticated", "/version", True),
        ("system:unauthenticated", "/healthz", True),
        ("system:unauthenticated", "/apis", False),
        ("system:monitoring", "/metrics", True),
    ],
)
def test_the_default_roles_open_paths_to_whom_they_are_meant_for(world, group, path, allowed):
    decision = world.registry.access.decide_path(Subject("x", (group,)), AskedPath("get", path))
    assert decision.allowed is allowed


# -- nobody hands out more than they have ---------------------------------------------------------------


@pytest.fixture
def as_alice(world, give):
    """`as_alice(resource, obj)`: alice, who may write roles and bindings and read pods, creates it."""
    give(
        "clusterroles",
        role("roler", rule("create update patch", "roles rolebindings clusterroles", groups=GROUP)),
    )
    give("clusterroles", role("reader", rule("get list", "pods")))
    give("clusterrolebindings", binding("roler", ["User alice"], "roler", "ClusterRole"))
    give("clusterrolebindings", binding("reader", ["User alice"], "reader", "ClusterRole"))

    def make(resource, obj, put=False, **more):
        act = world.put if put else world.create
        return act(f"{resource}.{GROUP}", obj, groups=ALICE.groups, **more)

    return make


def test_a_role_with_more_than_its_author_holds_is_refused(as_alice, world):
    as_alice("roles", role("fine", rule("get", "pods", resourceNames=["a"])))
    with pytest.raises(Forbidden) as refused:
        as_alice("roles", role("more", rule("get delete", "pods"), rule("get", "secrets")))
    assert refused.value.message == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "alice" (groups=["devs" "system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )
    assert world.get("roles." + GROUP, "default/more") is None


def test_a_role_can_not_be_widened_either_but_its_labels_may_change(as_alice, give):
    made = give("roles", role("strong", rule("delete", "secrets")))
    as_alice("roles", {**made, "metadata": {"name": "strong", "labels": {"a": "b"}}}, put=True)
    with pytest.raises(Forbidden):
        as_alice("roles", role("strong", rule("delete list", "secrets")), put=True)


def test_a_dry_run_is_refused_as_the_real_thing(as_alice):
    with pytest.raises(Forbidden):
        as_alice("roles", role("more", rule("get", "secrets")), dry_run=True)


def test_only_who_may_do_everything_can_aggregate(as_alice):
    aggregate = {
        "metadata": {"name": "all"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"x": "y"}}]},
    }
    with pytest.raises(Forbidden, match="not currently held"):
        as_alice("clusterroles", aggregate)


def test_who_may_escalate_writes_any_role(as_alice, give):
    give("clusterroles", role("escalator", rule("escalate", "roles", groups=GROUP, resourceNames=["more"])))
    give("clusterrolebindings", binding("escalator", ["User alice"], "escalator", "ClusterRole"))
    as_alice("roles", role("more", rule("get", "secrets")))
    with pytest.raises(Forbidden):
        as_alice("roles", role("other", rule("get", "secrets")))


def test_a_binding_hands_out_only_what_its_author_holds_or_may_bind(as_alice, give):
    as_alice("rolebindings", binding("fine", ["User jim"], "reader", "ClusterRole"))
    with pytest.raises(Forbidden, match="not currently held"):
        as_alice("rolebindings", binding("admins", ["User alice"], "cluster-admin", "ClusterRole"))
    with pytest.raises(NotFound, match='roles.rbac.authorization.k8s.io "nowhere" not found'):
        as_alice("rolebindings", binding("lost", ["User alice"], "nowhere"))
    give("clusterroles", role("binder", rule("bind", "clusterroles", groups=GROUP, resourceNames=["edit"])))
    give("clusterrolebindings", binding("binder", ["User alice"], "binder", "ClusterRole"))
    as_alice("rolebindings", binding("edit", ["User jim"], "edit", "ClusterRole"))
    with pytest.raises(Forbidden):
        as_alice("rolebindings", binding("admins", ["User alice"], "admin", "ClusterRole"))


# -- the index agrees with what the rules say -----------------------------------------------------------

NAMES = st.sampled_from(["a", "b"])
NAMESPACES = st.sampled_from(["x", "y"])
SUBJECTS = st.sampled_from(["User alice", "User jim", "Group devs", "ServiceAccount robot"])
RULES = st.fixed_dictionaries(
    {
        "verbs": st.lists(st.sampled_from(["get", "list", "*"]), min_size=1, max_size=2),
        "apiGroups": st.lists(st.sampled_from(["", "apps", "*"]), min_size=1, max_size=2),
        "resources": st.lists(
            st.sampled_from(["pods", "secrets", "pods/log", "*/log", "*"]), min_size=1, max_size=2
        ),
    },
    optional={"resourceNames": st.lists(NAMES, min_size=1, max_size=2)},
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("role"), NAMESPACES, NAMES, st.lists(RULES, max_size=2)),
        st.tuples(st.just("cluster role"), st.just(""), NAMES, st.lists(RULES, max_size=2)),
        st.tuples(st.just("binding"), NAMESPACES, NAMES, st.tuples(SUBJECTS, NAMES, st.booleans())),
        st.tuples(st.just("cluster binding"), st.just(""), NAMES, st.tuples(SUBJECTS, NAMES, st.just(True))),
        st.tuples(st.sampled_from(["no role", "no binding"]), NAMESPACES, NAMES, st.none()),
        st.tuples(st.sampled_from(["no cluster role", "no cluster binding"]), st.just(""), NAMES, st.none()),
    ),
    max_size=14,
)
WHAT = {
    "role": index.ROLES,
    "cluster role": index.CLUSTER_ROLES,
    "binding": index.BINDINGS,
    "cluster binding": index.CLUSTER_BINDINGS,
}


class Bare(View):
    """A view that a test fills by hand."""

    def __init__(self):
        from collections import deque
        from threading import RLock

        self._tables, self._history, self.lock, self.reloads, self._keep = {}, deque(), RLock(), 0, True
        self._revision = 0

    def put(self, resource, key, obj):
        import orjson

        from app.store.records import Record

        self._revision += 1
        self._table(resource).put(Record(key, self._revision, orjson.dumps(obj), True))

    def drop(self, resource, key):
        self._table(resource).pop(key)


def slow(objects, subject, verb, group, resource, below, namespace, name):
    """The rules of RBAC as the documentation tells them, gone through one by one."""
    for (what, where, _), bound in objects.items():
        if what not in ("binding", "cluster binding"):
            continue
        if what == "binding" and where != namespace:
            continue
        kind, _, who = bound["subject"].partition(" ")
        hit = {
            "User": subject.name == who,
            "Group": who in subject.groups,
            "ServiceAccount": subject.name == f"system:serviceaccount:default:{who}",
        }[kind]
        key = ("cluster role", "", bound["role"]) if bound["of_cluster"] else ("role", where, bound["role"])
        for each in objects.get(key, ()) if hit else ():
            full = f"{resource}/{below}" if below else resource
            matches = {"*", full} | ({f"*/{below}"} if below else set())
            if (
                {verb, "*"} & set(each["verbs"])
                and {group, "*"} & set(each["apiGroups"])
                and matches & set(each["resources"])
                and (not each.get("resourceNames") or name in each["resourceNames"])
            ):
                return True
    return False


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(ACTIONS)
def test_the_index_allows_exactly_what_some_rule_allows(actions):
    view, objects = Bare(), {}
    decider = Rbac(view)
    for what, where, name, content in actions:
        key = f"{where}/{name}" if where else name
        if what.startswith("no "):
            objects.pop((what[3:], where, name), None)
            view.drop(WHAT[what[3:]], key)
        elif what.endswith("role"):
            objects[what, where, name] = content
            view.put(WHAT[what], key, role(name, *content))
        else:
            subject, role_name, of_cluster = content
            objects[what, where, name] = {"subject": subject, "role": role_name, "of_cluster": of_cluster}
            kind = "ClusterRole" if of_cluster else "Role"
            view.put(WHAT[what], key, binding(name, [subject], role_name, kind))
        for subject in (ALICE, ROBOT, Subject("nobody")):
            for verb, group, resource, below in (
                ("get", "", "pods", ""), ("list", "apps", "pods", "log"), ("create", "", "secrets", ""),
            ):  # fmt: skip
                for namespace, named in (("x", "a"), ("y", ""), ("", "b")):
                    asked = Asked(verb, group, resource, below, namespace, named)
                    expected = slow(objects, subject, verb, group, resource, below, namespace, named)
                    assert decider.decide(subject, asked).allowed is expected


def test_a_view_that_was_loaded_anew_is_indexed_anew(world, give, may, store):
    give("roles", role("reader", rule("get", "pods")))
    give("rolebindings", binding("alice", ["User alice"], "reader"))
    assert may(ALICE, "get", "pods")
    view = world.registry.view
    before = view.version(index.BINDINGS)
    store.begin_epoch(view.epoch)
    world.registry.access.catch_up()
    assert view.version(index.BINDINGS) != before
    assert may(ALICE, "get", "pods")
