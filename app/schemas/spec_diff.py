"""How messages show what differs between two structs: as Go's cmp.Diff does, which Kubernetes uses for them."""

from __future__ import annotations

from typing import Any

import orjson

from app.objects.change import Object
from app.schemas.fields import Boolean, Field, Int32, String, Type

_ZEROS: tuple[tuple[type[Field], str], ...] = ((String, '""'), (Boolean, "false"), (Int32, "0"))


def spec_diff(schema: type[Type], before: Object, after: Object, go_name: str) -> str:
    """The fields that differ, `-` before and `+` after; runs of equal ones are counted."""
    lines = [f"  {go_name}{{"]
    same = 0
    for name, field in schema.fields_of().items():
        old, new = before.get(name), after.get(name)
        if old == new:
            same += 1
            continue
        lines += _counted(same)
        same = 0
        title = name[:1].upper() + name[1:]
        lines.append(f"- \t{title}: {_shown(field, old)},")
        lines.append(f"+ \t{title}: {_shown(field, new)},")
    return "\n".join([*lines, *_counted(same), "  }\n"])


def _counted(same: int) -> list[str]:
    return [f"  \t... // {same} identical field{'' if same == 1 else 's'}"] if same else []


def _shown(field: Field, value: Any) -> str:
    """A value; what Go holds by value is never nil."""
    if value is None and not field.keep_zero:
        return next((zero for kind, zero in _ZEROS if isinstance(field, kind)), "nil")
    return "nil" if value is None else orjson.dumps(value).decode()
