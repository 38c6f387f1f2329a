"""The Procfile names the programs of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.base.errors import UserError
from app.cli import procfile


def test_the_projects_own_procfile_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert procfile.read() == {
        "api": ["beanpole", "serve"],
        "worker": ["beanpole", "worker"],
        "agent": ["beanpole", "agent"],
    }


def test_one_in_this_folder_comes_first_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Procfile").write_text("agent: beanpole agent --node 'a b'\n# a remark\napi: other serve\n")
    found = procfile.read()
    assert list(found) == ["agent", "api"]
    assert found["agent"] == ["beanpole", "agent", "--node", "a b"]


def test_one_without_an_agent_is_refused_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Procfile").write_text("api: beanpole serve\n")
    with pytest.raises(UserError, match=f"{tmp_path}/Procfile has no line for `agent`"):
        procfile.read()
