"""The engine's images, pulled from a registry of the test's own on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import docker
import pytest

from tests.contracts.runtime_subjects import DockerSubject, eventually
from tests.images import local
from tests.images.registry import Registry
from workers.runtime import images
from workers.runtime.docker.images import Images
from workers.runtime.docker.pull import refusal
from workers.runtime.image_store import ImageGone, KeepsImages, Login, NamesImages, Transfer
from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError, ContainerSpec

pytestmark = pytest.mark.xdist_group("docker")
LARGE = 300_000


@pytest.fixture
def registry(engine: docker.APIClient) -> Iterator[Registry]:
    made = Registry()
    yield made
    made.remove_images(engine)
    made.close()


@pytest.fixture
def store(engine: docker.APIClient) -> Images:
    return Images(engine)


def named(registry: Registry, name: str) -> Image:
    return images.parse(f"{registry.host}/{name}")


def test_an_image_is_pulled_once_checked_again_and_found_by_tag_and_digest(
    registry: Registry, store: Images
) -> None:
    digest = registry.push("team/web", "1", LARGE)
    web = named(registry, "team/web:1")
    assert store.find(web) is None
    transfer = Transfer()
    found = store.pull(web, None, transfer)
    assert transfer.done == transfer.total > LARGE
    assert found.digests == (f"{registry.host}/team/web@{digest}",)
    assert found.size > LARGE
    sent = list(registry.blobs)
    assert store.pull(web, None, Transfer()) == found
    assert registry.blobs == sent, "nothing is fetched anew"
    by_digest = named(registry, f"team/web:other@{digest}")
    assert store.find(by_digest) == found
    assert found in store.all()
    shown = store.shown(web.shown, found.id)
    assert shown == (f"{registry.host}/team/web:1", f"docker-pullable://{registry.host}/team/web@{digest}")
    store.remove(web.reference)
    store.remove(web.reference)
    assert store.find(web) is None
    assert store.find(by_digest) is None


def test_a_newer_image_of_the_same_tag_is_fetched(registry: Registry, store: Images) -> None:
    registry.push("team/web")
    web = named(registry, "team/web:1")
    first = store.pull(web, None, Transfer())
    registry.push("team/web")
    second = store.pull(web, None, Transfer())
    assert first.id != second.id
    assert store.find(web) == second
    store.remove(first.id)
    assert first.id not in {each.id for each in store.all()}


@pytest.mark.parametrize("tokens", [False, True], ids=["basic", "token"])
def test_a_registry_wants_the_right_login(registry: Registry, store: Images, tokens: bool) -> None:
    registry.push("team/web")
    registry.users, registry.tokens = {"me": "secret"}, tokens
    web = named(registry, "team/web:1")
    for login in (None, Login("me", "wrong")):
        with pytest.raises(ContainerError) as refused:
            store.pull(web, login, Transfer())
        assert refused.value.reason == "ErrImagePull"
    assert store.pull(web, Login("me", "secret"), Transfer()).digests


def test_what_the_registry_does_not_have_or_say_is_told(registry: Registry, store: Images) -> None:
    with pytest.raises(ContainerError, match="manifest unknown") as refused:
        store.pull(named(registry, "team/none:1"), None, Transfer())
    assert refused.value.reason == "ErrImagePull"
    registry.down = 503
    with pytest.raises(ContainerError, match="503") as refused:
        store.pull(named(registry, "team/none:1"), None, Transfer())
    assert refused.value.reason == "RegistryUnavailable"
    with pytest.raises(ContainerError, match=r"registry\.invalid") as refused:
        store.pull(images.parse("registry.invalid/absent:1"), None, Transfer())
    assert refused.value.reason == "ErrImagePull"


def test_a_pull_that_is_cancelled_ends_at_once_and_leaves_nothing(registry: Registry, store: Images) -> None:
    registry.push("team/web", size=LARGE)
    registry.held.clear()
    web, transfer = named(registry, "team/web:1"), Transfer()
    said: list[str] = []

    def pull() -> None:
        with pytest.raises(ContainerError) as ended:
            store.pull(web, None, transfer)
        said.append(ended.value.message)

    puller = threading.Thread(target=pull)
    puller.start()
    eventually(lambda: transfer.done > 0, "bytes flow")
    assert 0 < transfer.done < transfer.total
    transfer.cancel()
    puller.join(10)
    assert said == ["the pull was cancelled"]
    registry.held.set()
    eventually(lambda: registry.under_way == 0, "the engine has hung up")
    assert store.find(web) is None


def test_an_image_removed_behind_our_back_is_told_as_such(
    registry: Registry, docker_node: DockerSubject, engine: docker.APIClient
) -> None:
    runtime = docker_node.runtime()
    registry.push("team/web")
    web = named(registry, "team/web:1")
    runtime.images.pull(web, None, Transfer())
    engine.remove_image(web.reference)
    assert runtime.images.find(web), "it is not asked for again"
    sandbox = docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    with pytest.raises(ContainerError, match="No such image") as refused:
        runtime.start_container(sandbox.pod, ContainerSpec("main", 0, web.shown))
    assert isinstance(refused.value, ImageGone)
    assert runtime.images.find(web) is None


def test_images_in_use_are_known_and_one_made_here_is_shown_by_its_id(
    docker_node: DockerSubject, engine: docker.APIClient
) -> None:
    runtime = docker_node.runtime()
    assert isinstance(runtime, KeepsImages)
    assert not isinstance(runtime, NamesImages)
    sandbox = docker_node.sandbox(1)
    runtime.start_sandbox(sandbox)
    state = runtime.start_container(sandbox.pod, docker_node.container())
    made = engine.inspect_image(local.BUSYBOX)["Id"]
    assert state.image == local.BUSYBOX
    assert state.image_id.endswith(made)
    assert made in runtime.images.in_use()
    disk = runtime.images.disk()
    assert disk is not None
    assert 0 < disk.available <= disk.capacity


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("dial tcp 127.0.0.1:1: connect: connection refused", "RegistryUnavailable"),
        ("net/http: TLS handshake timeout", "RegistryUnavailable"),
        ("received unexpected HTTP status: 502 Bad Gateway", "RegistryUnavailable"),
        ("dial tcp: lookup registry.invalid: no such host", "ErrImagePull"),
        (
            "pull access denied for web, repository does not exist or may require 'docker login'",
            "ErrImagePull",
        ),
        ("toomanyrequests: You have reached your pull rate limit", "ErrImagePull"),
    ],
)
def test_a_registry_that_does_not_answer_is_told_from_one_that_refuses(said: str, reason: str) -> None:
    assert refusal(said).reason == reason
