from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from app.objects.change import Object
from tests.agent.world import pod
from tests.trees import deepened
from workers.agent.configuring.sources import ConfigError, NotYetKnown, Sources
from workers.agent.volumes import content as volume_content
from workers.agent.volumes import empty_dirs, ownership
from workers.agent.volumes import mounts as volume_mounts
from workers.agent.volumes.claims import Claims
from workers.agent.volumes.folders import VolumeFolders
from workers.agent.volumes.host_path import check_host_path
from workers.agent.volumes.volumes import Means, SetUpFailed, Volumes, remove
from workers.runtime.features import Feature
from workers.runtime.host_mounts import HostMounts, mounted
from workers.runtime.mounts import BlockDevice

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away, and mount")


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
        ({"emptyDir": {}}, {"name": "v", "mountPath": "/x", "subPath": "../out"}, "must not contain '..'"),
        (
            {"emptyDir": {}},
            {"name": "v", "mountPath": "/x", "subPathExpr": "$(NO)"},
            'missing value for "NO"',
        ),
        ({"emptyDir": {}}, {"name": "v", "mountPath": "/x", "subPathExpr": "$(UP)"}, "must not contain"),
        (
            {"emptyDir": {}},
            {"name": "v", "mountPath": "/x", "subPathExpr": "$(TOP)"},
            "must not be an absolute",
        ),
    ],
)
def test_a_mount_must_name_a_volume_and_stay_inside(
    tmp_path: Path, volume: Object, mount: Object, message: str
) -> None:
    asked = with_volumes({"name": "v", **volume}, volumeMounts=[mount])
    with pytest.raises(ConfigError, match=message):
        Volumes(tmp_path, asked).mounts(asked["spec"]["containers"][0], {"UP": "../x", "TOP": "/etc"})


def test_a_path_of_an_item_must_stay_inside_its_volume(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "v", "configMap": {"name": "cm", "items": [{"key": "a", "path": "../../x"}]}}
    )
    with pytest.raises(ConfigError, match="must stay inside"):
        Volumes(tmp_path, asked).write(Sources(asked, {"configmaps default/cm": {"data": {"a": "1"}}}))


def test_a_host_path_is_checked_against_its_type(tmp_path: Path) -> None:
    asked = with_volumes({"name": "v", "hostPath": {"path": str(tmp_path / "no"), "type": "Directory"}})
    with pytest.raises(ConfigError, match="is not a directory"):
        Volumes(tmp_path, asked).write(Sources(asked, {}))


def test_each_volume_that_fails_is_told_in_kubelets_words(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "conf", "configMap": {"name": "cm"}},
        {"name": "ok", "emptyDir": {}},
        {"name": "keys", "secret": {"secretName": "s", "items": [{"key": "z", "path": "z"}]}},
    )
    objects: dict[str, Object | None] = {"configmaps default/cm": None, "secrets default/s": {"data": {}}}
    volumes = Volumes(tmp_path, asked)
    with pytest.raises(SetUpFailed) as failed:
        volumes.write(Sources(asked, objects))
    assert failed.value.messages == [
        'MountVolume.SetUp failed for volume "conf" : configmap "cm" not found',
        'MountVolume.SetUp failed for volume "keys" : references non-existent secret key: z',
    ]
    assert (tmp_path / "volumes/ok").is_dir()
    with pytest.raises(NotYetKnown):
        volumes.write(Sources(asked, {"secrets default/s": {"data": {"z": ""}}}))


def test_modes_are_the_volumes_unless_a_file_has_its_own(tmp_path: Path) -> None:
    asked = with_volumes(
        {
            "name": "v",
            "configMap": {
                "name": "cm",
                "defaultMode": 0o640,
                "items": [{"key": "a", "path": "x/a"}, {"key": "b", "path": "b", "mode": 0o400}],
            },
        }
    )
    objects: dict[str, Object | None] = {
        "configmaps default/cm": {"binaryData": {"a": "/wA="}, "data": {"b": "B"}}
    }
    Volumes(tmp_path, asked).write(Sources(asked, objects))
    root = tmp_path / "volumes/v"
    assert (root / "x/a").read_bytes() == b"\xff\0"
    assert [(root / name).stat().st_mode & 0o777 for name in ("x/a", "b")] == [0o640, 0o400]


