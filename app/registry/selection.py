"""Which records of a view a list is about."""

from __future__ import annotations

from app.objects.field_selectors import FieldSelector
from app.objects.selectors import Selector
from app.store.records import Record
from app.store.view import View

# Fields that a record's key already answers.
_OF_THE_KEY = ("metadata.name", "metadata.namespace")


def wanted(record: Record, labels: Selector, fields: FieldSelector) -> bool:
    """Whether both selectors match. Decodes the record only for fields that its indexes don't hold."""
    if not labels.everything and not labels.matches(record.labels):
        return False
    decode = False
    for field, equal, value in fields.terms:
        if field in _OF_THE_KEY:
            namespace, _, name = record.key.rpartition("/")
            found = name if field == "metadata.name" else namespace
        elif field == "spec.nodeName":
            found = record.node
        else:
            decode = True
            continue
        if (found == value) is not equal:
            return False
    return not decode or fields.matches(record.obj)


def candidates(view: View, resource: str, namespace: str, fields: FieldSelector) -> list[Record]:
    """The records that can match, in the order of their keys: a single one if the name is given."""
    name = fields.exact("metadata.name")
    namespace = namespace or fields.exact("metadata.namespace") or ""
    if name is not None:
        # The key of what lives in no namespace is its name, which no key with a namespace can be.
        record = view.record(resource, f"{namespace}/{name}" if namespace else name)
        if record or namespace:
            return [record] if record else []
    return view.records(resource, namespace or None)
