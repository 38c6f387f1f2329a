"""Tokens of ServiceAccounts over the API: asked for, shown, reviewed, and worth nothing once what they are bound to
is gone."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from app.base.settings import Settings
from app.trust import keys
from app.trust.tokens import Signer, legacy_claims
from tests.api.conftest import Api
from tests.e2e.waiting import until

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
TOKEN = f"{ACCOUNTS}/robot/token"
ISSUER = "https://kubernetes.default.svc.cluster.local"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"


@pytest.fixture
def settings(tokens: Path, tmp_path: Path) -> Settings:
    keys.make_key(tmp_path / "account.key")
    return Settings(token_file=str(tokens), account_key_file=str(tmp_path / "account.key"))


@pytest.fixture
def account(api: Api):
    return api.create(ACCOUNTS, {"metadata": {"name": "robot"}, "automountServiceAccountToken": False})


def asked(api: Api, **spec):
    return api.create(TOKEN, {"spec": {"audiences": [], **spec}})


def token_of(api: Api, **spec) -> str:
    return asked(api, **spec)["status"]["token"]


def whoami(api: Api, token: str, **headers):
    return api.ask("POST", WHOAMI, {}, token=token, **headers)


def user(api: Api, token: str):
    answer = whoami(api, token)
    assert answer.status_code == 201, answer.text
    return answer.json["status"]["userInfo"]


def ends(api: Api, token: str) -> None:
    """Wait until the token is worth nothing: the API hears of what is gone from the log, a moment later."""
    until(lambda: whoami(api, token).status_code == 401, 10)


def remove(api: Api, path: str) -> None:
    answer = api.ask("DELETE", path, {"gracePeriodSeconds": 0})
    assert answer.status_code in (200, 202), answer.text


def pod(api: Api, name: str = "p", account: str = "robot"):
    spec = {"serviceAccountName": account, "containers": [{"name": "c", "image": "i"}]}
    return api.create("/api/v1/namespaces/default/pods", {"metadata": {"name": name}, "spec": spec})


def test_a_token_makes_its_bearer_the_account(api: Api, account) -> None:
    made = asked(api)
    assert made["kind"] == "TokenRequest"
    assert made["spec"] == {"audiences": [ISSUER], "expirationSeconds": 3600}
    found = user(api, made["status"]["token"])
    assert found["username"] == "system:serviceaccount:default:robot"
    assert found["uid"] == account["metadata"]["uid"]
    assert found["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    ]
    said = jwt.decode(made["status"]["token"], options={"verify_signature": False})
    assert found["extra"] == {"authentication.kubernetes.io/credential-id": [f"JTI={said['jti']}"]}


def test_a_token_ends_with_its_account_even_if_one_of_the_same_name_comes(api: Api, account) -> None:
    token = token_of(api)
    user(api, token)
    remove(api, f"{ACCOUNTS}/robot")
    ends(api, token)
    api.create(ACCOUNTS, {"metadata": {"name": "robot"}})
    assert whoami(api, token).status_code == 401


def test_a_bound_token_says_its_pod_and_ends_with_it(api: Api, account) -> None:
    bound = pod(api)
    ref = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
    made = asked(api, boundObjectRef=ref)
    assert made["spec"]["boundObjectRef"]["uid"] == bound["metadata"]["uid"]
    extra = user(api, made["status"]["token"])["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["p"]
    assert extra["authentication.kubernetes.io/pod-uid"] == [bound["metadata"]["uid"]]
    remove(api, "/api/v1/namespaces/default/pods/p")
    ends(api, made["status"]["token"])


@pytest.mark.parametrize(
    ("path", "ref"),
    [
        ("/api/v1/namespaces/default/secrets", {"kind": "Secret", "apiVersion": "v1", "name": "s"}),
        ("/api/v1/nodes", {"kind": "Node", "apiVersion": "v1", "name": "s"}),
    ],
)
def test_a_token_may_be_bound_to_a_secret_or_a_node(api: Api, account, path: str, ref) -> None:
    api.create(path, {"metadata": {"name": "s"}})
    token = token_of(api, boundObjectRef=ref)
    user(api, token)
    remove(api, f"{path}/s")
    ends(api, token)


@pytest.mark.parametrize(
    ("spec", "code", "words"),
    [
        ({"expirationSeconds": 599}, 422, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": (1 << 32) + 1}, 422, "may not specify a duration larger than 2^32 seconds"),
        ({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "none"}}, 404, 'pods "none" not found'),
        ({"boundObjectRef": {"kind": "Service", "apiVersion": "v1", "name": "x"}}, 400, "cannot bind token to object of type"),
        ({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": "x"}}, 409, "does not match the UID in record"),
        ({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "other"}}, 400, "different serviceaccount name"),
        ({"expirationSeconds": "x"}, 400, "expirationSeconds"),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_for_is_refused(api: Api, account, spec, code: int, words: str) -> None:
    api.create(ACCOUNTS, {"metadata": {"name": "other"}})
    pod(api)
    pod(api, "other", "other")
    answer = api.ask("POST", TOKEN, {"spec": {"audiences": [], **spec}})
    assert answer.status_code == code, answer.text
    assert words in answer.json["message"]


def test_there_is_no_token_of_an_account_that_is_not_there(api: Api) -> None:
    answer = api.ask("POST", TOKEN, {"spec": {}})
    assert answer.status_code == 404
    assert answer.json["message"] == 'serviceaccounts "robot" not found'


def test_a_token_for_others_is_none_for_the_api(api: Api, account) -> None:
    token = token_of(api, audiences=["vault"])
    assert whoami(api, token).status_code == 401
    review = api.create(REVIEW, {"spec": {"token": token, "audiences": ["vault", "other"]}})
    assert review["status"]["authenticated"] is True
    assert review["status"]["audiences"] == ["vault"]
    assert review["status"]["user"]["username"] == "system:serviceaccount:default:robot"


def test_a_review_tells_whose_token_it_is_or_why_not(api: Api, account) -> None:
    good = api.create(REVIEW, {"spec": {"token": token_of(api)}})["status"]
    assert (good["authenticated"], good["audiences"]) == (True, [ISSUER])
    static = api.create(REVIEW, {"spec": {"token": "joe-token"}})["status"]
    assert static["user"] == {"username": "joe", "uid": "2", "groups": ["devs", "system:authenticated"]}
    for token in ("nonsense", "a.b.c", token_of(api)[:-4] + "AAAA"):
        bad = api.create(REVIEW, {"spec": {"token": token}})["status"]
        assert "authenticated" not in bad
        assert "invalid bearer token" in bad["error"]
    assert api.ask("POST", REVIEW, {"spec": {}}).status_code == 400


def test_reviews_are_answered_and_not_kept(api: Api) -> None:
    api.create(REVIEW, {"spec": {"token": "joe-token"}})
    assert api.ask("GET", REVIEW).status_code == 405
    assert api.ask("DELETE", REVIEW).status_code == 405
    resources = api.get("/apis/authentication.k8s.io/v1")["resources"]
    assert {r["name"]: r["verbs"] for r in resources} == {
        "selfsubjectreviews": ["create"],
        "tokenreviews": ["create"],
    }


def test_a_token_in_a_secret_is_good_while_it_lies_there(api: Api, account, settings: Settings) -> None:
    signer = Signer(keys.load_private(Path(settings.account_key_file)))
    who = {"name": "robot", "uid": account["metadata"]["uid"]}
    token = signer.sign(legacy_claims("default", "robot-token", who))
    assert whoami(api, token).status_code == 401
    made = {
        "metadata": {"name": "robot-token", "annotations": {"kubernetes.io/service-account.name": "robot"}},
        "type": "kubernetes.io/service-account-token",
        "stringData": {"token": token},
    }
    api.create("/api/v1/namespaces/default/secrets", made)
    assert user(api, token)["username"] == "system:serviceaccount:default:robot"
    remove(api, "/api/v1/namespaces/default/secrets/robot-token")
    ends(api, token)


def test_a_renewed_pod_token_lives_on_for_clients_that_never_read_it_again(api: Api, account) -> None:
    pod(api)
    ref = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
    said = jwt.decode(
        token_of(api, boundObjectRef=ref, expirationSeconds=3607), options={"verify_signature": False}
    )
    assert said["exp"] - said["iat"] == 365 * 86400
    assert said["kubernetes.io"]["warnafter"] - said["iat"] == 3607


def test_others_find_the_keys_of_the_tokens(api: Api, account) -> None:
    found = api.get("/.well-known/openid-configuration")
    assert found["issuer"] == ISSUER
    answer = api.ask("GET", found["jwks_uri"].partition("6443")[2])
    assert answer.content_type == "application/jwk-set+json"
    token = token_of(api)
    published = jwt.PyJWKSet.from_dict(answer.json)
    key = published[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key.key, algorithms=["ES256"], audience=ISSUER, leeway=60)["iss"] == ISSUER


def test_impersonation_shows_the_whole_user(api: Api) -> None:
    answer = whoami(
        api,
        "admin-token",
        Impersonate_User="jane",
        Impersonate_Group="devs,ops",
        Impersonate_Uid="u7",
        **{"Impersonate-Extra-Scopes%2Fof": "a"},
    )
    assert answer.json["status"]["userInfo"] == {
        "username": "jane",
        "uid": "u7",
        "groups": ["devs", "ops", "system:authenticated"],
        "extra": {"scopes/of": ["a"]},
    }


def test_an_impersonated_account_is_in_the_groups_of_accounts(api: Api) -> None:
    answer = whoami(api, "admin-token", Impersonate_User="system:serviceaccount:shop:robot")
    assert answer.json["status"]["userInfo"]["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:shop",
        "system:authenticated",
    ]


def test_groups_without_a_user_make_no_sense(api: Api) -> None:
    assert whoami(api, "admin-token", Impersonate_Group="devs").status_code == 400


def test_who_shows_nothing_good_is_told_so_as_a_status(api: Api) -> None:
    for authorization in ("Bearer nonsense", "Basic YTpi", "Bearer a.b.c", "Bearer abcdef.0123456789abcdef"):
        answer = api.ask("GET", ACCOUNTS, token="", Authorization=authorization)
        assert answer.status_code == 401
        assert answer.json == {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "Unauthorized", "reason": "Unauthorized", "code": 401,
        }  # fmt: skip
    assert api.ask("GET", ACCOUNTS, token="").status_code == 401
