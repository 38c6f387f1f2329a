"""Whose fields a plan's writes change: kept where an account is kept (app.objects.managed)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from app.objects.change import ReadView, Verb, Write
from app.objects.managed.component import by_component
from app.schemas.shapes import shape_of_resource


def accounted(writes: Iterable[Write], view: ReadView, role: str, now: float) -> list[Write]:
    """The writes, with the role as the manager of what it changes outside of statuses. Binding a pod is not a
    change of its fields' owners, as in Kubernetes; nor is what is new accounted for."""
    return [_accounted(write, view, role, now) for write in writes]


def _accounted(write: Write, view: ReadView, role: str, now: float) -> Write:
    if (
        write.verb is not Verb.UPDATE
        or write.bind is not None
        or not write.obj["metadata"].get("managedFields")
    ):
        return write
    old = view.get(write.resource, write.key)
    if old is None:
        return write
    new = by_component(old, write.obj, partial(shape_of_resource, write.resource), role, now)
    return write if new is write.obj else replace(write, obj=new)
