from __future__ import annotations

import pytest

from app.base.errors import BadRequest
from app.schemas import kinds
from app.schemas.decode import decode
from app.schemas.types.apps import Deployment

POD = kinds.by_resource("pods")
DEPLOYMENT = kinds.by_resource("deployments.apps")
SECRET = kinds.by_resource("secrets")
LEASE = kinds.by_resource("leases.coordination.k8s.io")


def refusal(kind, raw):
    with pytest.raises(BadRequest) as caught:
        decode(kind, raw)
    return caught.value.message.partition(": ")[2]


def test_what_is_known_is_kept_as_it_is(pod):
    obj, unknown = decode(POD, pod)

    assert unknown == []
    assert obj["metadata"] == pod["metadata"]
    assert obj["spec"]["volumes"] == pod["spec"]["volumes"]


def test_unknown_fields_are_dropped_and_named_with_their_place(pod):
    pod["spec"]["containers"][0]["imge"] = "nginx"
    pod["spec"]["extra"] = {"a": 1}
    pod["other"] = None

    obj, unknown = decode(POD, pod)

    assert sorted(unknown) == ["other", "spec.containers[0].imge", "spec.extra"]
    assert "imge" not in obj["spec"]["containers"][0]
    assert "extra" not in obj["spec"]


def test_nulls_are_dropped(pod):
    pod["metadata"]["creationTimestamp"] = None
    pod["spec"]["nodeName"] = None

    obj, unknown = decode(POD, pod)

    assert unknown == []
    assert "creationTimestamp" not in obj["metadata"]
    assert "nodeName" not in obj["spec"]


def test_an_empty_value_is_dropped_only_where_it_means_nothing(deployment):
    deployment["spec"]["replicas"] = 0
    deployment["spec"]["paused"] = False
    deployment["spec"]["strategy"] = {"rollingUpdate": {"maxUnavailable": 0}}
    deployment["spec"]["template"]["spec"]["nodeSelector"] = {}

    spec = decode(DEPLOYMENT, deployment)[0]["spec"]

    assert spec["replicas"] == 0
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert "paused" not in spec
    assert "nodeSelector" not in spec["template"]["spec"]


def test_quantities_come_out_in_canonical_form(pod):
    pod["spec"]["containers"][0]["resources"] = {"limits": {"cpu": 0.5, "memory": "1024Mi", "pods": 3}}

    container = decode(POD, pod)[0]["spec"]["containers"][0]

    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi", "pods": "3"}


def test_times_come_out_in_utc():
    raw = {"spec": {"renewTime": "2026-01-31T13:00:00.5+01:00"}, "metadata": {"name": "n"}}
    raw["metadata"]["creationTimestamp"] = "2026-01-31T13:00:00+01:00"

    obj, _ = decode(LEASE, raw)

    assert obj["spec"]["renewTime"] == "2026-01-31T12:00:00.500000Z"
    assert obj["metadata"]["creationTimestamp"] == "2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"spec": {"replicas": "3"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": {"replicas": 1.5}},
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": {"replicas": 1 << 31}},
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": []},
            "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec",
        ),
        (
            {"metadata": {"labels": {"app": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"spec": {"template": {"spec": {"containers": {}}}}},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers"
            " of type []v1.Container",
        ),
        (
            {"spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": True}]}]}}}},
            "json: cannot unmarshal bool into Go struct field EnvVar.spec.template.spec.containers.env.value"
            " of type string",
        ),
        (
            {"spec": {"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}}}},
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            {"metadata": {"creationTimestamp": "today"}},
            'parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"',
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_the_words_of_go(change, message):
    assert refusal(DEPLOYMENT, change) == message


def test_a_body_that_is_no_object_is_refused():
    assert refusal(POD, []) == "json: cannot unmarshal array into Go value of type v1.Pod"
    assert refusal(POD, None) == "json: cannot unmarshal null into Go value of type v1.Pod"


def test_a_refusal_names_kind_and_version():
    with pytest.raises(BadRequest) as caught:
        decode(DEPLOYMENT, {"spec": 1})

    assert caught.value.message.startswith('Deployment in version "v1" cannot be handled as a Deployment: ')


def test_a_secret_holds_base64():
    assert decode(SECRET, {"data": {"k": "aGk="}})[0] == {"data": {"k": "aGk="}}
    assert refusal(SECRET, {"data": {"k": "no base64!"}}) == "illegal base64 data at input byte 0"


def test_what_was_decoded_shares_nothing_that_changes_with_its_source(pod):
    obj, _ = decode(POD, pod)

    obj["spec"]["containers"][0]["image"] = "other"
    obj["metadata"]["labels"]["app"] = "other"

    assert pod["spec"]["containers"][0]["image"] == "nginx"
    assert pod["metadata"]["labels"]["app"] == "web"


def test_marshmallow_loads_what_the_decoder_decodes(deployment):
    assert Deployment().load(deployment) == decode(DEPLOYMENT, deployment)[0]
    assert Deployment().validate({"spec": {"replicas": "3"}})
