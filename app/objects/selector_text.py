"""Label selectors in string form, as in `?labelSelector=`: `a=b,c!=d,e in (x,y),f notin (z),g,!h`.

A port of the parser in k8s.io/apimachinery/pkg/labels/selector.go, whose error messages clients show.
"""

from __future__ import annotations

import re
from functools import lru_cache

from app.base.errors import BadRequest
from app.objects.selectors import Requirement, Selector

_TOKEN = re.compile(r"\s*(?:(?P<symbol>==|!=|[=!(),<>])|(?P<word>[^\s=!(),<>]+))")
_WORDS = {"in": "in", "notin": "notin", "=": "=", "==": "=", "!=": "!=", ">": "gt", "<": "lt"}

_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
PREFIX_RULE = (
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
QUALIFIED_RULE = (
    "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. "
    "'example.com/MyName')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """The selector that `text` writes.

    Raises:
        BadRequest: it is none; the message is kube-apiserver's.
    """
    try:
        return Selector(_Parser(text).requirements())
    except ValueError as exc:
        raise BadRequest(str(exc)) from exc


def key_faults(key: str) -> list[str]:
    """What is wrong with a label's key (validation.IsQualifiedName); empty if nothing."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return [QUALIFIED_RULE]
    faults = []
    if slash and not prefix:
        faults.append("prefix part must be non-empty")
    elif slash and len(prefix) > 253:
        faults.append("prefix part must be no more than 253 characters")
    elif slash and not _SUBDOMAIN.fullmatch(prefix):
        faults.append(PREFIX_RULE)
    if not name:
        faults.append("name part must be non-empty")
    elif len(name) > 63:
        faults.append("name part must be no more than 63 characters")
    if not _NAME.fullmatch(name):
        faults.append(NAME_RULE)
    return faults


def value_faults(value: str) -> list[str]:
    """What is wrong with a label's value (validation.IsValidLabelValue); empty if nothing."""
    faults = []
    if len(value) > 63:
        faults.append("must be no more than 63 characters")
    if not _VALUE.fullmatch(value):
        faults.append(VALUE_RULE)
    return faults


class _Parser:
    """Recursive descent over the tokens; an empty token is the end of the text."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position = 0
        while match := _TOKEN.match(text, position):
            self._tokens.append(match["symbol"] or match["word"])
            position = match.end()
        self._at = 0

    def _look(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._look()
        self._at += 1
        return token

    def requirements(self) -> tuple[Requirement, ...]:
        found: list[Requirement] = []
        while token := self._look():
            if token != "!" and not _is_word(token):
                raise ValueError(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except ValueError as exc:
                raise ValueError(f"unable to parse requirement: {exc}") from exc
            token = self._take()
            if token == "":
                break
            if token != ",":
                raise ValueError(f"found '{token}', expected: ',' or 'end of string'")
            token = self._look()
            if token != "!" and not _is_word(token):
                raise ValueError(f"found '{token}', expected: identifier after ','")
        return tuple(found)

    def _requirement(self) -> Requirement:
        key = self._take()
        absent = key == "!"
        if absent:
            key = self._take()
        if not _is_word(key):
            raise ValueError(f"found '{key}', expected: identifier")
        if faults := key_faults(key):
            raise ValueError(f'<nil>: Invalid value: "{key}": {"; ".join(faults)}')
        if absent:
            return Requirement(key, "!")
        if self._look() in ("", ","):
            return Requirement(key, "exists")
        sign = self._take()
        operator = _WORDS.get(sign)
        if operator is None:
            raise ValueError(f"found '{sign}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._values() if operator in ("in", "notin") else self._exact_value()
        if operator in ("gt", "lt") and not re.fullmatch(r"[+-]?[0-9]+", values[0]):
            raise ValueError(
                f"values[0]: Invalid value: \"{values[0]}\": for 'Gt', 'Lt' operators, the value "
                "must be an integer"
            )
        for number, value in enumerate(values):
            if faults := value_faults(value):
                raise ValueError(f'values[{number}][{key}]: Invalid value: "{value}": {"; ".join(faults)}')
        return Requirement(key, operator, values)

    def _exact_value(self) -> tuple[str, ...]:
        if self._look() in ("", ","):
            return ("",)
        value = self._take()
        if not _is_word(value):
            raise ValueError(f"found '{value}', expected: identifier")
        return (value,)

    def _values(self) -> tuple[str, ...]:
        token = self._take()
        if token != "(":
            raise ValueError(f"found '{token}' expected: '('")
        token = self._look()
        if token not in (",", ")") and not _is_word(token):
            raise ValueError(f"found '{token}', expected: ',', ')' or identifier")
        values: set[str] = set()
        expecting = True  # a value; an empty one is left out between commas and parentheses
        while True:
            token = self._take()
            if token == ")":
                if expecting:
                    values.add("")
                return tuple(sorted(values))
            if token == ",":
                if expecting:
                    values.add("")
                expecting = True
            elif _is_word(token):
                if not expecting:
                    raise ValueError(f"found '{token}', expected: ',' or ')'")
                values.add(token)
                expecting = False
            elif expecting:
                raise ValueError(f"found '{token}', expected: ',', or identifier")
            else:
                raise ValueError(f"found '{token}', expected: ',' or ')'")


def _is_word(token: str) -> bool:
    return bool(token) and token[0] not in "=!(),<>"
