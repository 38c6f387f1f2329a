from __future__ import annotations

from app.schemas import kinds


def test_a_kind_is_found_by_what_it_is_served_as():
    assert kinds.by_resource("deployments.apps").api_version == "apps/v1"
    assert kinds.by_path("", "v1", "pods").kind == "Pod"
    assert kinds.by_kind("coordination.k8s.io", "Lease").plural == "leases"
    assert kinds.by_path("", "v2", "pods") is None
    assert kinds.by_kind("", "Deployment") is None


def test_core_comes_first():
    assert next(iter(kinds.groups())) == ""


def test_no_two_kinds_answer_to_one_name():
    # What pods and nodes use is served under their names, as Kubernetes does.
    stored = [kind for kind in kinds.ALL if kind.conversion is None and kind.group != "metrics.k8s.io"]
    names = [n for kind in stored for n in {kind.plural, kind.singular, *kind.short_names}]

    assert len(names) == len(set(names))


def test_every_object_has_metadata_of_its_own():
    for kind in kinds.ALL:
        assert {"apiVersion", "kind", "metadata"} <= set(kind.schema.fields_of())
        assert kind.columns
