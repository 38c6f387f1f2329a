from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.objects import quantity

SUFFIXES = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1), "k": Fraction(1000),
    "M": Fraction(10**6), "G": Fraction(10**9), "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "millis", "whole"),
    [
        ("100m", 100, 1), ("1", 1000, 1), ("1.5", 1500, 2), ("0.0001", 1, 1), ("2Gi", 2**31 * 1000, 2**31),
        ("1e3", 1_000_000, 1000), ("1E3", 1_000_000, 1000), ("1E", 10**21, 10**18), ("-1500m", -1500, -1), (".5", 500, 1),
        ("5.", 5000, 5), ("+2", 2000, 2), ("0", 0, 0), (2, 2000, 2), (0.5, 500, 1), ("12e-1", 1200, 2),
    ],
)  # fmt: skip
def test_a_quantity_is_read_exactly_and_rounded_up(text: str, millis: int, whole: int) -> None:
    assert quantity.millis(text) == millis
    assert quantity.value(text) == whole


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1000m", "1"), ("1500m", "1500m"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("1000k", "1M"),
        ("0.1Ki", "102400m"), ("1024", "1024"), ("500Mi", "500Mi"), ("1e3", "1e3"), ("12000e3", "12e6"), ("0Gi", "0"),
        ("100000Ki", "100000Ki"), ("-1Mi", "-1Mi"), ("0.0000000001", "1n"), ("100E", "9223372036854775807"),
    ],
)  # fmt: skip
def test_a_quantity_is_written_as_kubernetes_writes_it(text: str, canonical: str) -> None:
    assert quantity.canonical(text) == canonical


@pytest.mark.parametrize(
    "text", ["", "m", "1.2.3", "1Kb", "one", "1 Gi", " 1", "--1", "1e", "0x10", ".", "1mm", "٣", "1\n"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.millis(text)


@pytest.mark.parametrize("value", [True, None])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="string or a number"):
        quantity.value(value)  # type: ignore[arg-type]


def test_absurd_exponents_are_answered_at_once() -> None:
    assert quantity.value("1e999999999") == 2**63 - 1
    assert quantity.nanos("1e-999999999") == 1
    with pytest.raises(ValueError, match="400 digits"):
        quantity.value("1" * 401)


@given(st.integers(-(10**9), 10**9), st.integers(0, 999_999), st.sampled_from(sorted(SUFFIXES)))
def test_reading_agrees_with_exact_arithmetic(whole: int, decimals: int, suffix: str) -> None:
    text = f"{whole}.{decimals:06d}{suffix}"
    sign = -1 if text.startswith("-") else 1
    exact = sign * (abs(whole) + Fraction(decimals, 10**6)) * SUFFIXES[suffix] * 10**9
    away = exact.numerator // exact.denominator if sign < 0 else -(-exact.numerator // exact.denominator)
    assert quantity.nanos(text) == max(-quantity.LARGEST, min(quantity.LARGEST, away))


@given(st.integers(-(10**12), 10**12), st.sampled_from(sorted(SUFFIXES)))
def test_the_canonical_form_is_the_same_quantity_and_its_own_canonical_form(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    canonical = quantity.canonical(text)
    assert quantity.nanos(canonical) == quantity.nanos(text)
    assert quantity.canonical(canonical) == canonical


def test_numbers_are_written_as_quantities() -> None:
    assert quantity.of_millis(1500) == "1500m"
    assert quantity.of_millis(2000) == "2"
    assert quantity.of_bytes(2**31) == "2Gi"
    assert quantity.of_bytes(1500) == "1500"
    assert quantity.of_bytes(0) == "0"
