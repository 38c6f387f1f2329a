"""What led to what agents report: the trace of the change that a node was told of, kept by the pod's uid."""

from __future__ import annotations

from collections import OrderedDict

from app.objects.change import Trace

REMEMBERED = 20_000


class Causes:
    """A bounded memory. What it has forgotten, or another process knows, begins a trace of its own."""

    def __init__(self) -> None:
        self._traces: OrderedDict[str, Trace] = OrderedDict()

    def remember(self, uid: str, trace: Trace) -> None:
        self._traces[uid] = trace
        self._traces.move_to_end(uid)
        if len(self._traces) > REMEMBERED:
            self._traces.popitem(last=False)

    def of(self, uid: str) -> Trace | None:
        return self._traces.get(uid)
