"""Which runtime a machine gets, and what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.base.clock import SystemClock
from app.base.errors import UserError
from app.base.settings import Settings
from workers.runtime import select


def test_without_an_engine_it_is_processes_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    settings = Settings(state_dir=tmp_path, node="n1")
    runtime, why = select.choose(settings, SystemClock())
    runtime.close()
    assert runtime.name == "process"
    assert "no engine answers" in why
    assert "none.sock" in why


def test_docker_asked_for_without_an_engine_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(UserError, match="--runtime process"):
        select.name_for(Settings(runtime="docker"))


def test_the_command_says_which_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.delenv("BEANPOLE_RUNTIME", raising=False)
    select.main()
    assert capsys.readouterr().out.startswith("process\tno engine answers")
    monkeypatch.setenv("BEANPOLE_RUNTIME", "docker")
    with pytest.raises(SystemExit, match="no engine answers"):
        select.main()


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(UserError, match="'rkt'"):
        select.name_for(Settings(runtime="rkt"))


def test_the_one_asked_for_is_made(tmp_path: Path) -> None:
    runtime, why = select.choose(Settings(runtime="simulated", state_dir=tmp_path), SystemClock(), "n7")
    assert (runtime.name, runtime.info().machine_id) == ("simulated", "n7")
    assert "asked for" in why
