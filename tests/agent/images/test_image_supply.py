"""Pods get their images: pull policies, logins, back-off, and what users are told."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.agent.images.store import ImageWorld, pull_secret, secret_of
from tests.agent.world import pod, waiting
from workers.runtime.image_store import Transfer
from workers.runtime.protocol import ContainerError

WEB = "r.example.com/web:1"
LOGIN = ("me", "secret")


@pytest.fixture
def world(tmp_path: Path) -> ImageWorld:
    return ImageWorld(tmp_path)


def runs(world: ImageWorld, uid: str) -> bool:
    return bool(world.status(uid).get("phase") == "Running")


def test_an_image_that_is_missing_is_pulled_and_both_ends_are_told(world: ImageWorld) -> None:
    world.store.serve(WEB)
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert runs(world, uid)
    assert world.said(uid, "Pulling") == [f'Pulling image "{WEB}"']
    assert world.said(uid, "Pulled") == [
        f'Successfully pulled image "{WEB}" in 0s (0s including waiting). Image size: 1000 bytes.'
    ]


def test_an_image_that_is_here_is_not_pulled(world: ImageWorld) -> None:
    world.store.put(WEB)
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert runs(world, uid)
    assert world.store.pulled == []
    assert world.said(uid, "Pulled") == [
        f'Container image "{WEB}" already present on machine and can be accessed by the pod'
    ]


def test_always_asks_the_registry_though_the_image_is_here(world: ImageWorld) -> None:
    world.store.serve(WEB)
    world.store.put(WEB)
    uid = world.api.put(pod(image=WEB, imagePullPolicy="Always"))
    world.change()
    assert runs(world, uid)
    assert world.store.pulled == [(WEB, "")]
    assert "Successfully pulled" in world.said(uid, "Pulled")[0]


def test_never_does_not_pull_and_starts_once_the_image_is_here(world: ImageWorld) -> None:
    world.store.serve(WEB)
    uid = world.api.put(pod(image=WEB, imagePullPolicy="Never"))
    world.change()
    assert waiting(world.status(uid)) == "ErrImageNeverPull"
    assert world.store.pulled == []
    said = f'Container image "{WEB}" is not present with pull policy of Never'
    assert world.said(uid, "ErrImageNeverPull") == [said]
    assert world.said(uid, "Failed") == ["Error: ErrImageNeverPull"]
    world.store.put(WEB)
    world.run(11)
    assert runs(world, uid)


def test_a_name_that_is_none_is_told(world: ImageWorld) -> None:
    uid = world.api.put(pod(image="r.example.com/Web:1"))
    world.change()
    assert waiting(world.status(uid)) == "InvalidImageName"
    [said] = world.said(uid, "InspectFailed")
    assert said.startswith(
        'Failed to apply default image tag "r.example.com/Web:1": couldn\'t parse image name'
    )
    assert world.said(uid, "Failed") == ["Error: InvalidImageName"]


def test_a_digest_says_which_image_whatever_the_tag(world: ImageWorld) -> None:
    digest = "r.example.com/web@sha256:" + "a" * 64
    world.store.serve(digest)
    uid = world.api.put(pod(image=digest.replace("@", ":7@")))
    world.change()
    assert runs(world, uid)
    assert world.store.pulled == [(digest, "")]


def test_a_failed_pull_is_shown_then_its_back_off_which_doubles(world: ImageWorld) -> None:
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert waiting(world.status(uid)) == "ErrImagePull"
    assert f'Failed to pull image "{WEB}": manifest unknown' in world.said(uid, "Failed")
    assert "Error: ErrImagePull" in world.said(uid, "Failed")
    world.run(3)
    assert waiting(world.status(uid)) == "ImagePullBackOff"
    state = world.status(uid)["containerStatuses"][0]["state"]["waiting"]
    assert state["message"] == f'Back-off pulling image "{WEB}": ErrImagePull: manifest unknown'
    assert world.said(uid, "BackOff") == [f'Back-off pulling image "{WEB}"']
    tries = []
    for _ in range(80):
        before = len(world.store.pulled)
        world.run(10)
        tries += [world.clock.at] if len(world.store.pulled) > before else []
    waits = [round(b - a, -1) for a, b in itertools.pairwise(tries)]
    assert waits[:5] == [20, 40, 80, 160, 300]


def test_a_pull_that_works_at_last_starts_the_pod(world: ImageWorld) -> None:
    uid = world.api.put(pod(image=WEB))
    world.change()
    world.store.serve(WEB)
    world.run(11)
    assert runs(world, uid)


def test_a_registry_that_does_not_answer_has_its_own_reason(world: ImageWorld) -> None:
    world.store.fails = "RegistryUnavailable"
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert waiting(world.status(uid)) == "RegistryUnavailable"
    state = world.status(uid)["containerStatuses"][0]["state"]["waiting"]
    assert state["message"].startswith(
        f"image pull failed for {WEB} because the registry is unavailable: dial"
    )
    world.run(3)
    assert waiting(world.status(uid)) == "ImagePullBackOff"


def test_an_engine_that_went_away_is_not_the_images_fault(world: ImageWorld) -> None:
    world.store.serve(WEB)
    world.store.fails = "RuntimeUnavailable"
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert not runs(world, uid)
    assert world.said(uid, "Failed") == []
    world.store.fails = ""
    world.run(5)
    assert runs(world, uid)


def test_the_pods_secret_opens_the_registry(world: ImageWorld) -> None:
    world.store.serve(WEB, LOGIN)
    world.api.set_object("secrets default/reg", pull_secret("reg", r_example_com=LOGIN))
    uid = world.put_pod(pod(image=WEB), "reg")
    world.change()
    assert runs(world, uid)
    assert world.store.pulled == [(WEB, "me")]


def test_secrets_are_tried_until_one_works(world: ImageWorld) -> None:
    world.store.serve(WEB, LOGIN)
    world.api.set_object("secrets default/old", pull_secret("old", r_example_com=("me", "wrong")))
    world.api.set_object("secrets default/new", pull_secret("new", r_example_com=LOGIN))
    uid = world.put_pod(pod(image=WEB), "old", "new")
    world.change()
    assert runs(world, uid)
    assert len(world.store.pulled) == 2


def test_a_missing_secret_is_told_and_the_pull_tried_without(world: ImageWorld) -> None:
    world.store.serve(WEB)
    world.api.set_object("secrets default/reg", None)
    uid = world.put_pod(pod(image=WEB), "reg")
    world.change()
    assert runs(world, uid)
    assert world.said(uid, "FailedToRetrieveImagePullSecret") == [
        "Unable to retrieve some image pull secrets (reg); attempting to pull the image may not succeed."
    ]


def test_a_secret_that_can_not_be_read_is_told(world: ImageWorld) -> None:
    world.store.serve(WEB)
    world.api.set_object("secrets default/reg", secret_of("reg", ["no"]))
    uid = world.put_pod(pod(image=WEB), "reg")
    world.change()
    assert runs(world, uid)
    assert 'secret "reg" holds no logins' in world.said(uid, "FailedToRetrieveImagePullSecret")[0]


def test_a_secret_that_comes_later_ends_the_back_off(world: ImageWorld) -> None:
    world.store.serve(WEB, LOGIN)
    world.api.set_object("secrets default/reg", None)
    uid = world.put_pod(pod(image=WEB), "reg")
    world.change()
    world.run(40)
    assert waiting(world.status(uid)) == "ImagePullBackOff"
    world.api.set_object("secrets default/reg", pull_secret("reg", r_example_com=LOGIN))
    world.change()
    assert runs(world, uid)


def test_an_image_pulled_with_a_login_is_not_given_to_a_pod_without(world: ImageWorld) -> None:
    world.store.serve(WEB, LOGIN)
    world.api.set_object("secrets default/reg", pull_secret("reg", r_example_com=LOGIN))
    owner = world.put_pod(pod("owner", image=WEB), "reg")
    world.change()
    stranger, other = world.api.put(pod("stranger", image=WEB)), world.put_pod(pod("other", image=WEB), "reg")
    never = world.api.put(pod("never", image=WEB, imagePullPolicy="Never"))
    world.change()
    assert runs(world, owner)
    assert runs(world, other)
    assert waiting(world.status(stranger)) == "ErrImagePull"
    assert waiting(world.status(never)) == "ErrImageNeverPull"
    world.begin()
    late = world.api.put(pod("late", image=WEB))
    world.change()
    assert waiting(world.status(late)) == "ErrImagePull", "a restarted agent knows it still"


def test_what_the_machine_had_before_is_everybodys(world: ImageWorld) -> None:
    world.store.serve(WEB, LOGIN)
    world.store.put(WEB)
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert runs(world, uid)


def test_a_failure_of_one_image_does_not_hold_up_the_other_container(world: ImageWorld) -> None:
    world.store.put("ok:1")
    wanted = pod(image=WEB)
    wanted["spec"]["containers"].append({"name": "beside", "image": "ok:1"})
    uid = world.api.put(wanted)
    world.change()
    states = {c["name"]: c["state"] for c in world.status(uid)["containerStatuses"]}
    assert "running" in states["beside"]
    assert "waiting" in states["web"]


def test_another_image_is_pulled_at_once_when_a_pod_is_given_it(world: ImageWorld) -> None:
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert waiting(world.status(uid)) == "ErrImagePull"
    world.store.serve("r.example.com/web:2")
    world.api.put({**pod(image="r.example.com/web:2"), "status": world.status(uid)})
    world.change()
    world.run(3)
    assert runs(world, uid)


def test_an_image_removed_behind_the_agents_back_is_pulled_again(world: ImageWorld, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from workers.runtime.image_store import ImageGone

    world.store.serve(WEB)
    world.store.put(WEB)
    start = world.runtime.start_container

    def gone_once(ref, spec):  # type: ignore[no-untyped-def]
        if not world.store.pulled:
            world.store.remove(WEB)
            raise ImageGone("CreateContainerError", "No such image")
        return start(ref, spec)

    monkeypatch.setattr(world.runtime, "start_container", gone_once)
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert runs(world, uid)
    assert world.store.pulled == [(WEB, "")]


def test_a_pull_that_fails_by_surprise_is_a_failed_pull(world: ImageWorld) -> None:
    def breaks(transfer: Transfer) -> None:
        raise ContainerError("ErrImagePull", "unexpected EOF")

    world.store.serve(WEB)
    world.store.during = breaks
    uid = world.api.put(pod(image=WEB))
    world.change()
    assert waiting(world.status(uid)) == "ErrImagePull"
    world.store.during = lambda transfer: None
    world.run(11)
    assert runs(world, uid)
