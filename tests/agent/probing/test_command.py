"""exec probes: what the command's end means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.agent.probing.conftest import Trial
from workers.agent.probing import Outcome
from workers.runtime.protocol import ContainerError

Exec = Callable[[Sequence[str], float], tuple[int, bytes]]


def late(command: Sequence[str], timeout: float) -> tuple[int, bytes]:
    raise TimeoutError


def gone(command: Sequence[str], timeout: float) -> tuple[int, bytes]:
    raise ContainerError("RuntimeUnavailable", "the engine does not answer")


def surprise(command: Sequence[str], timeout: float) -> tuple[int, bytes]:
    raise LookupError("a bug")


@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        (lambda command, _: (0, b"all is well"), Outcome(True, "all is well")),
        (lambda command, _: (3, b"not yet"), Outcome(False, "not yet")),
        (lambda command, _: (1, b"x" * 20000), Outcome(False, "x" * 10240)),
        (late, Outcome(False, 'command "check db $(NONE)" timed out after 2s')),
        (gone, Outcome(False, "the engine does not answer", unknown=True)),
        (surprise, Outcome(False, "LookupError: a bug", unknown=True)),
    ],
)
def test_a_command_is_well_if_it_ends_with_0(trial: Trial, does: Exec, outcome: Outcome) -> None:
    container = {"name": "web", "env": [{"name": "WHAT", "value": "db"}, {"name": "NONE", "valueFrom": {}}]}
    trial.runtime._exec = does
    handler = {"exec": {"command": ["check", "$(WHAT)", "$$(NONE)"]}}
    assert trial(handler, container=container) == outcome


def test_variables_with_a_plain_value_are_filled_in(trial: Trial) -> None:
    trial.runtime._exec = lambda command, timeout: (0, " ".join(command).encode())
    container = {"name": "web", "env": [{"name": "WHAT", "value": "db"}]}
    outcome = trial({"exec": {"command": ["check", "$(WHAT)", "$(OTHER)"]}}, container=container)
    assert outcome.message == "check db $(OTHER)"
