from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.errors import BadRequest
from app.objects import field_selectors, selector_text, selectors

words = st.text("abcXYZ019", min_size=1, max_size=4)
labels = st.dictionaries(words, words, max_size=4)


@pytest.mark.parametrize(
    ("text", "matching", "not_matching"),
    [
        ("", {}, None),
        ("a=b", {"a": "b"}, {"a": "c"}),
        ("a==b", {"a": "b"}, {}),
        ("a!=b", {}, {"a": "b"}),
        ("a in (x, y)", {"a": "y"}, {"a": "z"}),
        ("a notin (x,y)", {"b": "x"}, {"a": "x"}),
        ("a", {"a": ""}, {"b": ""}),
        ("!a", {"b": ""}, {"a": ""}),
        ("a=", {"a": ""}, {"a": "b"}),
        ("a in ()", {"a": ""}, {"a": "b"}),
        ("a in (,x)", {"a": ""}, {"a": "y"}),
        ("a>3", {"a": "4"}, {"a": "3"}),
        ("a<3", {"a": "2"}, {"a": "x"}),
        (
            "example.com/a=b,c!=d,e in (x,y),f notin (z),g,!h",
            {"example.com/a": "b", "e": "x", "g": ""},
            {"g": ""},
        ),
        ("in in (in,notin)", {"in": "notin"}, {"in": "out"}),
    ],
)
def test_the_string_form_selects(
    text: str, matching: dict[str, str], not_matching: dict[str, str] | None
) -> None:
    selector = selector_text.parse(text)
    assert selector.matches(matching)
    if not_matching is not None:
        assert not selector.matches(not_matching)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a (x)", "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a=!", "unable to parse requirement: found '!', expected: identifier"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
    ],
)
def test_a_malformed_selector_is_refused_in_kubernetes_words(text: str, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        selector_text.parse(text)
    assert refused.value.message == message


def test_bad_keys_and_values_name_the_rule_they_break() -> None:
    with pytest.raises(BadRequest, match=r'<nil>: Invalid value: "-a": name part must consist of'):
        selector_text.parse("-a=b")
    with pytest.raises(BadRequest, match=r'values\[0\]\[a\]: Invalid value: "b\*": a valid label must be'):
        selector_text.parse("a=b*")
    with pytest.raises(BadRequest, match="prefix part must be non-empty"):
        selector_text.parse("/a")
    with pytest.raises(BadRequest, match="the value must be an integer"):
        selector_text.parse("a>x")


@given(st.text("ab=!,()<> in.\\", max_size=12))
def test_any_text_is_either_a_selector_or_a_bad_request(text: str) -> None:
    try:
        selector = selector_text.parse(text)
    except BadRequest:
        return
    assert selector_text.parse(str(selector)) == selector_text.parse(str(selector_text.parse(str(selector))))


@given(labels, labels)
def test_a_map_selects_what_has_all_of_it(wanted: dict[str, str], given_labels: dict[str, str]) -> None:
    selector = selectors.of_label_selector({"matchLabels": wanted})
    assert selector.matches(given_labels) == (wanted.items() <= given_labels.items())
    assert selector_text.parse(str(selector)).matches(given_labels) == selector.matches(given_labels)


@given(
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    words,
    st.lists(words, min_size=1, max_size=3),
    labels,
)
def test_an_expression_and_its_text_select_the_same(
    operator: str, key: str, values: list[str], given_labels: dict[str, str]
) -> None:
    expression = {"key": key, "operator": operator, "values": values if operator.endswith("n") else []}
    selector = selectors.of_label_selector({"matchExpressions": [expression]})
    assert selector_text.parse(str(selector)).matches(given_labels) == selector.matches(given_labels)


def test_an_absent_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert not selectors.of_label_selector(None).matches({"a": "b"})
    assert selectors.of_label_selector({}).matches({"a": "b"})


@pytest.mark.parametrize(
    "expression",
    [
        {"key": "a", "operator": "Near", "values": ["b"]},
        {"key": "a", "operator": "In", "values": []},
        {"key": "a", "operator": "Exists", "values": ["b"]},
    ],
)
def test_an_expression_with_the_wrong_values_is_refused(expression: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        selectors.of_label_selector({"matchExpressions": [expression]})


POD = {
    "metadata": {"name": "p", "namespace": "n"},
    "spec": {"nodeName": "a", "hostNetwork": True},
    "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]},
}
EVENT = {
    "metadata": {"name": "e", "namespace": "n"},
    "involvedObject": {"name": "p", "kind": "Pod", "uid": "u"},
    "reason": "Pulled", "type": "Normal", "source": {"component": "kubelet"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "obj", "text", "matches"),
    [
        ("pods", POD, "metadata.name=p", True),
        ("pods", POD, "metadata.name=p,metadata.namespace!=n", False),
        ("pods", POD, "status.phase!=Running", False),
        ("pods", POD, "spec.nodeName==a,spec.hostNetwork=true", True),
        ("pods", {"metadata": {}, "spec": {}}, "spec.hostNetwork=false,spec.nodeName=", True),
        ("pods", POD, "status.podIPs=10.0.0.1", True),
        ("events", EVENT, "involvedObject.name=p,involvedObject.kind=Pod,involvedObject.uid=u", True),
        ("events", EVENT, "reason=Pulled,type=Normal,source=kubelet", True),
        ("events", EVENT, "type=Warning", False),
        ("nodes", {"metadata": {"name": "a"}, "spec": {}}, "spec.unschedulable=false", True),
        ("secrets", {"metadata": {}, "type": "Opaque"}, "type=Opaque", True),
        ("configmaps", {"metadata": {"name": "a,b"}}, "metadata.name=a\\,b", True),
        ("configmaps", {"metadata": {"name": "a"}}, "", True),
    ],
)
def test_fields_select(resource: str, obj: dict[str, object], text: str, matches: bool) -> None:
    assert field_selectors.parse(text, resource).matches(obj) is matches


def test_a_field_that_a_kind_can_not_be_selected_by_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"^field label not supported: status\.reason$"):
        field_selectors.parse("status.reason=x", "pods")
    with pytest.raises(BadRequest, match=r"^field label not supported: metadata\.namespace$"):
        field_selectors.parse("metadata.namespace=x", "nodes")
    only = 'only "metadata.name", "metadata.namespace"'
    with pytest.raises(BadRequest, match=f'^"status.phase" is not a known field selector: {only}$'):
        field_selectors.parse("status.phase=x", "configmaps")
    with pytest.raises(
        BadRequest, match=r"^invalid selector: 'metadata\.name'; can't understand 'metadata\.name'$"
    ):
        field_selectors.parse("metadata.name", "pods")
    with pytest.raises(BadRequest, match="invalid selector"):
        field_selectors.parse("metadata.name=a=b", "pods")


def test_the_exact_value_of_a_field_can_be_asked_for() -> None:
    selector = field_selectors.parse("metadata.name=x,spec.nodeName!=y", "pods")
    assert selector.exact("metadata.name") == "x"
    assert selector.exact("spec.nodeName") is None
