"""Whole lives of pods in a model: every order of events, every moment at which an agent may die."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from app.objects.change import Object
from tests.agent.model import FOREVER, START, Model, Script, asked, has_hook, main_names, sidecars

RUNS = st.tuples(st.sampled_from([0.0, 1.0, 30.0]), st.sampled_from([0, 1]))
# Of init containers the last run succeeds, so that there is an end.
ENDS_WELL = st.lists(RUNS, max_size=2).map(lambda runs: (*runs, (1.0, 0)))
ENDS_OR_STAYS = st.lists(RUNS, max_size=2).flatmap(
    lambda runs: st.sampled_from([(*runs, (FOREVER, 0)), (*runs, (1.0, 0))])
)
STAYS = st.lists(RUNS, max_size=2).map(lambda runs: (*runs, (FOREVER, 0)))


def script(runs: st.SearchStrategy[tuple[tuple[float, int], ...]], hooks: bool) -> st.SearchStrategy[Script]:
    return st.builds(
        Script,
        runs=runs,
        stops_in=st.sampled_from([0.0, 0.5, 3.0, 99.0]),
        starts_in=st.sampled_from([0.0, 2.0]) if hooks else st.just(0.0),
        hook=st.sampled_from([0.5, 4.0, 50.0]),
        greets=st.sampled_from([False, False, True]) if hooks else st.just(False),
        bows=st.booleans() if hooks else st.just(False),
    )


@st.composite
def pods(draw: st.DrawFn, restart: str | None = None) -> tuple[Object, dict[str, Script]]:
    count = draw(st.sampled_from([0, 1, 2, 3, 3]))
    inits = [(name, draw(st.sampled_from([True, True, False]))) for name in ("a", "b", "c")[:count]]
    mains = ["x", "y"][: draw(st.integers(1, 2))]
    policy = restart or draw(st.sampled_from(["Always", "OnFailure", "Never"]))
    scripts = {name: draw(script(STAYS if sidecar else ENDS_WELL, sidecar)) for name, sidecar in inits}
    stays = STAYS if policy == "Always" else ENDS_OR_STAYS
    scripts |= {name: draw(script(stays, True)) for name in mains}
    return asked(inits, mains, scripts, restart=policy, grace=draw(st.sampled_from([0, 1, 10, 10]))), scripts


MOMENTS = st.lists(st.integers(2, 40).map(lambda n: n / 2), max_size=3, unique=True).map(tuple)
DELETED = st.sampled_from(
    [FOREVER, START + 0.2, START + 1.5, START + 4.5, START + 33.0, START + 500.0, START + 900.0]
)


@settings(max_examples=250, deadline=None)
@given(pod=pods(), moments=MOMENTS)
def test_wherever_its_agent_dies_a_pod_ends_where_an_undisturbed_one_does(
    pod: tuple[Object, dict[str, Script]], moments: tuple[float, ...]
) -> None:
    calm = Model(*pod).run()
    disturbed = Model(*pod, dies_at=moments).run()
    assert disturbed.running == calm.running
    assert disturbed.status["phase"] == calm.status["phase"]
    truths = [
        {c["type"]: (c["status"], c.get("reason")) for c in model.status["conditions"]}
        for model in (calm, disturbed)
    ]
    assert truths[0] == truths[1]
    for section in ("containerStatuses", "initContainerStatuses"):
        for one, other in zip(calm.status.get(section, ()), disturbed.status.get(section, ()), strict=True):
            assert one["ready"] == other["ready"]
            if one["name"] not in sidecars(pod[0]):
                # How often a sidecar restarts before it is told to end is a matter of time.
                assert one["restartCount"] == other["restartCount"]


@settings(max_examples=250, deadline=None)
@given(pod=pods(), deleted=DELETED, moments=MOMENTS, within=st.sampled_from([None, 0, 3]))
def test_a_deleted_pod_is_gone_in_the_end_and_nothing_of_it_starts_after_its_deletion(
    pod: tuple[Object, dict[str, Script]], deleted: float, moments: tuple[float, ...], within: int | None
) -> None:
    model = Model(*pod, deleted_at=deleted, deleted_within=within, dies_at=moments).run()
    assert model.finished is (deleted < FOREVER)
    assert not [each for each in model.story if each.what in ("start", "postStart") and each.deleting]
    if model.finished:
        assert model.state is None


@settings(max_examples=250, deadline=None)
@given(pod=pods(), deleted=DELETED)
def test_an_undisturbed_agent_does_nothing_twice(
    pod: tuple[Object, dict[str, Script]], deleted: float
) -> None:
    model = Model(*pod, deleted_at=deleted).run()
    for what in ("start", "postStart", "preStop", "term"):
        counts = Counter(each.id for each in model.happened(what))
        # A pod that is deleted while it ends for another reason keeps the signal it got.
        assert all(count == 1 for count in counts.values()), (what, counts)


@settings(max_examples=250, deadline=None)
@given(pod=pods(), deleted=DELETED, moments=MOMENTS)
def test_nothing_starts_before_what_comes_first(
    pod: tuple[Object, dict[str, Script]], deleted: float, moments: tuple[float, ...]
) -> None:
    wanted, scripts = pod
    model = Model(wanted, scripts, deleted_at=deleted, dies_at=moments).run()
    mains, aside = main_names(wanted), set(sidecars(wanted))
    order = [c["name"] for c in wanted["spec"]["initContainers"]]
    seen: dict[str, float] = {}
    for each in model.story:
        if each.what == "end" and each.name not in aside:
            seen[each.name] = each.at
        if each.what != "start":
            continue
        earlier = order if each.name in mains else order[: order.index(each.name)]
        first = each.id.endswith("-0")
        for name in earlier:
            if name in aside:
                begun = [e.at for e in model.happened("start") if e.name == name and e.at <= each.at]
                assert begun
                # One that is restarted holds nothing up any more.
                if first and name in each.running and len(begun) == 1:
                    assert each.at >= max(begun) + scripts[name].starts_in
            else:
                assert name in seen
                assert name not in each.running
        if each.name not in mains and each.name not in aside:
            assert not each.running & (set(order) - aside)
            assert not each.running & mains


@settings(max_examples=250, deadline=None)
@given(pod=pods())
def test_a_post_start_hook_holds_up_the_starts_of_those_after_it(
    pod: tuple[Object, dict[str, Script]],
) -> None:
    wanted, scripts = pod
    model = Model(wanted, scripts).run()
    order = [c["name"] for c in (*wanted["spec"]["initContainers"], *wanted["spec"]["containers"])]
    for each in model.happened("start"):
        for hook in model.happened("postStart"):
            under_way = hook.at <= each.at < hook.at + scripts[hook.name].hook and hook.name in each.running
            assert not (under_way and order.index(hook.name) < order.index(each.name))


@settings(max_examples=250, deadline=None)
@given(pod=pods(), deleted=DELETED, moments=MOMENTS)
def test_sidecars_get_sigterm_after_what_they_serve_the_last_one_first_unless_time_is_up(
    pod: tuple[Object, dict[str, Script]], deleted: float, moments: tuple[float, ...]
) -> None:
    wanted, scripts = pod
    model = Model(wanted, scripts, deleted_at=deleted, dies_at=moments).run()
    grace = wanted["spec"]["terminationGracePeriodSeconds"]
    order = sidecars(wanted)
    regular = {c["name"] for c in wanted["spec"]["initContainers"]} - set(order) | main_names(wanted)
    ends = [each.at for each in model.story if each.what in ("term", "preStop")]
    for each in model.happened("term"):
        if each.name not in order:
            continue
        ahead = regular | set(order[order.index(each.name) + 1 :])
        # Without an agent that died, time is up when the first one was asked to end so long ago.
        if each.running & ahead and not model.deaths:
            assert each.at >= min(ends) + grace
        if each.running & ahead:
            assert each.left <= 2.0 or grace == 0


@settings(max_examples=250, deadline=None)
@given(pod=pods(), deleted=DELETED, moments=MOMENTS)
def test_hooks_run_before_the_signal_and_never_for_what_ended_by_itself(
    pod: tuple[Object, dict[str, Script]], deleted: float, moments: tuple[float, ...]
) -> None:
    wanted, scripts = pod
    model = Model(wanted, scripts, deleted_at=deleted, dies_at=moments).run()
    ended: set[str] = set()
    bowed: dict[str, float] = {}
    period = wanted["spec"]["terminationGracePeriodSeconds"]
    for each in model.story:
        if each.what == "end":
            ended.add(each.id)
        if each.what in ("preStop", "postStart", "term"):
            assert each.id not in ended
        if each.what == "preStop":
            bowed[each.id] = each.at
        if each.what == "term" and has_hook(wanted, each.name, "preStop"):
            assert each.id in bowed or period == 0
            if period and not model.deaths:
                assert each.at >= bowed[each.id] + min(scripts[each.name].hook, period)
    for each in model.happened("preStop"):
        assert has_hook(wanted, each.name, "preStop")


@settings(max_examples=150, deadline=None)
@given(
    pod=pods(restart="Always"), moments=MOMENTS, dies=st.sampled_from([START + 0.3, START + 2.5, START + 90])
)
def test_in_a_new_sandbox_init_containers_run_again_before_the_others(
    pod: tuple[Object, dict[str, Script]], moments: tuple[float, ...], dies: float
) -> None:
    wanted, scripts = pod
    model = Model(wanted, scripts, sandbox_dies_at=dies, dies_at=moments).run()
    assert model.running == main_names(wanted) | set(sidecars(wanted))
    assert len(model.happened("sandbox")) >= 2
    last = max(at for at, each in enumerate(model.story) if each.what == "sandbox")
    since = model.story[last:]
    regular = {c["name"] for c in wanted["spec"]["initContainers"]} - set(sidecars(wanted))
    first = next(
        at for at, each in enumerate(since) if each.what == "start" and each.name in main_names(wanted)
    )
    assert regular <= {each.name for each in since[:first] if each.what == "end"}


@settings(max_examples=150, deadline=None)
@given(pod=pods(restart="Never"))
def test_a_pods_end_is_that_of_its_main_containers_whatever_its_sidecars_do(
    pod: tuple[Object, dict[str, Script]],
) -> None:
    wanted, scripts = pod
    ending = {
        name: replace(each, runs=((1.0, each.runs[0][1]),)) if name in main_names(wanted) else each
        for name, each in scripts.items()
    }
    ending = {
        name: replace(each, runs=((1.0, 0),)) if name not in main_names(wanted) and each.runs[-1][0] < FOREVER
        else each
        for name, each in ending.items()
    }  # fmt: skip
    model = Model(wanted, ending).run()
    assert not model.running
    failed = any(ending[name].runs[0][1] for name in main_names(wanted))
    assert model.status["phase"] == ("Failed" if failed else "Succeeded")
