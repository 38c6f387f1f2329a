"""The message queue of a simulated world: it loses, doubles and reorders what it carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.bus.publishing import messages
from tests.simulation.chance import Chance


@dataclass
class Faults:
    """How likely things go wrong. All zero once a world is to heal."""

    lose: float = 0.05
    double: float = 0.05
    crash: float = 0.03
    overtake: float = 0.1


class Mail:
    """What is on its way: messages for workers, nudges for agents."""

    def __init__(self, chance: Chance, faults: Faults) -> None:
        self._chance = chance
        self._faults = faults
        self.work: list[tuple[str, list[str]]] = []
        self.nudges: list[str] = []

    def publish(self, work: Sequence[tuple[str, str]]) -> None:
        for message in messages(work):
            if self._chance.happens(self._faults.lose):
                continue
            self.work.append(message)
            if self._chance.happens(self._faults.double):
                self.work.append(message)

    def nudge(self, queues: Mapping[str, Sequence[str]]) -> None:
        self.nudges += [
            n for nodes in queues.values() for n in nodes if not self._chance.happens(self._faults.lose)
        ]

    def next_work(self) -> tuple[str, list[str]]:
        """Any of the messages, whichever was sent first."""
        return self.work.pop(self._chance.randrange(len(self.work)))

    def next_nudge(self) -> str:
        return self.nudges.pop(self._chance.randrange(len(self.nudges)))
