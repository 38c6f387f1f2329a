"""What schemas are declared with: the `Type` that is a schema's base, the fields that hold other fields, and
(from `scalars`) those that hold one value."""

from __future__ import annotations

from typing import Any, ClassVar

import marshmallow

from app.schemas.field import ABSENT, Decoder, Field
from app.schemas.mismatch import Mismatch, json_name
from app.schemas.scalars import (
    Anything,
    Boolean,
    Bytes,
    Double,
    Int32,
    Int64,
    IntOrString,
    MicroTime,
    Quantity,
    String,
    Time,
)

__all__ = [
    "ABSENT",
    "Anything",
    "Boolean",
    "Bytes",
    "Double",
    "Field",
    "Int32",
    "Int64",
    "IntOrString",
    "ListOf",
    "MapOf",
    "MicroTime",
    "Quantity",
    "Recursive",
    "String",
    "StringMap",
    "Struct",
    "Time",
    "Type",
]


class ListOf(Field):
    """A list whose items are all like `inner`."""

    def __init__(self, inner: Field, about: str = "", **kwargs: Any) -> None:
        super().__init__(about, **kwargs)
        self.inner = inner
        self.go = f"[]{inner.go}"

    def children(self) -> Field | type[Type] | None:
        return self.inner

    def decoder(self) -> Decoder:
        inner, go = self.inner.decoder(), self.go

        def decode(value: Any, unknown: list[str]) -> Any:
            if type(value) is not list:
                raise Mismatch(json_name(value), go)
            return [inner(item, unknown) for item in value]

        return decode


class MapOf(Field):
    """A map from text to what is like `inner`."""

    def __init__(self, inner: Field, about: str = "", **kwargs: Any) -> None:
        super().__init__(about, **kwargs)
        self.inner = inner
        self.go = f"map[string]{inner.go}"

    def children(self) -> Field | type[Type] | None:
        return self.inner

    def decoder(self) -> Decoder:
        inner, go = self.inner.decoder(), self.go

        def decode(value: Any, unknown: list[str]) -> Any:
            if type(value) is not dict:
                raise Mismatch(json_name(value), go)
            return {key: inner(item, unknown) for key, item in value.items()}

        return decode


def StringMap(about: str = "", **kwargs: Any) -> MapOf:
    """A map from text to text: labels, annotations, data."""
    return MapOf(String(), about, **kwargs)


class Struct(Field):
    """A nested object of its own schema.

    `by_value`: where it is absent it counts as empty, so that a required field inside is missed under its own
    name (Go holds it by value, not by pointer).
    """

    def __init__(self, schema: type[Type], about: str = "", *, by_value: bool = False, **kwargs: Any) -> None:
        super().__init__(about, **kwargs)
        self.schema = schema
        self.by_value = by_value
        self.keep_zero = True
        self.go = schema.go_name()

    def children(self) -> Field | type[Type] | None:
        return self.schema

    def decoder(self) -> Decoder:
        return self.schema.decoder()


class Recursive(Struct):
    """An object of a schema that contains itself. Its fields have no defaults and no checks of their own: what
    holds for it is a rule of whatever it stands in."""

    def decoder(self) -> Decoder:
        schema = self.schema
        # Looked up late, or it would never end.
        return lambda value, unknown: schema.decoder()(value, unknown)


class Type(marshmallow.Schema):
    """Base of all schemas: one class for each type of the Kubernetes API, whose docstring describes it.

    `package` is where OpenAPI names it (`io.k8s.api.core.v1`).
    """

    package: ClassVar[str] = ""
    _decoder: ClassVar[Decoder | None] = None

    class Meta:
        unknown = marshmallow.EXCLUDE
        register = False

    @classmethod
    def fields_of(cls) -> dict[str, Field]:
        """Its fields by name on the wire."""
        return cls._declared_fields  # type: ignore[return-value]

    @classmethod
    def go_name(cls) -> str:
        """As Go prints the type: `v1.Container`."""
        return f"{cls.package.rpartition('.')[2]}.{cls.__name__}"

    @classmethod
    def openapi_name(cls) -> str:
        return f"{cls.package}.{cls.__name__}"

    @classmethod
    def decoder(cls) -> Decoder:
        """The function that decodes an object of this type; made at the first call."""
        made = cls.__dict__.get("_decoder")
        if made is None:
            made = cls._decoder = _struct_decoder(cls)
        return made.__func__ if isinstance(made, staticmethod) else made


def _struct_decoder(schema: type[Type]) -> Decoder:
    name, go = schema.__name__, schema.go_name()
    table = {key: (field.decoder(), field.keep_zero) for key, field in schema.fields_of().items()}
    find = table.get

    def decode(raw: Any, unknown: list[str]) -> Any:
        if type(raw) is not dict:
            if raw is None:
                return {}
            raise Mismatch(json_name(raw), go)
        out = {}
        key = ""
        try:
            for key, value in raw.items():
                known = find(key)
                if known is None:
                    unknown.append(key)
                    continue
                if value is None:
                    continue
                value = known[0](value, unknown)
                if value or known[1]:
                    out[key] = value
        except Mismatch as exc:
            exc.inside(name, key)
            raise
        return out

    return decode
