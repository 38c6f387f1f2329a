"""A control worker with one small role, for tests to run as a process of its own.

The role keeps, for each ConfigMap with `data.text`, an annotation `echo` that says the same.
"""

from __future__ import annotations

import logging

from app.base import logs
from app.base.settings import load
from app.objects.change import Change, Interest, ReadView, update
from app.objects.meta import annotations_of, with_meta
from workers.boot import build
from workers.reconcile.plan import NOTHING, EventNote, Plan, Role


def plan(view: ReadView, key: str, now: float) -> Plan:
    obj = view.get("configmaps", key)
    if obj is None:
        return NOTHING
    text = (obj.get("data") or {}).get("text")
    if text == "fail":
        raise ValueError("told to fail")
    if text is None or annotations_of(obj).get("echo") == text:
        return NOTHING
    echoed = with_meta(obj, annotations={**annotations_of(obj), "echo": text, "at": repr(now)})
    return Plan((update("configmaps", echoed),), (EventNote(obj, "Echoed", f"said {text}"),))


def own(change: Change, view: ReadView) -> list[str]:
    return [change.key]


ECHO = Role("echo", plan, (Interest("configmaps", own),), lambda view: view.keys("configmaps"))

settings = load()
logs.configure(settings.log_level)
logging.getLogger("celery").setLevel(logging.WARNING)
app = build(settings, [ECHO])
