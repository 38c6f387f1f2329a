"""From security contexts to what a runtime is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.objects.change import Object
from workers.agent.configuring.security import check_non_root, context_of, security
from workers.agent.configuring.sources import ConfigError
from workers.runtime.security import UNPRIVILEGED, Seccomp, Security

WHERE = r'\(pod: "web_default\(u\)", container: main\)'


def pod(of_pod: dict[str, Any] | None = None, of_container: dict[str, Any] | None = None) -> Object:
    return {
        "metadata": {"name": "web", "namespace": "default", "uid": "u"},
        "spec": {
            "securityContext": of_pod or {},
            "containers": [{"name": "main", "image": "web", "securityContext": of_container or {}}],
        },
    }


def told(of_pod: dict[str, Any], of_container: dict[str, Any], profiles: Path = Path()) -> Security:
    asked = pod(of_pod, of_container)
    return security(context_of(asked, asked["spec"]["containers"][0]), profiles)


def test_a_container_overrides_its_pod_field_by_field() -> None:
    found = told(
        {
            "seccompProfile": {"type": "RuntimeDefault"},
            "seLinuxOptions": {"level": "s0"},
            "supplementalGroups": [7],
        },
        {"seccompProfile": {"type": "Unconfined"}, "seLinuxOptions": {"type": "t"}},
    )
    assert found.seccomp is Seccomp.UNCONFINED
    assert found.se_linux == (("type", "t"),)
    assert found.groups == (7,)


def test_what_says_nothing_asks_for_nothing() -> None:
    assert told({}, {}) == UNPRIVILEGED
    assert told({}, {"allowPrivilegeEscalation": True, "procMount": "Default"}) == UNPRIVILEGED


def test_capabilities_have_one_name_however_they_are_written() -> None:
    found = told({}, {"capabilities": {"add": ["CAP_NET_ADMIN", "net_admin"], "drop": ["all"]}})
    assert (found.add, found.drop) == (("NET_ADMIN",), ("ALL",))


def test_the_group_of_the_volumes_is_the_containers_too() -> None:
    assert told({"supplementalGroups": [7, 8], "fsGroup": 8}, {}).groups == (7, 8)


def test_a_seccomp_profile_is_read_from_the_nodes_folder_and_from_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/strict.json").write_text("{}")
    (tmp_path / "other.json").write_text("{}")
    (folder / "link.json").symlink_to(tmp_path / "other.json")

    def read(name: str) -> Security:
        return told({}, {"seccompProfile": {"type": "Localhost", "localhostProfile": name}}, folder)

    assert read("deep/strict.json").profile == "{}"
    with pytest.raises(ConfigError, match="cannot load seccomp profile"):
        read("missing.json")
    for outside in ("link.json", "../other.json"):
        with pytest.raises(ConfigError, match="must lie in"):
            read(outside)


@pytest.mark.parametrize(
    ("of_pod", "of_container", "image_user", "message"),
    [
        ({"runAsNonRoot": True}, {}, "", f"container has runAsNonRoot and image will run as root {WHERE}"),
        ({"runAsNonRoot": True}, {}, "0:0", f"container has runAsNonRoot and image will run as root {WHERE}"),
        (
            {"runAsNonRoot": True},
            {},
            "www:www",
            rf"container has runAsNonRoot and image has non-numeric user \(www\), cannot verify user is non-root {WHERE}",
        ),
        ({}, {"runAsNonRoot": True, "runAsUser": 0}, "5", "container's runAsUser breaks non-root policy"),
        ({"runAsUser": 0}, {"runAsNonRoot": True}, "5", "container's runAsUser breaks non-root policy"),
    ],
)
def test_a_container_that_would_run_as_root_against_its_word_is_stopped(
    of_pod: dict[str, Any], of_container: dict[str, Any], image_user: str, message: str
) -> None:
    asked = pod(of_pod, of_container)
    with pytest.raises(ConfigError, match=message):
        check_non_root(asked, asked["spec"]["containers"][0], image_user)


@pytest.mark.parametrize(
    ("of_pod", "of_container", "image_user"),
    [
        ({}, {}, ""),
        ({"runAsNonRoot": True}, {}, "1000:0"),
        ({"runAsNonRoot": True}, {"runAsUser": 7}, "root"),
        ({"runAsNonRoot": True}, {"runAsNonRoot": False}, ""),
    ],
)
def test_a_container_that_is_not_root_or_may_be_goes_on(
    of_pod: dict[str, Any], of_container: dict[str, Any], image_user: str
) -> None:
    asked = pod(of_pod, of_container)
    check_non_root(asked, asked["spec"]["containers"][0], image_user)
