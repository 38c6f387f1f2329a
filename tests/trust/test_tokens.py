"""Signed tokens: what a valid one says, and which are refused."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.trust import keys, tokens
from app.trust.authority import key_pem, write_private
from app.trust.tokens import BadToken, Signer, Verifier, account_claims

NOW = 1_800_000_000.0
ISSUER = "https://kubernetes.default.svc.cluster.local"
ACCOUNT = {"name": "robot", "uid": "u1"}


def claims(**changes):
    wanted = {
        "issuer": ISSUER,
        "audiences": [ISSUER],
        "now": NOW,
        "seconds": 600,
        "token_id": "j1",
        "bound": {"pod": {"name": "p", "uid": "u2"}},
    }
    return account_claims("shop", ACCOUNT, **{**wanted, **changes})


@pytest.fixture(params=["elliptic", "rsa"], scope="module")
def signer(request) -> Signer:
    if request.param == "rsa":
        return Signer(rsa.generate_private_key(65537, 2048))
    return Signer(ec.generate_private_key(ec.SECP256R1()))


def test_a_token_says_what_was_signed(signer: Signer) -> None:
    verifier = Verifier([signer.public], [ISSUER])
    found = verifier.claims(signer.sign(claims()), NOW + 1)
    assert found == {
        "aud": [ISSUER],
        "exp": NOW + 600,
        "iat": NOW,
        "nbf": NOW,
        "iss": ISSUER,
        "jti": "j1",
        "kubernetes.io": {
            "namespace": "shop",
            "pod": {"name": "p", "uid": "u2"},
            "serviceaccount": {"name": "robot", "uid": "u1"},
        },
        "sub": "system:serviceaccount:shop:robot",
    }


def test_a_token_is_good_for_its_time_only(signer: Signer) -> None:
    verifier = Verifier([signer.public], [ISSUER])
    token = signer.sign(claims())
    with pytest.raises(BadToken, match="expired"):
        verifier.claims(token, NOW + 600 + tokens.LEEWAY + 1)
    with pytest.raises(BadToken, match="not valid yet"):
        verifier.claims(token, NOW - tokens.LEEWAY - 1)


def test_tokens_of_other_keys_and_issuers_are_refused(signer: Signer) -> None:
    verifier = Verifier([signer.public], [ISSUER])
    stranger = Signer(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(BadToken):
        verifier.claims(stranger.sign(claims()), NOW)
    with pytest.raises(BadToken):
        verifier.claims(signer.sign(claims(issuer="https://elsewhere")), NOW)


def test_a_token_without_a_signature_or_with_a_changed_one_is_refused(signer: Signer) -> None:
    verifier = Verifier([signer.public], [ISSUER])
    header, body, signature = signer.sign(claims()).split(".")
    unsigned = jwt.encode(claims(), None, algorithm="none", headers={"kid": signer.public.id})
    # The public key taken for a shared secret: the classic confusion of algorithms.
    confused = jwt.encode(claims(), "x" * 32, algorithm="HS256", headers={"kid": signer.public.id})
    changed = signature[:-2] + ("AA" if not signature.endswith("AA") else "BB")
    for token in (
        unsigned,
        confused,
        f"{header}.{body}.",
        f"{header}.{body}.{changed}",
        "a.b.c",
        "..",
        "",
        "é.é.é",
    ):
        with pytest.raises(BadToken):
            verifier.claims(token, NOW)


def test_tokens_of_a_former_key_stay_good_while_it_is_known(tmp_path: Path) -> None:
    for name in ("old", "new"):
        keys.make_key(tmp_path / name)
    old, new = (Signer(keys.load_private(tmp_path / name)) for name in ("old", "new"))
    token = old.sign(claims())
    with pytest.raises(BadToken):
        Verifier([new.public], [ISSUER]).claims(token, NOW)
    both = Verifier([new.public, keys.load_public(tmp_path / "old")], [ISSUER])
    assert both.claims(token, NOW)["sub"] == "system:serviceaccount:shop:robot"


def test_others_can_verify_a_token_by_the_published_keys(signer: Signer) -> None:
    published = jwt.PyJWKSet.from_dict(keys.key_set([signer.public]))
    token = signer.sign(claims())
    key = published[jwt.get_unverified_header(token)["kid"]]
    found = jwt.decode(
        token, key.key, algorithms=[signer.public.algorithm], audience=ISSUER, options={"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    )  # fmt: skip
    assert found["sub"] == "system:serviceaccount:shop:robot"


def test_a_signing_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    keys.make_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("nonsense")
    with pytest.raises(ValueError):
        keys.load_private(tmp_path / "key")
    write_private(tmp_path / "key", key_pem(ec.generate_private_key(ec.SECP256K1())))
    with pytest.raises(ValueError, match="curve"):
        keys.load_public(tmp_path / "key")
