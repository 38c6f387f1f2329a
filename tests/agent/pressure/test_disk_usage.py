"""What pods take of the disk, and which are evicted for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.objects.change import Object
from workers.agent.pressure.disk_usage import VOLUME, is_limited, too_much
from workers.runtime import disk_usage

MIB = 1 << 20


def pod(*limits: str, **size_limits: str) -> Object:
    containers: list[Object] = [
        {"name": f"c{i}", "resources": {"limits": {"ephemeral-storage": limit}} if limit else {}}
        for i, limit in enumerate(limits)
    ]
    volumes: list[Object] = [{"name": n, "emptyDir": {"sizeLimit": s}} for n, s in size_limits.items()]
    return {"metadata": {}, "spec": {"containers": containers, "volumes": volumes}}


@pytest.mark.parametrize(
    ("body", "used", "why"),
    [
        (pod("8Mi"), {"c0": 8 * MIB}, ""),
        (
            pod("8Mi"),
            {"c0": 8 * MIB + 1},
            "Pod ephemeral local storage usage exceeds the total limit of containers 8Mi. ",
        ),
        (
            pod("8Mi", "8Mi"),
            {"c0": 9 * MIB},
            'Container c0 exceeded its local ephemeral storage limit "8Mi". ',
        ),
        (
            pod("8Mi", v="1Mi"),
            {"c0": 0, f"{VOLUME}v": 2 * MIB},
            'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
        ),
        (
            pod("8Mi", ""),
            {"c0": 4 * MIB, "c1": 4 * MIB, f"{VOLUME}w": MIB},
            "Pod ephemeral local storage usage exceeds the total limit of containers 8Mi. ",
        ),
        (pod(""), {"c0": 1 << 40}, ""),
    ],
)
def test_who_takes_more_than_they_may(body: Object, used: dict[str, int], why: str) -> None:
    assert too_much(body, used) == why


def test_only_pods_with_limits_are_looked_at() -> None:
    assert [is_limited(p) for p in (pod(""), pod("1Gi"), pod("", v="1Gi"))] == [False, True, True]


def test_a_folder_is_measured_as_a_disk_does(tmp_path: Path) -> None:
    empty = disk_usage.of_folder(tmp_path)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "big").write_bytes(b"x" * MIB)
    os.link(tmp_path / "below" / "big", tmp_path / "again")
    (tmp_path / "elsewhere").symlink_to("/usr")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)

    assert MIB <= disk_usage.of_folder(tmp_path) - empty < MIB + 64 * 1024
    assert disk_usage.of_folder(tmp_path / "missing") == 0
    assert disk_usage.of_files(tmp_path / "below" / "big", tmp_path / "none") >= MIB
