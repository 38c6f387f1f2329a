"""Containers in the words of the engine's API, and the files of their pods."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.runtime.docker import config
from workers.runtime.docker.files import PodFiles
from workers.runtime.docker.labels import Owner
from workers.runtime.protocol import ContainerError, ContainerSpec, PodRef


@pytest.mark.parametrize(
    ("user", "image_user", "told"),
    [(None, "1000:1000", "1000:3000"), (None, "app", "app:3000"), (None, "", "0:3000"), (7, "app", "7:3000")],
)
def test_a_group_alone_leaves_the_container_the_user_of_its_image(
    user: int | None, image_user: str, told: str
) -> None:
    spec = ContainerSpec("c", 0, "web", run_as_user=user, run_as_group=3000)
    pod = PodRef("u1", "default", "web")
    assert config.container(Owner("c", "n1"), pod, spec, Path("/p"), image_user)["User"] == told


@pytest.mark.parametrize("uid", ["", ".", "..", "../n2", "/etc"])
def test_no_uid_leads_out_of_the_folder_of_all_pods(tmp_path: Path, uid: str) -> None:
    with pytest.raises(ContainerError, match="can't be the uid of a pod"):
        PodFiles(tmp_path).folder(uid)
    assert PodFiles(tmp_path).folder("u1") == tmp_path / "pods" / "u1"
