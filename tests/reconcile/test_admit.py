"""What controllers create passes the same admission as what clients create."""

from __future__ import annotations

import orjson
import pytest

from app.bus.work import Work
from app.client.webhooks import CallFailed
from app.objects.change import Trace, create
from app.objects.meta import controller_reference
from app.store.store import Store
from workers.reconcile.plan import EventNote, Plan
from workers.reconcile.shell import REFUSED

KEY = "default/a"


def pod(name: str, owner: dict | None = None, **spec) -> dict:
    meta = {"name": name, "generateName": "web-", "namespace": "default"}
    if owner is not None:
        meta["ownerReferences"] = [controller_reference(owner)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec or SPEC}


SPEC = {"containers": [{"name": "c", "image": "i", "resources": {}}]}


def quota(**hard: str) -> dict:
    return named("ResourceQuota", "q", spec={"hard": hard})


def named(kind: str, name: str, **more) -> dict:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, **more}


@pytest.fixture
def home(world):
    """A namespace with its account, and a ReplicaSet in it."""
    world.put("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    world.put("serviceaccounts", named("ServiceAccount", "default"))
    owner = {**named("ReplicaSet", "web"), "apiVersion": "apps/v1"}
    owner["metadata"]["uid"] = "u-web"
    world.owner = world.put("replicasets.apps", owner)
    return world


def pods_of(world) -> dict[str, dict]:
    return {p["metadata"]["name"]: p for p in world.view().list("pods")}


def events_of(world) -> list[str]:
    return [f"{e['reason']}: {e['message']}" for e in world.view().list("events")]


def test_a_pod_gets_what_the_namespace_gives(home):
    limit = {"type": "Container", "default": {"cpu": "1"}}
    home.put("limitranges", named("LimitRange", "lr", spec={"limits": [limit]}))
    home.run(lambda view, key, now: Plan((create("pods", pod("p")),)) if not pods_of(home) else Plan(), KEY)
    made = pods_of(home)["p"]
    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
    assert (made["spec"]["priority"], made["spec"]["serviceAccountName"]) == (0, "default")
    assert made["status"] == {"phase": "Pending", "qosClass": "Burstable"}
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"]


def test_pods_of_one_template_each_keep_their_own_name(home):
    home.put("priorityclasses.scheduling.k8s.io", {
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "p"}, "value": 5,
        "globalDefault": True,
    })  # fmt: skip
    home.run(
        lambda view, key, now: (
            Plan(tuple(create("pods", pod(n)) for n in "abc")) if not view.keys("pods") else Plan()
        ),
        KEY,
    )
    made = pods_of(home)
    assert sorted(made) == ["a", "b", "c"]
    assert {p["spec"]["priority"] for p in made.values()} == {5}
    assert len({p["metadata"]["uid"] for p in made.values()}) == 3


def test_what_the_quota_has_no_room_for_is_told_on_the_owner_and_tried_again(home):
    home.put("resourcequotas", quota(pods="2"))

    def plan(view, key, now):
        missing = [n for n in "abcd" if view.get("pods", f"default/{n}") is None]
        return Plan(
            tuple(create("pods", pod(n, home.owner)) for n in missing),
            tuple(EventNote(home.owner, "SuccessfulCreate", f"Created pod: {n}") for n in missing),
        )

    home.run(plan, KEY)
    assert sorted(pods_of(home)) == ["a", "b"]
    assert sorted(events_of(home)) == [
        'FailedCreate: Error creating: pods "web-" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, '
        "limited: pods=2",
        "SuccessfulCreate: Created pod: a",
        "SuccessfulCreate: Created pod: b",
    ]
    # It is looked at again, and the quota has room by then.
    quota_now = home.view().get("resourcequotas", "default/q")
    home.change({**quota_now, "spec": {"hard": {"pods": "4"}}})
    home.clock.move(REFUSED)
    home.again(plan)
    assert sorted(pods_of(home)) == ["a", "b", "c", "d"]


def test_two_workers_that_decide_at_once_never_exceed_the_quota(home):
    home.put("resourcequotas", quota(pods="5"))
    interrupted = []

    def plan(view, key, now):
        if not interrupted:
            # Another worker plans and commits between this one's decision and its commit.
            interrupted.append(True)
            home.ledger.enqueue([Work("toy", "default/other", Trace("t", 1))], now)
            home.shell(plan, worker="w2").run("toy", ["default/other"])
        missing = [f"{key[-1]}{n}" for n in range(4)]
        missing = [n for n in missing if view.get("pods", f"default/{n}") is None]
        return Plan(tuple(create("pods", pod(n)) for n in missing))

    home.run(plan, KEY)
    assert len(pods_of(home)) == 5


