"""Which fields have owners of their own, for the built-in kinds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.objects.managed.shape import Form, Shape
from app.schemas import kinds
from app.schemas.fields import Field, ListOf, MapOf, Struct, Type
from app.schemas.kind import Kind
from app.schemas.shapes import shape_of, shape_of_resource


def at(resource: str, path: str) -> Shape:
    """The shape at a path of field names; a list or map stands for its items."""
    shape = shape_of_resource(resource)
    for name in path.split("."):
        if shape.form in (Form.KEYED, Form.MAP):
            shape = shape.item
        shape = shape.fields[name]
    return shape


POD = "template.spec"


@pytest.mark.parametrize(
    ("resource", "path", "form", "keys"),
    [
        ("deployments.apps", "spec.selector", Form.LEAF, ()),
        ("deployments.apps", f"spec.{POD}.containers", Form.KEYED, ("name",)),
        ("deployments.apps", f"spec.{POD}.containers.ports", Form.KEYED, ("containerPort", "protocol")),
        ("deployments.apps", f"spec.{POD}.containers.env", Form.KEYED, ("name",)),
        ("deployments.apps", f"spec.{POD}.containers.env.valueFrom.secretKeyRef", Form.LEAF, ()),
        ("deployments.apps", f"spec.{POD}.containers.command", Form.LEAF, ()),
        ("deployments.apps", f"spec.{POD}.containers.volumeMounts", Form.KEYED, ("mountPath",)),
        ("deployments.apps", f"spec.{POD}.containers.resources.limits", Form.MAP, ()),
        ("deployments.apps", f"spec.{POD}.tolerations", Form.LEAF, ()),
        ("deployments.apps", f"spec.{POD}.nodeSelector", Form.LEAF, ()),
        ("deployments.apps", f"spec.{POD}.volumes", Form.KEYED, ("name",)),
        ("deployments.apps", f"spec.{POD}.imagePullSecrets", Form.KEYED, ("name",)),
        ("deployments.apps", f"spec.{POD}.topologySpreadConstraints", Form.KEYED, ("topologyKey", "whenUnsatisfiable")),
        ("deployments.apps", "status.conditions", Form.KEYED, ("type",)),
        ("services", "spec.ports", Form.KEYED, ("port", "protocol")),
        ("services", "spec.selector", Form.LEAF, ()),
        ("services", "metadata.labels", Form.MAP, ()),
        ("services", "metadata.finalizers", Form.SET, ()),
        ("services", "metadata.ownerReferences", Form.KEYED, ("uid",)),
        ("configmaps", "data", Form.MAP, ()),
        ("pods", "status.hostIPs", Form.LEAF, ()),
        ("pods", "status.podIPs", Form.KEYED, ("ip",)),
        ("nodes", "spec.taints", Form.LEAF, ()),
        ("nodes", "spec.podCIDRs", Form.SET, ()),
        ("endpointslices.discovery.k8s.io", "endpoints", Form.LEAF, ()),
    ],
)  # fmt: skip
def test_the_forms_are_those_of_kubernetes(
    resource: str, path: str, form: Form, keys: tuple[str, ...]
) -> None:
    shape = at(resource, path)
    assert (shape.form, shape.keys) == (form, keys)


def test_keys_have_the_defaults_of_their_fields() -> None:
    assert at("services", "spec.ports").defaults == {"protocol": "TCP"}
    assert at("pods", "spec.containers.ports").defaults == {"protocol": "TCP"}


def test_structs_held_by_value_are_there_in_an_empty_object() -> None:
    blank = shape_of_resource("deployments.apps").blank
    assert blank["metadata"] == {}
    assert "rollingUpdate" not in blank["spec"]["strategy"]
    assert blank["spec"]["template"]["spec"]["containers"] is None


def _lists(schema: type[Type], seen: set[type[Type]]) -> Iterator[tuple[str, ListOf]]:
    if schema in seen:
        return
    seen.add(schema)
    for name, field in schema.fields_of().items():
        if isinstance(field, ListOf):
            yield f"{schema.__name__}.{name}", field
        inner: Field = field
        while isinstance(inner, ListOf | MapOf):
            inner = inner.inner
        if isinstance(inner, Struct):
            yield from _lists(inner.schema, seen)


@pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: f"{kind.api_version}-{kind.kind}")
def test_the_keys_of_every_list_are_fields_of_its_items(kind: Kind) -> None:
    assert shape_of(kind).form is Form.STRUCT
    for path, field in _lists(kind.schema, set()):
        inside = field.inner.children()
        if field.list_type == "map":
            assert isinstance(inside, type), path
            assert set(field.map_keys) <= inside.fields_of().keys(), path
        else:
            assert field.list_type in ("", "atomic", "set"), path
            assert field.list_type != "set" or inside is None, path
