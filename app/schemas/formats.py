"""Forms that names and numbers must have; each check gives what is wrong, in Kubernetes's words.

The rules are those of k8s.io/apimachinery/pkg/util/validation and
https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

_LABEL_RE = re.compile(_LABEL)
_LABEL_1035_RE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN_RE = re.compile(_SUBDOMAIN)
_QUALIFIED_RE = re.compile(_QUALIFIED)
_LABEL_VALUE_RE = re.compile(rf"({_QUALIFIED})?")
_PORT_NAME_RE = re.compile(r"[-a-z0-9]+")
_ENV_NAME_RE = re.compile(r"[\x20-\x3c\x3e-\x7e]+")
_HEADER_RE = re.compile(r"[-A-Za-z0-9]+")
_DATA_KEY_RE = re.compile(r"[-._a-zA-Z0-9]+")

_LABEL_FORM = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_FORM = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_WILDCARD_FORM = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    r"regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_1035_FORM = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED_FORM = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_VALUE_FORM = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def _too_long(length: int) -> str:
    return f"must be no more than {length} characters"


def dns_label(value: str) -> list[str]:
    """An RFC 1123 label: a namespace's or a container's name."""
    faults = [_too_long(63)] if len(value) > 63 else []
    return faults if _LABEL_RE.fullmatch(value) else [*faults, _LABEL_FORM]


def dns_label_1035(value: str) -> list[str]:
    """An RFC 1035 label: a service's name."""
    faults = [_too_long(63)] if len(value) > 63 else []
    return faults if _LABEL_1035_RE.fullmatch(value) else [*faults, _LABEL_1035_FORM]


def wildcard_subdomain(value: str) -> list[str]:
    """A subdomain of which the first part stands for any: `*.example.com`."""
    faults = [_too_long(253)] if len(value) > 253 else []
    fine = value.startswith("*.") and _SUBDOMAIN_RE.fullmatch(value[2:])
    return faults if fine else [*faults, _WILDCARD_FORM]


def dns_subdomain(value: str) -> list[str]:
    """An RFC 1123 subdomain: most objects' names."""
    faults = [_too_long(253)] if len(value) > 253 else []
    return faults if _SUBDOMAIN_RE.fullmatch(value) else [*faults, _SUBDOMAIN_FORM]


def path_segment(value: str) -> list[str]:
    """What may stand between two slashes of a URL: names of roles and bindings."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{each}'" for each in ("/", "%") if each in value]


def qualified_name(value: str) -> list[str]:
    """A label's or annotation's key: `name`, or `prefix/name` with a DNS subdomain before the slash."""
    prefix, slash, name = value.rpartition("/")
    faults = []
    if "/" in prefix:
        form = _QUALIFIED_FORM.removeprefix("name part ")
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a qualified name {form} {optional}"]
    if slash:
        if not prefix:
            faults.append("prefix part must be non-empty")
        else:
            faults += [f"prefix part {fault}" for fault in dns_subdomain(prefix)]
    if not name:
        faults.append("name part must be non-empty")
    elif len(name) > 63:
        faults.append(f"name part {_too_long(63)}")
    if not _QUALIFIED_RE.fullmatch(name):
        faults.append(_QUALIFIED_FORM)
    return faults


def label_value(value: str) -> list[str]:
    """A label's value."""
    faults = [_too_long(63)] if len(value) > 63 else []
    return faults if _LABEL_VALUE_RE.fullmatch(value) else [*faults, _LABEL_VALUE_FORM]


def port_number(value: Any) -> list[str]:
    """A port's number."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def port_name(value: str) -> list[str]:
    """A port's name (IANA service name)."""
    faults = []
    if len(value) > 15:
        faults.append("must be no more than 15 characters")
    if not _PORT_NAME_RE.fullmatch(value):
        faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        faults.append("must contain at least one letter (a-z)")
    if "--" in value:
        faults.append("must not contain consecutive hyphens")
    if value[:1] == "-" or value[-1:] == "-":
        faults.append("must not begin or end with a hyphen")
    return faults


def port_or_name(value: int | str) -> list[str]:
    """A port's number or name."""
    return port_number(value) if isinstance(value, int) else port_name(value)


def env_name(value: str) -> list[str]:
    """An environment variable's name: printable ASCII but for `=`."""
    if _ENV_NAME_RE.fullmatch(value):
        return []
    return [
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
    ]


def data_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret, which may become a file's name."""
    faults = [_too_long(253)] if len(value) > 253 else []
    if not _DATA_KEY_RE.fullmatch(value):
        faults.append(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  "
            "or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        )
    if value in (".", ".."):
        faults.append(f"must not be '{value}'")
    elif value.startswith(".."):
        faults.append("must not start with '..'")
    return faults


def deadline(value: int) -> list[str]:
    """Seconds until a pod has failed."""
    return [] if 1 <= value <= 2147483647 else ["must be between 1 and 2147483647, inclusive"]


def http_header(value: str) -> list[str]:
    """The name of an HTTP header."""
    if _HEADER_RE.fullmatch(value):
        return []
    return [
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
        "validation is '[-A-Za-z0-9]+')"
    ]


def not_negative(value: int) -> list[str]:
    return [] if value >= 0 else ["must be greater than or equal to 0"]


def positive(value: int) -> list[str]:
    return [] if value > 0 else ["must be greater than 0"]


def ip_address(value: str) -> list[str]:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return []


def cidr_range(value: str) -> list[str]:
    """A range of addresses."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    return []


def file_mode(value: int) -> list[str]:
    """Permission bits of a file."""
    return [] if 0 <= value <= 0o777 else ["must be a number between 0 and 0777 (octal), both inclusive"]


def user_id(value: int) -> list[str]:
    """A user's or group's number."""
    return [] if 0 <= value <= 2147483647 else ["must be between 0 and 2147483647, inclusive"]