def test_an_account_that_is_missing_refuses_the_pod_and_nothing_else(home):
    home.run(
        lambda view, key, now: (
            Plan(
                (
                    create("pods", pod("p", home.owner, serviceAccountName="x", **SPEC)),
                    create("configmaps", named("ConfigMap", "c")),
                )
            )
            if not view.keys("configmaps")
            else Plan()
        ),
        KEY,
    )
    assert pods_of(home) == {}
    assert home.view().get("configmaps", "default/c") is not None
    assert any('serviceaccount "x" not found' in told for told in events_of(home))


def test_a_rule_that_came_meanwhile_holds_for_what_was_decided_before(home, store: Store):
    came = []

    def plan(view, key, now):
        if view.keys("pods"):
            return Plan()
        return Plan((create("pods", pod("p")),))

    class Late:
        """A store in which a quota is made just before the first commit of a pod."""

        def __getattr__(self, name):
            return getattr(store, name)

        def commit(self, writes, **more):
            if not came and any(w.resource == "pods" for w in writes):
                came.append(True)
                home.put("resourcequotas", quota(pods="0"))
            return store.commit(writes, **more)

    home.ledger.enqueue([Work("toy", KEY, Trace("t", 1))], home.clock.now())
    home.shell(plan, store=Late()).run("toy", [KEY])
    assert came
    assert pods_of(home) == {}


def test_what_plugins_give_is_not_written_into_the_template(home):
    before = orjson.dumps(SPEC)
    home.run(
        lambda view, key, now: Plan((create("pods", pod("p")),)) if not view.keys("pods") else Plan(), KEY
    )
    assert orjson.dumps(SPEC) == before


class Webhooks:
    """Webhooks that answer as told, and take so long."""

    def __init__(self, clock, seconds=0.0, fails=False):
        self.asked = 0
        self._clock, self._seconds, self._fails = clock, seconds, fails

    def post(self, endpoint, body, seconds):
        self.asked += 1
        self._clock.move(self._seconds)
        if self._fails:
            raise CallFailed(f'Post "{endpoint.shown}": context deadline exceeded')
        uid = orjson.loads(body)["request"]["uid"]
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        return orjson.dumps({**review, "response": {"uid": uid, "allowed": True}})


@pytest.fixture
def hooked(home):
    rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    hook = {"name": "h.example.com", "rules": [rule], "clientConfig": {"url": "https://127.0.0.1:1/"}}
    home.put(
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "hooks"},
            "webhooks": [hook],
        },
    )
    return home


def wanting(count):
    def plan(view, key, now):
        names = [f"p{n}" for n in range(count) if view.get("pods", f"default/p{n}") is None]
        return Plan(tuple(create("pods", pod(name)) for name in names))

    return plan


def test_webhooks_are_asked_about_each_pod(hooked, clock):
    webhooks = Webhooks(clock)
    hooked.ledger.enqueue([Work("toy", KEY, Trace("t", 1))], clock.now())
    hooked.shell(wanting(20), webhooks=webhooks).run("toy", [KEY])
    assert len(pods_of(hooked)) == 20
    assert webhooks.asked == 20


def test_what_webhooks_have_no_time_for_comes_soon(hooked, clock):
    webhooks = Webhooks(clock, seconds=1.0)
    hooked.ledger.enqueue([Work("toy", KEY, Trace("t", 1))], clock.now())
    hooked.shell(wanting(30), webhooks=webhooks).run("toy", [KEY])
    assert 5 <= len(pods_of(hooked)) < 30
    for _ in range(10):
        clock.move(1)
        hooked.ledger.sweep(clock.now())
        hooked.shell(wanting(30), webhooks=webhooks).run("toy", [KEY])
    assert len(pods_of(hooked)) == 30


def test_one_that_does_not_answer_is_not_waited_for_again_and_again(hooked, clock):
    webhooks = Webhooks(clock, fails=True)
    hooked.ledger.enqueue([Work("toy", KEY, Trace("t", 1))], clock.now())
    hooked.shell(wanting(500), webhooks=webhooks).run("toy", [KEY])
    assert pods_of(hooked) == {}
    assert webhooks.asked <= 16
