"""Query parameters, read as Kubernetes reads them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from app.base.errors import BadRequest

MAX_PARAMETERS = 200


class Query:
    """The parameters of one request; the first of several values counts."""

    __slots__ = ("_values",)

    def __init__(self, text: str) -> None:
        """Raises BadRequest if there are absurdly many of them."""
        self._values: dict[str, str] = {}
        if not text:
            return
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError as exc:
            raise BadRequest(f"too many query parameters: at most {MAX_PARAMETERS} are read") from exc
        for name, value in pairs:
            self._values.setdefault(name, value)

    def text(self, name: str) -> str:
        """Its value; empty if not given."""
        return self._values.get(name, "")

    def given(self, name: str) -> bool:
        return name in self._values

    def flag(self, name: str) -> bool:
        """True unless it is missing, `false` or `0` (k8s.io/apimachinery/pkg/runtime/conversion.go)."""
        value = self._values.get(name)
        return value is not None and value.lower() not in ("false", "0")

    def number(self, name: str) -> int | None:
        """A whole number, or None if not given.

        Raises:
            BadRequest: it is none.
        """
        value = self._values.get(name)
        if not value:
            return None
        try:
            if not value.lstrip("+-").isascii() or len(value) > 19:
                raise ValueError
            return int(value)
        except ValueError:
            raise BadRequest(f'strconv.ParseInt: parsing "{value[:64]}": invalid syntax') from None
