"""What a decoder raises when JSON is of another type than the field it is meant for.

The words are those of Go's encoding/json, since clients and people know them:
`json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`.
"""

from __future__ import annotations

from typing import Any

_JSON_NAMES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


def json_name(value: Any) -> str:
    """The word that Go uses for a JSON value of this type."""
    return _JSON_NAMES.get(type(value), type(value).__name__)


class Mismatch(Exception):
    """A value that a field can't hold. On its way out of nested decoders each adds its part of the path.

    Args:
        found: what was there (`string`, `number 1.5`). wanted: the Go type of the field.
        text: the whole message instead, where Go's decoder for that type makes its own.
    """

    def __init__(self, found: str = "", wanted: str = "", *, text: str = "") -> None:
        super().__init__(text or f"cannot unmarshal {found} into {wanted}")
        self.found = found
        self.wanted = wanted
        self.text = text
        self.struct = ""
        self.path: list[str] = []

    def inside(self, struct: str, key: str) -> None:
        """Note that it happened in field `key` of `struct`. The innermost struct is the one named."""
        self.struct = self.struct or struct
        self.path.append(key)

    def message(self) -> str:
        """The sentence that follows `cannot be handled as a Deployment: `."""
        if self.text:
            return self.text
        if not self.struct:
            return f"json: cannot unmarshal {self.found} into Go value of type {self.wanted}"
        field = ".".join(reversed(self.path))
        where = f"Go struct field {self.struct}.{field}"
        return f"json: cannot unmarshal {self.found} into {where} of type {self.wanted}"
