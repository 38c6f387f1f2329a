"""Parts of volumes for an engine: what an agent leaves that is killed as it starts a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.runtime.docker.labels import Owner
from workers.runtime.docker.sub_paths import SubPaths
from workers.runtime.host_mounts import HostMounts, below, mounted
from workers.runtime.mounts import Mount
from workers.runtime.protocol import ContainerError, ContainerSpec, PodRef, Unsupported

POD = PodRef("u1", "default", "p")
MOUNTS = HostMounts(engine=False)
MAY_MOUNT = pytest.mark.skipif(bool(MOUNTS.lacking()), reason=MOUNTS.lacking() or "it may")


def spec(volume: Path, part: str) -> ContainerSpec:
    return ContainerSpec(
        "main", 0, "i", mounts=(Mount("/etc", "/a"), Mount(str(volume), "/b", sub_path=part))
    )


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    (tmp_path / "volume/part").mkdir(parents=True)
    (tmp_path / "volume/part/file").write_text("x")
    return tmp_path / "volume"


@MAY_MOUNT
def test_who_is_killed_as_it_starts_a_container_leaves_nothing_to_the_next(
    tmp_path: Path, volume: Path
) -> None:
    places = tmp_path / "places"
    first = SubPaths(Owner("c", "n1"), MOUNTS, places)
    begun = first.staged(POD, spec(volume, "part"))
    staged = begun.__enter__()
    assert (Path(staged.mounts[1].source) / "file").read_text() == "x"
    assert staged.mounts[0] == Mount("/etc", "/a")
    # The next agent starts the same container, or comes to know that there is none.
    with SubPaths(Owner("c", "n1"), MOUNTS, places).staged(POD, spec(volume, "part")) as again:
        assert again == staged
    assert below(places, mounted()) == []
    killed = first.staged(POD, spec(volume, "part"))
    killed.__enter__()
    SubPaths(Owner("c", "n2"), MOUNTS, places).end()
    assert len(below(places, mounted())) == 1
    SubPaths(Owner("c", "n1"), MOUNTS, places).end()
    assert below(places, mounted()) == []
    assert not (places / "c").exists()
    assert (volume / "part/file").read_text() == "x"


@MAY_MOUNT
def test_a_part_that_can_not_be_had_leaves_nothing(tmp_path: Path, volume: Path) -> None:
    (volume / "out").symlink_to("..")
    paths = SubPaths(Owner("c", "n1"), MOUNTS, tmp_path / "places")
    for part in ("out", "missing"):
        with pytest.raises(ContainerError), paths.staged(POD, spec(volume, part)):
            pytest.fail("it was staged")
    assert list((tmp_path / "places").rglob("*/*/*")) == []


def test_an_agent_that_may_not_mount_refuses_by_the_name_of_the_field(
    tmp_path: Path, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    paths = SubPaths(Owner("c", "n1"), HostMounts(engine=True), tmp_path / "places")
    field = r"spec\.containers\[main\]\.volumeMounts\[/b\]\.subPath: needs an agent that runs as root"
    with pytest.raises(Unsupported, match=field), paths.staged(POD, spec(volume, "part")):
        pytest.fail("it was staged")
