"""Collecting what is wrong with an object, in the words of k8s.io/apimachinery's field errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from app.base.errors import Cause, Invalid
from app.schemas.kind import Kind

# Of an object that is wrong all over, so many faults are told.
MOST = 1000


def shown(value: Any) -> str:
    """A value as messages show it: JSON."""
    return orjson.dumps(value).decode()


class Faults:
    """What was found so far, in the order in which it was found."""

    __slots__ = ("causes",)

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    def _add(self, path: str, reason: str, message: str) -> None:
        cause = Cause(path, reason, message)
        if len(self.causes) < MOST and cause not in self.causes:
            self.causes.append(cause)

    def required(self, path: str, detail: str = "") -> None:
        self._add(path, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value")

    def invalid(self, path: str, value: Any, detail: str) -> None:
        self._add(path, "FieldValueInvalid", f"Invalid value: {shown(value)}: {detail}")

    def invalid_here(self, path: str, detail: str) -> None:
        """Of a whole whose value would say nothing."""
        self._add(path, "FieldValueInvalid", f"Invalid value: {detail}")

    def not_supported(self, path: str, value: Any, choices: Iterable[str]) -> None:
        supported = ", ".join(f'"{choice}"' for choice in choices)
        self._add(
            path,
            "FieldValueNotSupported",
            f"Unsupported value: {shown(value)}: supported values: {supported}",
        )

    def of_wrong_type(self, path: str, value: Any, detail: str) -> None:
        self._add(path, "FieldValueTypeInvalid", f"Invalid value: {shown(value)}: {detail}")

    def not_supported_json(self, path: str, value: Any, choices: Iterable[Any]) -> None:
        """`not_supported` where choices may be any JSON."""
        self.not_supported(path, value, [each if isinstance(each, str) else shown(each) for each in choices])

    def duplicate(self, path: str, value: Any, detail: str = "") -> None:
        message = f"Duplicate value: {shown(value)}"
        self._add(path, "FieldValueDuplicate", f"{message}: {detail}" if detail else message)

    def forbidden(self, path: str, detail: str) -> None:
        self._add(path, "FieldValueForbidden", f"Forbidden: {detail}")

    def not_found(self, path: str, value: Any) -> None:
        self._add(path, "FieldValueNotFound", f"Not found: {shown(value)}")

    def too_long(self, path: str, limit: int) -> None:
        self._add(path, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")

    def too_many(self, path: str, count: int, limit: int) -> None:
        self._add(path, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} items")

    def all_invalid(self, path: str, value: Any, details: Iterable[str]) -> None:
        """One fault for each detail."""
        for detail in details:
            self.invalid(path, value, detail)

    def check(self, kind: Kind, name: str) -> None:
        """Raises Invalid if anything was found."""
        if not self.causes:
            return
        found = [f"{cause.field}: {cause.message}" for cause in self.causes]
        text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
        raise Invalid(
            f'{kind.qualified_kind} "{name}" is invalid: {text}',
            group=kind.group,
            resource=kind.kind,
            name=name,
            causes=self.causes,
        )
