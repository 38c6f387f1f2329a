"""JSONPath as printer columns and subresources use it: fields, indexes, wildcards and filters.

`.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`, `.metadata.labels['app']`, `.spec.items[*].name`.
https://kubernetes.io/docs/reference/kubectl/jsonpath/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Values = list[Any]
Step = Callable[[Values], Values]

_TOKEN = re.compile(
    r"""\.\.(?P<deep>[^.\[\]\s]+)
      | \.(?P<field>(?:\\.|[^.\[\]\s])+)
      | \[\s*(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\s*\]
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<start>-?\d*)\s*:\s*(?P<end>-?\d*)\s*(?::\s*(?P<by>-?\d*)\s*)?\]
      | \[\s*(?P<every>\*)\s*\]
      | \[\?\(\s*@(?P<path>(?:\.[^=!<>\s)]+)?)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]+)\s*)?\)\]
    """,
    re.VERBOSE,
)


class BadPath(ValueError):
    """It is no JSONPath, or of a sort that is not known here."""


class Path:
    """A parsed path.

    Raises:
        BadPath: at its making.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps: list[Step] = []
        inner = text.strip()
        if inner.startswith("{") and inner.endswith("}"):
            inner = inner[1:-1].strip()
        inner = inner.removeprefix("$")
        at = 0
        while at < len(inner):
            match = _TOKEN.match(inner, at)
            if match is None:
                raise BadPath(f"unrecognized character in action at {inner[at : at + 20]!r}")
            self._steps.append(_step(match))
            at = match.end()

    def find(self, obj: Any) -> Values:
        """The values at the path."""
        values = [obj]
        for step in self._steps:
            values = step(values)
        return values

    def first(self, obj: Any) -> Any:
        """The first of them, or None."""
        found = self.find(obj)
        return found[0] if found else None


def simple_fields(text: str) -> list[str]:
    """The fields of a path that is nothing but fields, as `.spec.replicas`.

    Raises:
        BadPath: there is something else in it.
    """
    fields, at = [], 0
    if not text.startswith((".", "[")):
        raise BadPath("must be a json path starting with '.'")
    while at < len(text):
        match = _TOKEN.match(text, at)
        name = match and (match["field"] or match["quoted"])
        if match is None or not name or name == "*":
            raise BadPath("must be a simple json path: fields only")
        fields.append(re.sub(r"\\(.)", r"\1", name))
        at = match.end()
    return fields


def _step(match: re.Match[str]) -> Step:
    found = match.groupdict()
    name = found["quoted"] if found["quoted"] is not None else found["field"]
    if found["deep"] is not None:
        return lambda values: [each for value in values for each in _below(value, found["deep"])]
    if found["every"] or name == "*":
        return lambda values: [each for value in values for each in _inside(value)]
    if name is not None:
        plain = re.sub(r"\\(.)", r"\1", name)
        return lambda values: [v[plain] for v in values if isinstance(v, dict) and plain in v]
    if found["index"] is not None:
        index = int(found["index"])
        return lambda values: [v[index] for v in values if isinstance(v, list) and -len(v) <= index < len(v)]
    if found["start"] is not None:
        piece = slice(*(int(found[part]) if found[part] else None for part in ("start", "end", "by")))
        if piece.step == 0:
            raise BadPath("step must be > 0")
        return lambda values: [each for v in values if isinstance(v, list) for each in v[piece]]
    return _filter(found)


def _filter(found: dict[str, Any]) -> Step:
    inner, operator = Path(found["path"]), found["op"]
    wanted = _literal(found["value"]) if operator else None

    def fits(item: Any) -> bool:
        there = inner.find(item)
        if operator is None:
            return bool(there)
        return bool(there) and _compare(there[0], operator, wanted)

    return lambda values: [each for value in values for each in _inside(value) if fits(each)]


def _literal(text: str) -> Any:
    if text[:1] in "\"'":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    except ValueError:
        raise BadPath(f"unrecognized value {text!r} in a filter") from None


def _compare(found: Any, operator: str, wanted: Any) -> bool:
    if operator in ("==", "!="):
        return (found == wanted) is (operator == "==")
    try:
        return bool(
            {"<": found < wanted, "<=": found <= wanted, ">": found > wanted, ">=": found >= wanted}[operator]
        )
    except TypeError:
        return False


def _inside(value: Any) -> Values:
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []


def _below(value: Any, name: str) -> Values:
    found = [value[name]] if isinstance(value, dict) and name in value else []
    for each in _inside(value):
        found += _below(each, name)
    return found
