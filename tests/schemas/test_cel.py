"""Expressions in CEL, with the functions that Kubernetes adds."""

from __future__ import annotations

import pytest

from app.schemas.cel import CelError, compile_expression

OBJECT = {"a": [1, 2], "s": "abc", "f": 1.5, "m": {"k": "v"}, "n": None}


def value(text, result="", **variables):
    types = dict.fromkeys({"self", *variables}, "dyn")
    return compile_expression(text, types, result).evaluate({"self": OBJECT, **variables})


@pytest.mark.parametrize(
    "text",
    [
        "self.a.all(x, x > 0) && has(self.s) && !has(self.other)",
        "self.a.sum() == 3 && self.a.min() == 1 && self.a.max() == 2 && self.a.isSorted()",
        "self.a.indexOf(2) == 1 && ['a'].lastIndexOf('b') == -1",
        "self.?other.orValue(5) == 5",
        "'aXbX'.find('X') == 'X' && 'aXbX'.findAll('X').size() == 2",
        "quantity('1Gi').isGreaterThan(quantity('1M')) && quantity('1000m') == quantity('1')",
        "quantity('1').add(2).asInteger() == 3 && !isQuantity('much')",
        "isIP('10.0.0.1') && ip('::1').isLoopback() && ip('10.0.0.1').family() == 4",
        "cidr('10.0.0.0/8').containsIP('10.1.1.1') && cidr('10.0.0.0/8').prefixLength() == 8",
        "url('https://a.b:80/c?q=1').getHost() == 'a.b:80' && isURL('/x') && !isURL('x')",
        "sets.contains([1, 2], [1]) && sets.intersects(['a'], ['a', 'b'])",
        "'A,b'.lowerAscii().split(',') == ['a', 'b']",
        "timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z') && duration('1h') > duration('1m')",
    ],
)
def test_these_hold(text):
    assert value(text, "bool") is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("self.other", "no such key: other"),
        ("self.a[0] / 0 > 1", "division by zero"),
        ("self.s > 1", "no such overload"),
        ("ip('nowhere').family() == 4", "does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_an_evaluation_that_fails_says_why(text, message):
    with pytest.raises(CelError, match=message):
        value(text)


@pytest.mark.parametrize("text", ["self.", "nobody()", "1 + 'a'", "unknown > 1", "x" * 6000, "'\x00"])
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(CelError):
        compile_expression(text, {"self": "dyn"})


def test_an_expression_of_another_type_is_refused():
    with pytest.raises(CelError, match="must evaluate to bool"):
        compile_expression("1 + 1", {}, "bool")
    with pytest.raises(CelError, match="no matching overload"):
        compile_expression("self > 1", {"self": "string"})


def test_numbers_that_are_too_large_are_no_accident():
    with pytest.raises(CelError):
        value("self.x > 1", self={"x": 2**70})
