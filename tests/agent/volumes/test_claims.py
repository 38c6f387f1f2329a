"""What containers see of their pod's claims, and that an agent removes the data of volumes, and nothing else ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.objects.change import Object
from app.objects.persistent import FINALIZER, HOLDER, LOCAL, PROVISIONED_BY
from tests.agent.world import World, pod, waiting
from tests.trees import deepened
from workers.agent.configuring.sources import ConfigError, NotYetKnown, Sources
from workers.agent.volumes.claims import Claims
from workers.agent.volumes.folders import NotOurs, VolumeFolders
from workers.agent.volumes.volumes import Volumes
from workers.runtime.host_mounts import HostMounts
from workers.runtime.mounts import EngineVolume, Mount

FIELD = "spec.volumes[0].persistentVolumeClaim"


def claim(volume: str = "v", bound: bool = True) -> Object:
    noted = {"pv.kubernetes.io/bind-completed": "yes"} if bound else {}
    meta = {"name": "data", "namespace": "default", "uid": "uid-data", "annotations": noted}
    return {"metadata": meta, "spec": {"volumeName": volume} if bound else {}}


def volume(name: str = "v", **spec: Any) -> Object:
    ref = {"namespace": "default", "name": "data", "uid": "uid-data"}
    return {"metadata": {"name": name, "uid": "12345678-90"}, "spec": {"claimRef": ref, **spec}}


def ours(root: Path, name: str = "v", **meta: Any) -> Object:
    """A volume that was provisioned as a folder below `root`."""
    made = volume(name, local={"path": str(root / name)}, persistentVolumeReclaimPolicy="Delete")
    made["kind"] = "PersistentVolume"
    made["metadata"] |= {"annotations": {PROVISIONED_BY: LOCAL, HOLDER: "n1"}, **meta}
    return made


def left(root: Path, name: str = "v") -> Object:
    """The same, once nobody has it any more."""
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER], "uid": f"uid-{name}"}
    return {**ours(root, name, **meta), "status": {"phase": "Released"}}


def mounting(read_only: bool = False, **mount: Any) -> Object:
    asked = pod(volumeMounts=[{"name": "d", "mountPath": "/data", **mount}])
    source = {"claimName": "data", **({"readOnly": True} if read_only else {})}
    asked["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": source}]
    return asked


def mounts(tmp_path: Path, asked: Object, objects: dict[str, Object | None], engine: bool = False) -> Any:
    claims = Claims(objects, VolumeFolders(tmp_path / "volumes"), "n1", engine)
    volumes = Volumes(tmp_path / "pod", asked, claims)
    volumes.write(Sources(asked, objects))
    return volumes.mounts(asked["spec"]["containers"][0])


def known(one: Object, other: Object | None) -> dict[str, Object | None]:
    return {"persistentvolumeclaims default/data": one, "persistentvolumes v": other}


def test_a_claim_is_mounted_from_where_its_volume_lies(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    found = known(claim(), volume(local={"path": str(tmp_path / "disk")}))
    assert mounts(tmp_path, mounting(), found) == (Mount(str(tmp_path / "disk"), "/data"),)
    found = known(claim(), volume(hostPath={"path": str(tmp_path / "made"), "type": "DirectoryOrCreate"}))
    (only,) = mounts(tmp_path, mounting(read_only=True), found)
    assert only == Mount(str(tmp_path / "made"), "/data", True)
    assert (tmp_path / "made").is_dir()
    (only,) = mounts(tmp_path, mounting(subPath="a/b"), found)
    assert (only.source, only.sub_path) == (str(tmp_path / "made"), "a/b")
    assert (tmp_path / "made/a/b").is_dir()


def test_a_folder_of_the_nodes_own_is_made_for_whatever_user_comes(tmp_path: Path) -> None:
    root = tmp_path / "volumes"
    (only,) = mounts(tmp_path, mounting(), known(claim(), ours(root)))
    assert only.source == str(root / "v")
    assert (root / "v").stat().st_mode & 0o777 == 0o777
    (root / "v" / "kept").write_text("1")
    (root / "v").chmod(0o700)
    mounts(tmp_path, mounting(), known(claim(), ours(root)))
    assert (root / "v" / "kept").read_text() == "1"
    assert (root / "v").stat().st_mode & 0o777 == 0o700


def test_a_share_is_left_to_the_engine(tmp_path: Path) -> None:
    found = known(
        claim(),
        volume(nfs={"server": "10.0.0.9", "path": "/x", "readOnly": True}, mountOptions=["nfsvers=4"]),
    )
    options = (("device", ":/x"), ("o", "addr=10.0.0.9,ro,nfsvers=4"), ("type", "nfs"))
    assert mounts(tmp_path, mounting(), found, engine=True) == (
        Mount("", "/data", True, EngineVolume("beanpole_v_12345678", "local", options)),
    )
    with pytest.raises(ConfigError, match=r"subPath 'a'"):
        mounts(tmp_path, mounting(subPath="a"), found, engine=True)


def test_a_volume_of_a_plugin_is_mounted_with_its_options(tmp_path: Path) -> None:
    source = {
        "driver": "docker.beanpole.dev",
        "volumeHandle": "v",
        "volumeAttributes": {"driver": "vieux/sshfs", "opt.sshcmd": "u@h:/x"},
    }
    (only,) = mounts(tmp_path, mounting(), known(claim(), volume(csi=source)), engine=True)
    assert only.volume == EngineVolume("beanpole_v_12345678", "vieux/sshfs", (("sshcmd", "u@h:/x"),))


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (None, None, 'persistentvolumeclaim "data" not found'),
        (claim(bound=False), None, 'PVC "default/data" is not bound'),
        (claim(), None, 'persistentvolume "v" not found'),
        (claim(), volume(claimRef={"uid": "another"}), 'PV "v" is not bound to PVC "default/data"'),
        (claim(), volume(local={"path": "/nowhere/at/all"}), 'path "/nowhere/at/all" does not exist'),
        (
            claim(),
            volume(volumeMode="Block"),
            f"{FIELD}: of volumes of volumeMode Block only those of a path",
        ),
        (claim(), volume(rbd={"image": "x"}), f'{FIELD}: volume "v" is of type rbd, which is not supported'),
        (
            claim(),
            volume(nfs={"server": "s", "path": "/"}),
            f'{FIELD}: volume "v" is of type nfs, which only the docker runtime can mount',
        ),
    ],
)
def test_what_can_not_be_mounted_is_refused_by_name(
    tmp_path: Path, one: Object, other: Object | None, words: str
) -> None:
    with pytest.raises(ConfigError) as told:
        mounts(tmp_path, mounting(), known(one, other))
    assert words in str(told.value)


def test_a_volume_that_lies_on_another_node_is_refused(tmp_path: Path) -> None:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["n2"]}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
    other = volume(local={"path": str(tmp_path)}, nodeAffinity=affinity)
    with pytest.raises(ConfigError, match="is on node n2"):
        mounts(tmp_path, mounting(), known(claim(), other))


def test_what_has_not_come_yet_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(NotYetKnown):
        mounts(tmp_path, mounting(), {"persistentvolumeclaims default/data": claim()})


# --- removing --------------------------------------------------------------------------------------


def test_a_folder_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    folders = VolumeFolders(tmp_path / "volumes")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("1")
    made = folders.make(ours(folders.root))
    (made / "a/b").mkdir(parents=True)
    (made / "a/b/c").write_text("1")
    (made / "link").symlink_to(outside)
    (made / "a/file").symlink_to(outside / "precious")
    folders.make(ours(folders.root, "other"))
    folders.remove(ours(folders.root))
    assert [p.name for p in folders.root.iterdir()] == ["other"]
    assert (outside / "precious").read_text() == "1"
    folders.remove(ours(folders.root))


def test_a_folder_is_removed_however_deep_a_pod_made_it(tmp_path: Path) -> None:
    folders = VolumeFolders(tmp_path / "volumes")
    with deepened(folders.make(ours(folders.root))):
        folders.remove(ours(folders.root))
        assert list(folders.root.iterdir()) == []


def test_a_folder_that_was_made_and_not_yet_opened_to_all_is_opened_by_who_comes_next(tmp_path: Path) -> None:
    folders = VolumeFolders(tmp_path / "volumes")
    made = folders.root / "v"
    made.mkdir(parents=True, mode=0o755)
    assert folders.make(ours(folders.root)).stat().st_mode & 0o777 == 0o777
    made.chmod(0o700)
    (made / "mine").write_text("")
    assert folders.make(ours(folders.root)).stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize("owner", [4321, 4322])
def test_a_folder_that_a_pod_took_for_itself_is_used_again_as_it_is(tmp_path: Path, owner: int) -> None:
    (tmp_path / "v").mkdir()
    for folder, mode in ((tmp_path / "v", 0o700), (tmp_path, 0o755)):
        os.chown(folder, owner, owner)
        folder.chmod(mode)
    body = "os.setuid(4321); VolumeFolders(Path('.')).make({'metadata': {'name': 'v'}})"
    told = f"import os; from pathlib import Path; from workers.agent.volumes.folders import VolumeFolders; {body}"
    begin = f"import os, sys; sys.path.insert(0, os.getcwd()); os.chdir({str(tmp_path)!r}); {told}"
    subprocess.run([sys.executable, "-c", begin], check=True, timeout=30)
    mode = (tmp_path / "v").stat().st_mode & 0o777
    assert mode == (0o777 if owner == 4321 else 0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_what_is_mounted_in_a_folder_keeps_it_and_what_is_mounted_elsewhere_does_not(tmp_path: Path) -> None:
    mounts = HostMounts(engine=False)
    if mounts.lacking():
        pytest.skip(mounts.lacking())
    folders = VolumeFolders(tmp_path / "volumes")
    inside = folders.make(ours(folders.root)) / "a part"
    elsewhere = tmp_path / os.fsdecode(b"not utf-8 \xff")
    try:
        for folder in (inside, elsewhere):
            folder.mkdir()
            mounts.tmpfs(folder, 1 << 20)
        (inside / "precious").write_text("1")
        with pytest.raises(NotOurs, match="a part is mounted in it"):
            folders.remove(ours(folders.root))
        assert (inside / "precious").read_text() == "1"
        mounts.clear(inside)
        folders.remove(ours(folders.root))
        assert list(folders.root.iterdir()) == []
    finally:
        mounts.clear(tmp_path)


def hostile(root: Path) -> dict[str, Object]:
    """Volumes that name what is not theirs to name."""
    elsewhere = root.parent / "outside"
    return {
        "another path": {**ours(root), "spec": {"local": {"path": str(elsewhere)}}},
        "a path that climbs": {**ours(root), "spec": {"local": {"path": f"{root}/v/../../outside"}}},
        "a name that climbs": ours(root, "../outside"),
        "a name that is the folder itself": ours(root, "."),
        "a name with a slash": ours(root, "v/inside"),
        "no name": ours(root, ""),
        "a host path": {**ours(root), "spec": {"hostPath": {"path": str(root / "v")}}},
        "somebody else's": {**ours(root), "metadata": {"name": "v", "uid": "u"}},
        "another node's": ours(root.parent / "n2"),
        "a link": ours(root, "link"),
        "a file": ours(root, "file"),
    }


@pytest.mark.parametrize("what", sorted(hostile(Path("/x/volumes"))))
def test_nothing_else_on_the_machine_is_ever_removed(tmp_path: Path, what: str) -> None:
    root = tmp_path / "volumes"
    for place in ("outside", "volumes/v/inside", "n2/v"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "precious").write_text("1")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "file").write_text("1")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    with pytest.raises(NotOurs):
        VolumeFolders(root).remove(hostile(root)[what])
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


def test_a_link_in_place_of_the_nodes_own_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside" / "v").mkdir(parents=True)
    (tmp_path / "volumes").symlink_to(tmp_path / "outside")
    with pytest.raises(NotOurs):
        VolumeFolders(tmp_path / "volumes").remove(ours(tmp_path / "volumes"))
    assert (tmp_path / "outside" / "v").is_dir()


# --- the whole agent -------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.run()
    return made


def test_a_pod_waits_for_its_claim_with_an_event_and_starts_once_it_is_bound(world: World) -> None:
    asked = mounting()
    asked["draws_on"] = ["persistentvolumeclaims default/data"]
    world.api.set_object("persistentvolumeclaims default/data", claim(bound=False))
    uid = world.api.put(asked)
    world.change(2.0)
    assert waiting(world.status(uid)) == "ContainerCreating"
    assert any('PVC "default/data" is not bound' in text for _, _, text in world.api.events)
    assert "FailedMount" in world.reasons()
    root = world.folder / "volumes" / "n1"
    world.api.set_object("persistentvolumeclaims default/data", claim())
    world.change(1.0)
    world.api.set_object("persistentvolumes v", ours(root))
    world.change(3.0)
    assert world.status(uid)["phase"] == "Running"
    assert (root / "v").is_dir()


def test_the_data_of_a_volume_that_is_nobodys_is_removed_and_that_is_told(world: World) -> None:
    root = world.folder / "volumes" / "n1"
    assert world.api.node is not None
    assert world.api.node["metadata"]["annotations"]["beanpole.dev/volumes"] == str(root)
    for name in ("v", "w"):
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text("1")
    world.api.empty = {"uid-v": left(root, "v")}
    world.change(2.0)
    assert sorted(p.name for p in root.iterdir()) == ["w"]
    assert not world.api.empty


def test_a_volume_that_can_not_be_removed_is_told_of_and_tried_again(world: World) -> None:
    root = world.folder / "volumes" / "n1"
    root.mkdir(parents=True)
    (root / "v").write_text("no folder")
    world.api.empty = {"uid-v": left(root)}
    world.change(1.0)
    assert "VolumeFailedDelete" in world.reasons()
    assert set(world.api.empty) == {"uid-v"}
    os.unlink(root / "v")
    (root / "v").mkdir()
    world.run(10.0)
    assert not world.api.empty
    assert not (root / "v").exists()


def test_a_volume_that_is_not_this_nodes_is_left_alone(world: World) -> None:
    root = world.folder / "volumes" / "n1"
    (root / "v").mkdir(parents=True)
    other = left(root)
    other["metadata"]["annotations"][HOLDER] = "n2"
    bound = {**left(root), "status": {"phase": "Bound"}}
    for each in (other, bound):
        world.api.empty = {"uid-v": each}
        world.change(2.0)
        assert (root / "v").is_dir()
        assert world.api.empty
