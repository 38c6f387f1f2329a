"""Fields that hold one value: text, numbers, times, quantities."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC
from datetime import datetime as _datetime
from typing import Any, ClassVar

from app.objects.quantity import canonical
from app.schemas.field import Decoder, Field
from app.schemas.mismatch import Mismatch, json_name


class String(Field):
    """Text."""

    def decoder(self) -> Decoder:
        go = self.go

        def decode(value: Any, _unknown: list[str]) -> Any:
            if type(value) is str:
                return value
            if value is None:
                return ""
            raise Mismatch(json_name(value), go)

        return decode


class Boolean(Field):
    """true or false."""

    go = "bool"

    def decoder(self) -> Decoder:
        def decode(value: Any, _unknown: list[str]) -> Any:
            if value is True or value is False:
                return value
            raise Mismatch(json_name(value), "bool")

        return decode


class Int32(Field):
    """A whole number of 32 bits."""

    go = "int32"
    bits: ClassVar[int] = 32

    def decoder(self) -> Decoder:
        go, limit = self.go, 1 << (self.bits - 1)

        def decode(value: Any, _unknown: list[str]) -> Any:
            if type(value) is int and -limit <= value < limit:
                return value
            if value is None:
                return 0
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                raise Mismatch(f"number {value}", go)
            raise Mismatch(json_name(value), go)

        return decode


class Int64(Int32):
    """A whole number of 64 bits."""

    go = "int64"
    bits = 64


class Double(Field):
    """A number."""

    go = "float64"

    def decoder(self) -> Decoder:
        def decode(value: Any, _unknown: list[str]) -> Any:
            if type(value) is int or type(value) is float:
                return value
            raise Mismatch(json_name(value), "float64")

        return decode


class IntOrString(Field):
    """A number or a text: a port or its name, a count or a percentage."""

    go = "intstr.IntOrString"

    def __init__(self, about: str = "", **kwargs: Any) -> None:
        super().__init__(about, **{"keep_zero": True, **kwargs})

    def decoder(self) -> Decoder:
        def decode(value: Any, _unknown: list[str]) -> Any:
            if type(value) is str:
                return value
            if type(value) is int and -(1 << 31) <= value < 1 << 31:
                return value
            found = f"number {value}" if type(value) in (int, float) else json_name(value)
            raise Mismatch(text=f"json: cannot unmarshal {found} into Go value of type int32")

        return decode


class Quantity(Field):
    """An amount of a resource, such as `500m` or `1Gi`; decoded into its canonical form."""

    go = "resource.Quantity"

    def decoder(self) -> Decoder:
        def decode(value: Any, _unknown: list[str]) -> Any:
            if type(value) is str or (isinstance(value, (int, float)) and not isinstance(value, bool)):
                try:
                    return canonical(str(value))
                except ValueError as exc:
                    raise Mismatch(text=str(exc)) from exc
            if value is None:
                return "0"
            raise Mismatch(json_name(value), self.go)

        return decode


_TIME = re.compile(
    r"\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"
)


class Time(Field):
    """A moment, RFC 3339, in whole seconds and UTC."""

    go = "v1.Time"
    layout: ClassVar[str] = "2006-01-02T15:04:05Z07:00"
    wire: ClassVar[str] = "%Y-%m-%dT%H:%M:%SZ"
    length: ClassVar[int] = 20

    def decoder(self) -> Decoder:
        layout, wire, length = self.layout, self.wire, self.length

        def decode(value: Any, _unknown: list[str]) -> Any:
            if type(value) is not str:
                if value is None:
                    return ""
                raise Mismatch(text=f"json: cannot unmarshal {json_name(value)} into Go value of type string")
            try:
                if not _TIME.fullmatch(value):
                    raise ValueError(value)
                moment = _datetime.fromisoformat(value)
                if len(value) == length and value[-1] == "Z":
                    return value
                return moment.astimezone(UTC).strftime(wire)
            except (ValueError, OverflowError) as exc:
                message = f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"'
                raise Mismatch(text=message) from exc

        return decode


class MicroTime(Time):
    """A moment, RFC 3339, in microseconds and UTC."""

    go = "v1.MicroTime"
    layout = "2006-01-02T15:04:05.000000Z07:00"
    wire = "%Y-%m-%dT%H:%M:%S.%fZ"
    length = 27


class Bytes(Field):
    """Base64 text that stands for bytes."""

    go = "[]uint8"

    def decoder(self) -> Decoder:
        def decode(value: Any, _unknown: list[str]) -> Any:
            if type(value) is str:
                # Line breaks are allowed, since `base64` of the shell makes them.
                text = value.replace("\n", "").replace("\r", "")
                try:
                    base64.b64decode(text, validate=True)
                except (binascii.Error, ValueError) as exc:
                    raise Mismatch(text="illegal base64 data at input byte 0") from exc
                return text
            if value is None:
                return ""
            raise Mismatch(json_name(value), self.go)

        return decode


class Anything(Field):
    """Any JSON, kept as it is."""

    go = "interface {}"

    def decoder(self) -> Decoder:
        return lambda value, _unknown: value
