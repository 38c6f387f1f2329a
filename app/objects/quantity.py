"""Quantities: `100m`, `1.5`, `2Gi`, `1e3`, read exactly and written canonically.

Rules: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/. The smallest
unit is a billionth, towards which Kubernetes rounds up; the largest value is 2^63-1, at which it caps.
"""

from __future__ import annotations

import re
from functools import lru_cache

BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
SUFFIX_OF = {exponent: suffix for suffix, exponent in DECIMAL.items()}
NANO = 10**9
LARGEST = (2**63 - 1) * NANO

_FORM = re.compile(
    r"([+-]?)([0-9]*)(?:\.([0-9]*))?(Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+|[numkMGTPE]?)", re.ASCII
)

Quantity = str | int | float


@lru_cache(maxsize=8192)
def nanos(quantity: Quantity) -> int:
    """The quantity in billionths, rounded away from zero.

    Raises:
        ValueError: it is not a quantity; in Kubernetes's words.
    """
    return _read(quantity)[0]


@lru_cache(maxsize=8192)
def millis(quantity: Quantity) -> int:
    """The quantity in thousandths, rounded up: how cpu is counted. ValueError as `nanos`."""
    return -(-nanos(quantity) // 1_000_000)


@lru_cache(maxsize=8192)
def value(quantity: Quantity) -> int:
    """The quantity in whole units, rounded up: bytes of memory, a number of pods. ValueError as `nanos`."""
    return -(-nanos(quantity) // NANO)


@lru_cache(maxsize=8192)
def canonical(quantity: Quantity) -> str:
    """The form in which Kubernetes writes the quantity: no fraction, the largest suffix that
    leaves none, in the family (binary, decimal, exponent) in which it was given."""
    amount, suffix = _read(quantity)
    if suffix in BINARY and abs(amount) >= 1024 * NANO and amount % NANO == 0:
        return of_bytes(amount // NANO)
    exponent = -9
    while amount and amount % 1000 == 0:
        amount //= 1000
        exponent += 3
    if amount == 0:
        return "0"
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix not in BINARY:
        return f"{amount}e{exponent}" if exponent else str(amount)
    return f"{amount}{SUFFIX_OF[exponent]}"


def of_millis(number: int) -> str:
    """`number` thousandths as a quantity: 1500 -> `1500m`, 2000 -> `2`."""
    return f"{number}m" if number % 1000 else str(number // 1000)


def of_nanos(number: int) -> str:
    """`number` billionths as a quantity with the largest suffix that leaves no fraction: 1500000 -> `1500u`."""
    exponent = -9
    while number and number % 1000 == 0:
        number //= 1000
        exponent += 3
    return f"{number}{SUFFIX_OF[exponent]}" if number else "0"


def of_bytes(number: int) -> str:
    """`number` bytes with the largest binary suffix that leaves no fraction: 2048 -> `2Ki`."""
    for suffix, shift in reversed(BINARY.items()):
        if abs(number) >= 1 << shift and number % (1 << shift) == 0:
            return f"{number >> shift}{suffix}"
    return str(number)


def _read(quantity: Quantity) -> tuple[int, str]:
    """Billionths, and the suffix the quantity was written with."""
    if isinstance(quantity, bool) or not isinstance(quantity, str | int | float):
        raise ValueError("quantities must be a string or a number")
    text = str(quantity)
    match = _FORM.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    sign, whole, fraction, suffix = match[1], match[2], (match[3] or "").rstrip("0"), match[4]
    if len(whole) + len(fraction) > 400:
        raise ValueError("quantities must have at most 400 digits")
    mantissa = int((whole + fraction) or "0")
    power = 9 - len(fraction)
    if suffix in BINARY:
        mantissa <<= BINARY[suffix]
    elif suffix in DECIMAL:
        power += DECIMAL[suffix]
    else:
        # Beyond these bounds the result is the cap, or rounds up to the smallest unit, anyway.
        power += max(-1000, min(1000, int(suffix[1:7])))
    amount = mantissa * 10**power if power >= 0 else -(-mantissa // 10**-power)
    amount = min(amount, LARGEST)
    return (-amount if sign == "-" else amount), suffix
