"""What speaks against applying a configuration before anything is merged: fields that nobody declared, and lists
whose items can't be told apart. The words are those of structured-merge-diff."""

from __future__ import annotations

from typing import Any

from app.objects.managed.elements import MissingKey, element_of, field, key_element, shown
from app.objects.managed.shape import Form, Shape, resolved


def faults(config: Any, shape: Shape) -> list[str]:
    """Everything that is wrong, as `.spec.foo: field not declared in schema`. Wrong types are for the decoder."""
    found: list[str] = []
    _look(config, resolved(shape, config), (), found)
    return found


def _look(value: Any, shape: Shape, path: tuple[str, ...], found: list[str]) -> None:
    form = shape.form
    if form is Form.STRUCT:
        declared = shape.fields
        for name, part in value.items():
            inner = declared.get(name)
            here = (*path, field(name))
            if inner is None and not shape.open:
                found.append(f"{shown(here)}: field not declared in schema")
            elif isinstance(part, dict | list):
                _look(part, resolved(inner or shape.item, part), here, found)
    elif form is Form.MAP:
        for name, part in value.items():
            if isinstance(part, dict | list):
                _look(part, resolved(shape.item, part), (*path, field(name)), found)
    elif form in (Form.KEYED, Form.SET):
        _look_list(value, shape, path, found)


def _look_list(items: list[Any], shape: Shape, path: tuple[str, ...], found: list[str]) -> None:
    seen: set[str] = set()
    for i, item in enumerate(items):
        if shape.form is Form.KEYED:
            try:
                element = key_element(item, shape, strict=True)
            except MissingKey as exc:
                found.append(f"{shown(path)}: element {i}: {exc}")
                continue
        else:
            element = element_of(item, shape)
        if element in seen:
            found.append(f"{shown(path)}: duplicate entries for key {shown((element,))}")
        seen.add(element)
        if isinstance(item, dict | list):
            _look(item, resolved(shape.item, item), (*path, element), found)