def test_what_is_optional_may_come_later_and_go_again(tmp_path: Path) -> None:
    asked = with_volumes({"name": "v", "configMap": {"name": "cm", "optional": True}})
    volumes = Volumes(tmp_path, asked)
    for data in (None, {"data": {"a": "1"}}, {"data": {"a": "2"}}, None):
        volumes.refresh(Sources(asked, {"configmaps default/cm": data}))
        assert files(tmp_path / "volumes/v") == ((data or {}).get("data") or {})


def test_labels_are_followed(tmp_path: Path) -> None:
    asked = with_volumes(
        {
            "name": "v",
            "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]},
        }
    )
    for labels, text in (({"a": "1"}, 'a="1"'), ({"b": "x", "a": "2"}, 'a="2"\nb="x"'), ({}, "")):
        asked["metadata"]["labels"] = labels
        Volumes(tmp_path, asked).refresh(Sources(asked, {}))
        assert files(tmp_path / "volumes/v") == {"l": text}


def test_a_part_of_a_volume_is_made_with_the_modes_of_the_volume_and_never_outside(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "v", "emptyDir": {}},
        volumeMounts=[{"name": "v", "mountPath": "/x", "subPathExpr": "$(POD)/logs"}],
    )
    volumes = Volumes(tmp_path, asked)
    volumes.write(Sources(asked, {}))
    container = asked["spec"]["containers"][0]
    (made,) = volumes.mounts(container, {"POD": "web-1"})
    top = tmp_path / "volumes/v"
    assert (made.source, made.sub_path) == (str(top), "web-1/logs")
    assert (top / "web-1/logs").stat().st_mode & 0o777 == 0o777
    (tmp_path / "outside").mkdir()
    (top / "link").symlink_to(tmp_path / "outside")
    (top / "up").symlink_to("../..")
    (top / "inner").symlink_to("web-1")
    for name in ("link", "up"):
        with pytest.raises(ConfigError, match="is not within the volume"):
            volumes.mounts(container, {"POD": name})
    assert list((tmp_path / "outside").iterdir()) == []
    assert volumes.mounts(container, {"POD": "inner"})[0].sub_path == "inner/logs"


def test_what_a_pod_wrote_into_an_empty_dir_stays(tmp_path: Path) -> None:
    asked = with_volumes({"name": "v", "emptyDir": {}})
    volumes = Volumes(tmp_path, asked)
    volumes.write(Sources(asked, {}))
    top = tmp_path / "volumes/v"
    assert top.stat().st_mode & 0o777 == 0o777
    (top / "mine").write_text("x")
    top.chmod(0o700)
    volumes.write(Sources(asked, {}))
    assert (top / "mine").read_text() == "x"
    assert top.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in top.parent.iterdir()] == ["v"]


@AS_ROOT
def test_volumes_are_given_to_the_pods_group(tmp_path: Path) -> None:
    held = tmp_path / "held"
    (held / "deep").mkdir(parents=True)
    (held / "deep/file").write_text("")
    (held / "deep/file").chmod(0o600)
    (held / "out").symlink_to("/etc/hostname")
    before = os.stat("/etc/hostname")
    ownership.give(held, 4321)
    assert ownership.belongs_to(held, 4321)
    shown = {
        p: (p.stat().st_gid, p.stat().st_mode & 0o7777) for p in (held, held / "deep", held / "deep/file")
    }
    assert set(shown.values()) == {(4321, 0o2775), (4321, 0o660)}
    assert (held / "out").lstat().st_gid == 4321
    assert os.stat("/etc/hostname") == before
    asked = with_volumes({"name": "v", "emptyDir": {}})
    asked["spec"]["securityContext"] = {"fsGroup": 4321}
    Volumes(tmp_path, asked, means=Means(frozenset({Feature.GROUPS}))).write(Sources(asked, {}))
    top = (tmp_path / "volumes/v").stat()
    assert (top.st_gid, top.st_mode & 0o7777) == (4321, 0o2777)


