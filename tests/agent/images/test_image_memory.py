"""What an agent remembers of the images it pulled."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.agent.images.store import secret_of
from workers.agent.images.keyring import Key, Keyring
from workers.agent.images.memory import ImageMemory
from workers.runtime import images
from workers.runtime.image_store import StoredImage

WEB = images.parse("r.example.com/web:1")
FOUND = StoredImage("id-1", (WEB.reference,), (), 1000)


def key(secret: str = "s", password: str = "p", uid: str = "") -> Key:
    config = {"auths": {"r.example.com": {"username": "me", "password": password}}}
    return Keyring([secret_of(secret, config, uid)]).fitting(WEB)[0]


def memory(folder: Path) -> ImageMemory:
    return ImageMemory(folder / "images" / "n1.json")


def pulled(folder: Path, *keys: Key | None) -> ImageMemory:
    made = memory(folder)
    for each in keys:
        made.note(WEB, FOUND, each, 10.0, new=True, named=False)
    return made


def test_what_was_never_pulled_is_everybodys_and_never_removed(tmp_path: Path) -> None:
    assert memory(tmp_path).may_use(WEB, FOUND, ())
    kept = memory(tmp_path)
    kept.note(WEB, FOUND, key(), 10.0, new=False, named=True)
    assert kept.all() == []
    assert kept.may_use(WEB, FOUND, ())


def test_who_has_the_login_or_the_secret_may_use_it(tmp_path: Path) -> None:
    kept = pulled(tmp_path, key())
    assert not kept.may_use(WEB, FOUND, ())
    assert kept.may_use(WEB, FOUND, (key(),))
    assert kept.may_use(WEB, FOUND, (key(secret="another"),)), "the same login in another Secret"
    assert kept.may_use(WEB, FOUND, (key(password="changed"),)), "the same Secret with a renewed login"
    assert not kept.may_use(WEB, FOUND, (key(secret="another", password="wrong"),))
    assert not kept.may_use(WEB, FOUND, (key(password="x", uid="made anew"),))


def test_pulled_as_nobody_it_is_everybodys(tmp_path: Path) -> None:
    assert pulled(tmp_path, key(), None).may_use(WEB, FOUND, ())


def test_the_same_content_under_another_repository_is_another_matter(tmp_path: Path) -> None:
    kept = pulled(tmp_path, None)
    assert not kept.may_use(images.parse("r.example.com/private:1"), FOUND, ())


def test_it_survives_the_agent_and_tells_no_login(tmp_path: Path) -> None:
    before = pulled(tmp_path, key(password="swordfish"))
    after = memory(tmp_path)
    assert after.all() == before.all()
    [file] = (tmp_path / "images").iterdir()
    assert "swordfish" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    after.forget(["id-1"])
    assert memory(tmp_path).all() == []


def test_a_file_that_can_not_be_read_is_no_memory(tmp_path: Path) -> None:
    for text in ("", "[1]", '[{"id": "x"}]', "{}x"):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / "n1.json").write_text(text)
        assert memory(tmp_path).all() == []


def test_a_tag_that_moved_on_belongs_to_the_newer_image(tmp_path: Path) -> None:
    kept = pulled(tmp_path, None)
    kept.note(WEB, StoredImage("id-2", (WEB.reference,), (), 5), None, 20.0, new=True, named=False)
    assert {each.id: each.names for each in kept.all()} == {"id-1": [], "id-2": [WEB.reference]}
    assert kept.owns(WEB.reference)


def test_a_name_that_somebody_else_gave_is_not_taken_away(tmp_path: Path) -> None:
    kept = memory(tmp_path)
    kept.note(WEB, FOUND, None, 10.0, new=True, named=True)
    assert kept.all()[0].names == []
    assert not kept.owns(WEB.reference)
