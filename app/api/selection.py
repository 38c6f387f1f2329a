"""Which objects a list or watch is about: namespace, labels, fields."""

from __future__ import annotations

from dataclasses import dataclass

from app.api.query import Query
from app.api.routing import Target
from app.objects import field_selectors, selector_text
from app.objects.field_selectors import FieldSelector
from app.objects.selectors import Selector
from app.registry.selection import candidates, wanted
from app.store.records import Record
from app.store.view import View


@dataclass(frozen=True, slots=True)
class Selection:
    """The objects of `resource` in `namespace` (empty: all) that both selectors match."""

    resource: str
    namespace: str
    labels: Selector
    fields: FieldSelector

    def wants(self, record: Record) -> bool:
        """Whether a record is among them."""
        if self.namespace and record.key.partition("/")[0] != self.namespace:
            return False
        return wanted(record, self.labels, self.fields)

    def records(self, view: View) -> list[Record]:
        """Those of them that a view holds, in the order of their keys. Hold `view.lock`."""
        found = candidates(view, self.resource, self.namespace, self.fields)
        return [record for record in found if self.wants(record)]


def of(target: Target, query: Query) -> Selection:
    """What a request selects.

    Raises:
        BadRequest: a selector is malformed, or names a field that this kind can't be selected by.
    """
    resource = target.kind.resource
    labels, fields = query.text("labelSelector"), query.text("fieldSelector")
    return Selection(
        target.kind.storage.resource,
        target.namespace,
        selector_text.parse(labels),
        field_selectors.parse(fields, resource, target.kind.selectable),
    )