@AS_ROOT
def test_a_claims_volume_is_given_once_for_each_pod_unless_its_top_looks_right(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    objects: dict[str, Object | None] = {
        "persistentvolumeclaims default/c": {
            "metadata": {"name": "c", "uid": "1", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": "pv"},
        },
        "persistentvolumes pv": {
            "metadata": {"name": "pv", "uid": "2"},
            "spec": {"local": {"path": str(disk)}, "claimRef": {"uid": "1"}},
        },
    }
    claims = Claims(objects, VolumeFolders(tmp_path / "own"), "n1", engine=False)

    def mounted(pod: str, policy: str) -> list[int]:
        asked = with_volumes({"name": "v", "persistentVolumeClaim": {"claimName": "c"}})
        asked["spec"]["securityContext"] = {"fsGroup": 4321, "fsGroupChangePolicy": policy}
        volumes = Volumes(tmp_path / pod, asked, claims, Means(frozenset({Feature.GROUPS})))
        (disk / pod).write_text("")
        os.chown(disk / pod, -1, 0)
        volumes.write(Sources(asked, objects))
        return [(disk / pod).stat().st_gid, disk.stat().st_gid]

    assert mounted("first", "OnRootMismatch") == [4321, 4321]
    assert mounted("second", "OnRootMismatch") == [0, 4321]
    assert mounted("third", "Always") == [4321, 4321]
    assert mounted("third", "Always") == [0, 4321]


@pytest.mark.parametrize(
    ("limits", "limit", "size"),
    [
        ([None], None, 1 << 30), ([None], "64Mi", 64 << 20), (["32Mi"], "64Mi", 32 << 20), (["32Mi", "32Mi"], None, 64 << 20),
        (["32Mi", None], None, 1 << 30), (["4Gi"], "2Gi", 1 << 30), ([None], "0", 1 << 30),
    ],
)  # fmt: skip
def test_a_volume_in_memory_is_as_large_as_kubelet_makes_it(
    limits: list[str | None], limit: str | None, size: int
) -> None:
    containers = [
        {"name": f"c{n}", "resources": {"limits": {"memory": each}} if each else {}}
        for n, each in enumerate(limits)
    ]
    asked: Object = {"spec": {"containers": containers}}
    source = {"medium": "Memory", **({"sizeLimit": limit} if limit else {})}
    assert empty_dirs.memory_size(asked, source, 1 << 30) == size


@AS_ROOT
def test_a_volume_in_memory_is_found_again_and_goes_with_the_folder(tmp_path: Path) -> None:
    mounts = HostMounts(engine=True)
    if mounts.lacking():
        pytest.skip(mounts.lacking())
    asked = with_volumes({"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}})
    asked["spec"]["securityContext"] = {"fsGroup": 4321}
    means = Means(frozenset(Feature), 1 << 30, mounts)
    Volumes(tmp_path / "a pod", asked, means=means).write(Sources(asked, {}))
    top = tmp_path / "a pod/volumes/v"
    try:
        assert top.is_mount()
        assert os.statvfs(top).f_blocks * os.statvfs(top).f_frsize == 1 << 20
        assert (top.stat().st_gid, top.stat().st_mode & 0o7777) == (4321, 0o2777)
        (top / "kept").write_text("x")
        # As an agent does that was started again.
        Volumes(tmp_path / "a pod", asked, means=means).write(Sources(asked, {}))
        assert (top / "kept").read_text() == "x"
        assert mounted().count(str(top)) == 1
    finally:
        remove(tmp_path / "a pod", mounts)
    assert not (tmp_path / "a pod").exists()
    assert str(top) not in mounted()


def test_a_token_is_for_the_user_of_all_containers_or_the_group(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        securityContext={"runAsUser": 7},
    )
    sources = Sources(asked, {}, tokens=lambda pod, source: "secret")
    (file,) = volume_content.content(asked["spec"]["volumes"][0], sources).values()
    assert (file.mode, file.user) == (0o600, 7)
    asked["spec"]["initContainers"] = [{"name": "i"}]
    (file,) = volume_content.content(asked["spec"]["volumes"][0], sources).values()
    assert (file.mode, file.user) == (0o644, None)
    asked["spec"]["securityContext"] = {"fsGroup": 1}
    (file,) = volume_content.content(asked["spec"]["volumes"][0], sources).values()
    assert (file.mode, file.user) == (0o600, None)


def test_a_share_is_a_volume_of_the_engine(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "data", "nfs": {"server": "10.0.0.5", "path": "/exports", "readOnly": True}},
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    )
    volumes = Volumes(tmp_path, asked, means=Means(frozenset({Feature.ENGINE_VOLUMES}), prefix="bp"))
    volumes.write(Sources(asked, {}))
    (mount,) = volumes.mounts(asked["spec"]["containers"][0])
    assert mount.volume is not None
    assert mount.read_only
    assert mount.volume.name == f"bp_{asked['metadata']['uid']}_data"
    assert dict(mount.volume.options) == {"device": ":/exports", "o": "addr=10.0.0.5,ro", "type": "nfs"}


@pytest.mark.parametrize(
    ("kind", "make", "wrong"),
    [
        ("", None, ""), ("DirectoryOrCreate", None, ""), ("FileOrCreate", None, ""), ("Directory", "folder", ""),
        ("File", "file", ""), ("Directory", None, "directory"), ("Directory", "file", "directory"), ("File", "folder", "file"),
        ("DirectoryOrCreate", "file", "directory"), ("FileOrCreate", "folder", "file"), ("Socket", "file", "socket file"),
        ("Socket", "socket", ""), ("CharDevice", "file", "character device"), ("BlockDevice", "file", "block device"),
    ],
)  # fmt: skip
def test_every_type_of_a_host_path_is_checked(
    tmp_path: Path, kind: str, make: str | None, wrong: str
) -> None:
    path = tmp_path / "p"
    if make == "folder":
        path.mkdir()
    elif make == "file":
        path.touch()
    elif make == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    if wrong:
        with pytest.raises(ConfigError, match=f"hostPath type check failed: {path} is not a {wrong}"):
            check_host_path({"path": str(path), "type": kind})
        return
    check_host_path({"path": str(path), "type": kind})
    assert path.is_file() == (kind in ("File", "FileOrCreate"))
    assert path.exists()


def test_devices_of_the_machine_are_told_apart() -> None:
    check_host_path({"path": "/dev/null", "type": "CharDevice"})
    with pytest.raises(ConfigError):
        check_host_path({"path": "/dev/null", "type": "BlockDevice"})


def test_the_status_shows_how_volumes_are_mounted() -> None:
    container = {
        "volumeMounts": [
            {"name": "a", "mountPath": "/a"},
            {"name": "b", "mountPath": "/b", "readOnly": True},
            {"name": "c", "mountPath": "/c", "readOnly": True, "recursiveReadOnly": "IfPossible"},
        ]
    }
    assert [m.get("recursiveReadOnly") for m in volume_mounts.shown(container, ())] == [
        None,
        "Disabled",
        "Disabled",
    ]
    able = {Feature.RECURSIVE_READ_ONLY}
    assert [m.get("recursiveReadOnly") for m in volume_mounts.shown(container, able)] == [
        None,
        "Disabled",
        "Enabled",
    ]


def test_a_part_of_what_is_drawn_from_objects_stays_as_it_was_when_it_was_mounted(tmp_path: Path) -> None:
    asked = with_volumes(
        {"name": "v", "configMap": {"name": "cm"}},
        volumeMounts=[
            {"name": "v", "mountPath": "/a", "subPath": "a"},
            {"name": "v", "mountPath": "/b", "subPath": "b"},
        ],
    )
    volumes = Volumes(tmp_path, asked)
    volumes.write(Sources(asked, {"configmaps default/cm": {"data": {"a": "1"}}}))
    there, missing = volumes.mounts(asked["spec"]["containers"][0])
    assert Path(there.source).read_text() == "1"
    assert (there.read_only, there.sub_path) == (True, "")
    assert list(Path(missing.source).iterdir()) == []
    with open(there.source) as held:
        volumes.write(Sources(asked, {"configmaps default/cm": {"data": {"a": "2", "b": "2"}}}))
        assert held.read() == "1"
    assert files(tmp_path / "volumes/v") == {"a": "2", "b": "2"}


def test_a_part_below_a_file_is_refused(tmp_path: Path) -> None:
    mount = {"name": "v", "mountPath": "/a", "subPath": "a/part"}
    asked = with_volumes({"name": "v", "configMap": {"name": "cm"}}, volumeMounts=[mount])
    volumes = Volumes(tmp_path, asked)
    volumes.write(Sources(asked, {"configmaps default/cm": {"data": {"a": "1"}}}))
    with pytest.raises(ConfigError, match='failed to prepare subPath for volumeMount "v"'):
        volumes.mounts(asked["spec"]["containers"][0])


@AS_ROOT
def test_a_volume_that_is_reached_by_a_link_is_given_whole_and_one_that_is_too_deep_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    ownership.give(tmp_path / "link", 4321)
    assert [p.stat().st_gid for p in (tmp_path / "disk", tmp_path / "disk/file")] == [4321, 4321]
    with deepened(tmp_path / "disk"):
        with pytest.raises(OSError, match="too many folders"):
            ownership.give(tmp_path / "disk", 4321)
        remove(tmp_path / "disk")
        assert not (tmp_path / "disk").exists()


def test_a_claim_of_a_device_is_one_and_no_file_system(tmp_path: Path) -> None:
    device = next((p for p in Path("/dev").iterdir() if p.is_block_device()), None)
    if device is None:
        pytest.skip("this machine has no block device")
    volume = {
        "metadata": {"name": "pv", "uid": "2"},
        "spec": {"local": {"path": str(device)}, "claimRef": {"uid": "1"}, "volumeMode": "Block"},
    }
    objects: dict[str, Object | None] = {
        "persistentvolumeclaims default/c": {
            "metadata": {"name": "c", "uid": "1", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": "pv"},
        },
        "persistentvolumes pv": volume,
    }
    claims = Claims(objects, VolumeFolders(tmp_path / "own"), "n1", engine=True)
    asked = with_volumes(
        {"name": "v", "persistentVolumeClaim": {"claimName": "c"}},
        {"name": "e", "emptyDir": {}},
        volumeDevices=[{"name": "v", "devicePath": "/dev/data"}],
    )
    volumes = Volumes(tmp_path, asked, claims)
    volumes.write(Sources(asked, objects))
    (container,) = asked["spec"]["containers"]
    assert volumes.devices(container) == (BlockDevice(str(device), "/dev/data"),)
    with pytest.raises(ConfigError, match="has volumeMode Block, but is specified in volumeMounts"):
        volumes.mounts({"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/x"}]})
    with pytest.raises(ConfigError, match="has volumeMode Filesystem, but is specified in volumeDevices"):
        volumes.devices({"name": "c", "volumeDevices": [{"name": "e", "devicePath": "/x"}]})
    volume["spec"]["local"]["path"] = str(tmp_path)
    with pytest.raises(ConfigError, match="is not a block device"):
        volumes.write(Sources(asked, objects))
