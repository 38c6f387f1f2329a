"""The functions that Kubernetes adds to CEL: lists, regular expressions, URLs, addresses, quantities.

Values of types that CEL doesn't know (a URL, an address, a quantity) are maps here, with one field that says which.
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from app.schemas.cel_quantity import QUANTITY
from app.schemas.cel_value import Overload
from app.schemas.expressions import compiled

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Range = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of value that CEL doesn't know, kept as a map of one field."""

    field: str
    parse: Callable[[str], Any]

    def make(self, text: str) -> dict[str, str]:
        self.parse(text)
        return {self.field: text}

    def fits(self, text: str) -> bool:
        try:
            self.parse(text)
        except ValueError:
            return False
        return True

    def of(self, value: dict[str, Any]) -> Any:
        if self.field not in value:
            raise ValueError("no such overload")
        return self.parse(value[self.field])


def _url(text: str) -> SplitResult:
    parts = urlsplit(text)
    if not (parts.scheme or text.startswith("/")):
        raise ValueError(
            f'URL parse error during conversion from string: parse "{text}": invalid URI for request'
        )
    return parts


def _address(text: str) -> Address:
    if "%" in text:
        raise ValueError(
            f"IP Address {text!r} parse error during conversion from string: zones are not allowed"
        )
    return ipaddress.ip_address(text)


def _range(text: str) -> Range:
    if "/" not in text:
        raise ValueError(f"network address parse error during conversion from string: {text!r}")
    return ipaddress.ip_network(text, strict=False)


URL, IP, CIDR = _Kind("url", _url), _Kind("ip", _address), _Kind("cidr", _range)


def _of(kind: _Kind, result: str, work: Callable[[Any], Any]) -> list[Overload]:
    return [Overload(("map",), result, lambda value: work(kind.of(value)), member=True)]


def _contains_ip(value: Any, other: Any) -> bool:
    address = _address(other) if isinstance(other, str) else IP.of(other)
    return address in CIDR.of(value)


def _contains_cidr(value: Any, other: Any) -> bool:
    inner, outer = (_range(other) if isinstance(other, str) else CIDR.of(other)), CIDR.of(value)
    return bool(inner.version == outer.version and inner.subnet_of(outer))


def _indexes(find: Callable[[list[Any], Any], int]) -> list[Overload]:
    return [
        Overload(("list", kind), "int", find, member=True) for kind in ("int", "string", "double", "bool")
    ]


def _sorted(values: list[Any]) -> bool:
    return all(a <= b for a, b in pairwise(values))


def _last_index(values: list[Any], value: Any) -> int:
    return len(values) - 1 - values[::-1].index(value) if value in values else -1


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _one_of(values: list[Any], pick: Callable[[list[Any]], Any], name: str) -> Any:
    if not values:
        raise ValueError(f"{name} called on empty list")
    return pick(values)


def _find_all(text: str, pattern: str) -> list[str]:
    return [match[0] for match in compiled(pattern).finditer(text)]


def _find(text: str, pattern: str) -> str:
    match = compiled(pattern).search(text)
    return match[0] if match else ""


FUNCTIONS: dict[str, list[Overload]] = {
    "isSorted": [Overload(("list",), "bool", _sorted, member=True)],
    "sum": [Overload(("list",), "dyn", sum, member=True)],
    "min": [Overload(("list",), "dyn", lambda values: _one_of(values, min, "min"), member=True)],
    "max": [Overload(("list",), "dyn", lambda values: _one_of(values, max, "max"), member=True)],
    "indexOf": _indexes(lambda values, value: values.index(value) if value in values else -1),
    "lastIndexOf": _indexes(_last_index),
    "sets.contains": [Overload(("list", "list"), "bool", lambda a, b: all(x in a for x in b))],
    "sets.equivalent": [
        Overload(("list", "list"), "bool", lambda a, b: all(x in a for x in b) and all(x in b for x in a))
    ],
    "sets.intersects": [Overload(("list", "list"), "bool", lambda a, b: any(x in a for x in b))],
    "find": [Overload(("string", "string"), "string", _find, member=True)],
    "findAll": [
        Overload(("string", "string"), "list", _find_all, member=True),
        Overload(("string", "string", "int"), "list", lambda t, p, n: _find_all(t, p)[: n if n >= 0 else None],
                 member=True),
    ],
    "url": [Overload(("string",), "map", URL.make)],
    "isURL": [Overload(("string",), "bool", URL.fits)],
    "getScheme": _of(URL, "string", lambda parts: parts.scheme),
    "getHost": _of(URL, "string", _host),
    "getHostname": _of(URL, "string", lambda parts: (parts.hostname or "")),
    "getPort": _of(URL, "string", lambda parts: str(parts.port) if parts.port is not None else ""),
    "getEscapedPath": _of(URL, "string", lambda parts: parts.path),
    "getQuery": _of(URL, "map", lambda parts: parse_qs(parts.query, keep_blank_values=True)),
    "ip": [
        Overload(("string",), "map", IP.make),
        Overload(("map",), "map", lambda value: {"ip": str(value["cidr"]).partition("/")[0]}, member=True),
    ],
    "isIP": [Overload(("string",), "bool", IP.fits)],
    "ip.isCanonical": [Overload(("string",), "bool", lambda text: str(_address(text)) == text)],
    "family": _of(IP, "int", lambda address: address.version),
    "isUnspecified": _of(IP, "bool", lambda address: address.is_unspecified),
    "isLoopback": _of(IP, "bool", lambda address: address.is_loopback),
    "isLinkLocalMulticast": _of(
        IP, "bool", lambda a: a.is_multicast and (str(a).startswith(("224.0.0.", "ff02:")))
    ),
    "isLinkLocalUnicast": _of(IP, "bool", lambda address: address.is_link_local),
    "isGlobalUnicast": _of(
        IP, "bool", lambda a: not (a.is_multicast or a.is_loopback or a.is_unspecified or a.is_link_local)
    ),
    "cidr": [Overload(("string",), "map", CIDR.make)],
    "isCIDR": [Overload(("string",), "bool", CIDR.fits)],
    "containsIP": [Overload(("map", kind), "bool", _contains_ip, member=True) for kind in ("string", "map")],
    "containsCIDR": [Overload(("map", kind), "bool", _contains_cidr, member=True) for kind in ("string", "map")],
    "masked": [Overload(("map",), "map", lambda value: {"cidr": str(CIDR.of(value))}, member=True)],
    "prefixLength": _of(CIDR, "int", lambda network: network.prefixlen),
    **QUANTITY,
}  # fmt: skip
