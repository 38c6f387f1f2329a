"""How it is noticed that a container has ended whose log is followed, tried without an engine."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from app.base.clock import SystemClock
from workers.runtime.docker.printed import _End


def test_a_process_that_only_has_the_number_of_a_containers_is_not_waited_for() -> None:
    """The engine may be on another machine."""
    shown = {"State": {"Running": True, "Pid": os.getpid()}}
    engine: Any = SimpleNamespace(inspect_container=lambda name: {"State": {"Running": False}})
    assert _End(engine, "f" * 64, shown, SystemClock())(0.0)
