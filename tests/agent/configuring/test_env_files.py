"""Variables out of files of a volume."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import descriptors
from workers.agent.configuring.env_files import LARGEST, parse
from workers.agent.configuring.env_files import value as value_of
from workers.agent.configuring.sources import ConfigError

NAME = st.text(st.sampled_from("ABc_.-9"), min_size=1)
VALUE = st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"]))


def asked(**more: object) -> dict[str, object]:
    return {"volumeName": "v", "path": "deep/env", "key": "A", **more}


def test_a_file_has_variables_comments_and_empty_lines() -> None:
    text = "# who\nA='1'\n\n  B='it is\ntwo lines'  \nC=''\nA='last'"
    assert parse(text) == {"A": "last", "B": "it is\ntwo lines", "C": ""}


@given(st.dictionaries(NAME, VALUE))
def test_what_was_written_is_read(variables: dict[str, str]) -> None:
    assert parse("".join(f"{name}='{text}'\n" for name, text in variables.items())) == variables


@given(st.text())
def test_whatever_a_pod_wrote_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    assert all("'" not in name + value and not name.split()[1:] for name, value in found.items())


@pytest.mark.parametrize("text", ["A=1", "A='1", "A", "='1'", "A='1' B='2'", "export A='1'"])
def test_what_does_not_read_like_variables_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line 1 is not like"):
        parse(text)


def test_a_key_is_looked_up_and_may_be_optional(tmp_path: Path) -> None:
    (tmp_path / "v/deep").mkdir(parents=True)
    (tmp_path / "v/deep/env").write_text("A='1'\n")
    assert value_of(asked(), tmp_path.joinpath) == "1"
    assert value_of(asked(key="B", optional=True), tmp_path.joinpath) is None
    assert value_of(asked(path="none", optional=True), tmp_path.joinpath) is None
    for missing in (asked(key="B"), asked(path="none")):
        with pytest.raises(ConfigError, match="not found in file"):
            value_of(missing, tmp_path.joinpath)


def test_no_link_leads_out_of_the_volume_and_nothing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "v/deep").mkdir(parents=True)
    (tmp_path / "secret").write_text("A='secret'\n")
    (tmp_path / "v/deep/out").symlink_to("../../secret")
    os.mkfifo(tmp_path / "v/deep/pipe")
    (tmp_path / "v/deep/large").write_text("#" * (LARGEST + 1))
    for name in ("out", "large"):
        with pytest.raises(ConfigError):
            value_of(asked(path=f"deep/{name}"), tmp_path.joinpath)
    with pytest.raises(ConfigError):
        value_of(asked(path="deep/pipe"), tmp_path.joinpath)


def test_what_is_no_file_is_refused_and_nothing_of_it_stays_open(tmp_path: Path) -> None:
    (tmp_path / "v/folder").mkdir(parents=True)
    os.mkfifo(tmp_path / "v/pipe")
    # Somebody holds the pipe open to write to it, and doesn't.
    writer = os.open(tmp_path / "v/pipe", os.O_RDWR)
    before = descriptors.held()
    for name in ("folder", "pipe"):
        with pytest.raises(ConfigError, match="is no regular file"):
            value_of(asked(path=name), tmp_path.joinpath)
    assert descriptors.held() - before == {}
    os.close(writer)
