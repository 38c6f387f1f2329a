from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from app.objects.change import Object
from tests.agent.world import pod
from workers.agent.sources import ConfigError, Sources
from workers.agent.volumes import Volumes, refusals, remove, write_atomically


def with_volumes(*volumes: Object, **container: Any) -> Object:
    asked = pod(**container)
    asked["spec"]["volumes"] = list(volumes)
    asked["metadata"]["labels"] = {"app": "web"}
    return asked


def files(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): p.read_text()
        for top in folder.iterdir()
        if not top.name.startswith("..")
        for p in ([top] if top.is_file() else top.rglob("*"))
        if p.is_file()
    }


def test_content_changes_in_one_step_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    write_atomically(folder, {"a": (b"1", 0o644), "dir/b": (b"2", 0o600)})
    assert files(folder) == {"a": "1", "dir/b": "2"}
    assert (folder / "dir/b").stat().st_mode & 0o777 == 0o600
    open_before = (folder / "a").open()
    version = os.readlink(folder / "..data")
    write_atomically(folder, {"a": (b"9", 0o644), "c": (b"3", 0o644)})
    assert files(folder) == {"a": "9", "c": "3"}
    assert open_before.read() == "1"
    assert os.readlink(folder / "..data") != version
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["..data", os.readlink(folder / "..data"), "a", "c"]
    )


def test_unchanged_content_is_not_written_again(tmp_path: Path) -> None:
    write_atomically(tmp_path / "v", {"a": (b"1", 0o644)})
    before = (tmp_path / "v" / "a").stat()
    write_atomically(tmp_path / "v", {"a": (b"1", 0o644)})
    assert (tmp_path / "v" / "a").stat().st_ino == before.st_ino


def test_all_supported_kinds_become_folders_and_mounts(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "scratch", "emptyDir": {}},
        {"name": "conf", "configMap": {"name": "cm", "items": [{"key": "a", "path": "x/a.txt"}]}},
        {"name": "machine", "hostPath": {"path": str(tmp_path)}},
        {
            "name": "mix",
            "projected": {
                "sources": [
                    {"secret": {"name": "s"}},
                    {
                        "downwardAPI": {
                            "items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
                        }
                    },
                ]
            },
        },
        volumeMounts=[
            {"name": "scratch", "mountPath": "/tmp/s"},
            {"name": "conf", "mountPath": "/etc/conf"},
            {"name": "machine", "mountPath": "/machine", "readOnly": True},
            {"name": "scratch", "mountPath": "/deep", "subPath": "in/here"},
        ],
    )
    assert refusals(asked) == []
    volumes = Volumes(tmp_path / "pod", asked)
    objects: dict[str, Object | None] = {
        "configmaps default/cm": {"data": {"a": "A", "b": "B"}},
        "secrets default/s": {"data": {"k": "aHVzaA=="}},
    }
    volumes.write(Sources(asked, objects))
    root = tmp_path / "pod" / "volumes"
    assert files(root / "conf") == {"x/a.txt": "A"}
    assert files(root / "mix") == {"k": "hush", "labels": 'app="web"'}
    assert [(m.target, m.read_only) for m in volumes.mounts(asked["spec"]["containers"][0])] == [
        ("/deep", False), ("/etc/conf", True), ("/machine", True), ("/tmp/s", False),
    ]  # fmt: skip
    assert (root / "scratch/in/here").is_dir()
    remove(tmp_path / "pod")
    assert not (tmp_path / "pod").exists()


@pytest.mark.parametrize(
    ("volume", "mount", "message"),
    [
        ({"emptyDir": {}}, {"name": "other", "mountPath": "/x"}, 'no volume with name "other"'),
        ({"emptyDir": {}}, {"name": "v", "mountPath": "/x", "subPath": "../out"}, "must stay inside"),
    ],
)
def test_a_mount_must_name_a_volume_and_stay_inside(
    tmp_path: Path, volume: Object, mount: Object, message: str
) -> None:
    asked = with_volumes({"name": "v", **volume}, volumeMounts=[mount])
    with pytest.raises(ConfigError, match=message):
        Volumes(tmp_path, asked).mounts(asked["spec"]["containers"][0])


def test_a_path_of_an_item_must_stay_inside_its_volume(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "v", "configMap": {"name": "cm", "items": [{"key": "a", "path": "../../x"}]}}
    )
    with pytest.raises(ConfigError, match="must stay inside"):
        Volumes(tmp_path, asked).write(Sources(asked, {"configmaps default/cm": {"data": {"a": "1"}}}))


def test_a_host_path_is_checked_against_its_type(tmp_path: Path) -> None:
    asked = with_volumes({"name": "v", "hostPath": {"path": str(tmp_path / "no"), "type": "Directory"}})
    with pytest.raises(ConfigError, match="is not a Directory"):
        Volumes(tmp_path, asked).write(Sources(asked, {}))


def test_a_service_account_token_is_refused_by_its_field() -> None:
    asked = with_volumes({"name": "v", "projected": {"sources": [{"clusterTrustBundle": {"path": "t"}}]}})
    assert refusals(asked) == [
        "spec.volumes[0].projected.sources[0].clusterTrustBundle: this kind of source is not supported"
    ]
