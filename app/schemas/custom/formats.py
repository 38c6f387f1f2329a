"""The formats that a schema may ask of a string, as far as Kubernetes checks them.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation; all
others are ignored.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit

from app.schemas.formats import dns_label, dns_subdomain

Check = Callable[[str], bool]

_UUID = r"[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_DURATION_GO = re.compile(r"[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_DURATION_WORDS = re.compile(
    r"\d+(\.\d+)?\s*(nanoseconds?|nanos?|ns|microseconds?|micros?|us|µs|milliseconds?|millis?|ms|seconds?|secs?|s|"
    r"minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w)"
)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[-+]\d{2}:\d{2})")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_HOST = re.compile(
    r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*"
)
_COLOR = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")


def _matches(pattern: str) -> Check:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda value: compiled.fullmatch(value) is not None


def _parses(parse: Callable[[str], object]) -> Check:
    def check(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _date_time(value: str) -> bool:
    if not _DATE_TIME.fullmatch(value):
        return False
    seconds = value[:19].upper()
    return _parses(datetime.fromisoformat)(seconds.replace("T", " "))


def _date(value: str) -> bool:
    return len(value) == 10 and _parses(date.fromisoformat)(value)


def _byte(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return not any(c.isspace() for c in value) and bool(parts.scheme or value.startswith("/"))


def _email(value: str) -> bool:
    return _EMAIL.fullmatch(value) is not None


def _duration(value: str) -> bool:
    return _DURATION_GO.fullmatch(value) is not None or _DURATION_WORDS.fullmatch(value.strip()) is not None


def _card(value: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", value)
    if not 13 <= len(digits) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _rgb(value: str) -> bool:
    found = _COLOR.fullmatch(value)
    return found is not None and all(int(part) <= 255 for part in found.groups())


CHECKS: dict[str, Check] = {
    "bsonobjectid": _matches(r"[0-9a-f]{24}"),
    "uri": _uri,
    "email": _email,
    "hostname": lambda value: len(value) <= 253 and _HOST.fullmatch(value) is not None,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": lambda value: "/" in value and _parses(lambda v: ipaddress.ip_network(v, strict=False))(value),
    "mac": _matches(r"([0-9a-f]{2}[:-]){5}[0-9a-f]{2}(([:-][0-9a-f]{2}){2})?|([0-9a-f]{4}\.){2}[0-9a-f]{4}"),
    "uuid": _matches(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _matches(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _matches(_UUID % ("4", "[89ab]")),
    "uuid5": _matches(_UUID % ("5", "[89ab]")),
    "isbn10": _matches(r"(\d-?){9}[\dxX]"),
    "isbn13": _matches(r"(\d-?){12}\d"),
    "isbn": _matches(r"(\d-?){9}[\dxX]|(\d-?){12}\d"),
    "creditcard": _card,
    "ssn": _matches(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _matches(r"#?([0-9a-f]{3}|[0-9a-f]{6})"),
    "rgbcolor": _rgb,
    "byte": _byte,
    "password": lambda value: True,
    "date": _date,
    "duration": _duration,
    "date-time": _date_time,
    "datetime": _date_time,
    "k8s-short-name": lambda value: not dns_label(value),
    "k8s-long-name": lambda value: not dns_subdomain(value),
}
