"""Only who knows the token can have signed `cluster-info`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.trust.discovery_signature import sign, verify


@given(st.text(), st.text("abc0123", min_size=1))
def test_what_was_signed_with_a_token_verifies_with_it_alone(content: str, secret: str) -> None:
    signature = sign(content, "abcdef", secret)
    assert verify(content, signature, "abcdef", secret)
    assert not verify(content + "x", signature, "abcdef", secret)
    assert not verify(content, signature, "abcdef", secret + "x")
    assert not verify(content, signature, "fedcba", secret)


@given(st.text())
def test_no_text_is_a_signature_by_chance(text: str) -> None:
    assert not verify("content", text, "abcdef", "secret")


def test_it_is_the_signature_that_kubeadm_makes() -> None:
    # Header and form as k8s.io/cluster-bootstrap/token/jws makes them.
    header, empty, _ = sign("content", "abcdef", "0123456789abcdef").split(".")
    assert (header, empty) == ("eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9", "")
