"""A small type with one field of every form, configurations of it, and short ways to apply them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from app.objects.change import Object
from app.objects.managed.apply import Applied, Apply
from app.objects.managed.entries import Entries, Manager
from app.objects.managed.sets import SELF, Path, Tree, paths
from app.objects.managed.shape import DEDUCED, LEAF, Form, Shape

VERSION = "example.com/v1"
NOW = "2027-01-15T08:00:00Z"


def struct(**fields: Shape) -> Shape:
    return Shape(Form.STRUCT, fields=lambda: fields)


PORT = struct(port=LEAF, protocol=LEAF, name=LEAF, target=LEAF)
ENV = struct(name=LEAF, value=LEAF)
SPEC = struct(
    replicas=LEAF,
    selector=LEAF,
    strategy=struct(type=LEAF, rolling=struct(surge=LEAF, unavailable=LEAF)),
    ports=Shape(Form.KEYED, item=lambda: PORT, keys=("port", "protocol"), defaults={"protocol": "TCP"}),
    env=Shape(Form.KEYED, item=lambda: ENV, keys=("name",)),
    free=DEDUCED,
)
META = struct(
    name=LEAF, labels=Shape(Form.MAP, item=lambda: LEAF), finalizers=Shape(Form.SET), managedFields=LEAF
)
THING = struct(apiVersion=LEAF, kind=LEAF, metadata=META, spec=SPEC, status=DEDUCED)


def thing(spec: Any = None, labels: Any = None, finalizers: Any = None) -> Object:
    """A configuration; what is None is left out."""
    meta: Object = {"name": "a"}
    if labels is not None:
        meta["labels"] = labels
    if finalizers is not None:
        meta["finalizers"] = finalizers
    rest = {} if spec is None else {"spec": spec}
    return {"apiVersion": VERSION, "kind": "Thing", "metadata": meta, **rest}


def tidy(value: Any) -> Any:
    """As decoding leaves it: without nulls, and without what became empty by that."""
    if isinstance(value, dict):
        return {k: left for k, v in value.items() if (left := tidy(v)) not in (None, {}, [])}
    return [tidy(item) for item in value] if isinstance(value, list) else value


def unordered(value: Any) -> Any:
    """With lists in an order of their own, to compare objects up to it."""
    if isinstance(value, dict):
        return {k: unordered(v) for k, v in value.items()}
    return sorted((unordered(item) for item in value), key=repr) if isinstance(value, list) else value


def applied(who: str, config: Object, to: Applied | None = None, *, force: bool = False) -> Applied:
    """The configuration applied by somebody to what an earlier apply left."""
    manager = Manager(who, "Apply", VERSION)
    asked = Apply(config, manager, THING, lambda obj, _version: (obj, THING), tidy, force)
    return asked.new(NOW) if to is None else asked.to(to.obj, to.entries, NOW)


def of(entries: Entries, who: str) -> set[Path]:
    """The fields that somebody owns."""
    return {path for entry in entries if entry["manager"] == who for path in paths(entry["fieldsV1"])}


def tree(wanted: set[Path]) -> Tree:
    """The set of these paths."""
    root: Tree = {}
    for path in wanted:
        node = root
        for element in path:
            node = node.setdefault(element, {})
        node[SELF] = {}
    return _folded(root)


def _folded(node: Tree) -> Tree:
    return {e: {} if e == SELF or set(child) == {SELF} else _folded(child) for e, child in node.items()}


_small = st.integers(0, 2)


def configurations(
    names: tuple[str, ...] = ("a", "b", "c"), scalars: bool = True
) -> st.SearchStrategy[Object]:
    """Configurations; those of different names have no field in common, if they have no scalars."""
    words = st.sampled_from(names)
    numbers = st.sampled_from([ord(name) for name in names])
    port = st.fixed_dictionaries(
        {"port": numbers}, optional={"protocol": st.sampled_from(["TCP", "UDP"]), "target": _small}
    )
    env = st.fixed_dictionaries({"name": words}, optional={"value": _small.map(str)})
    some = {
        "ports": st.lists(port, max_size=3, unique_by=lambda p: (p["port"], p.get("protocol", "TCP"))),
        "env": st.lists(env, max_size=3, unique_by=lambda e: e["name"]),
        "free": st.dictionaries(
            words, st.one_of(_small, st.dictionaries(words, _small, min_size=1, max_size=2))
        ),
    }
    if scalars:
        rolling = st.fixed_dictionaries({}, optional={"surge": _small, "unavailable": _small})
        some["replicas"] = _small
        some["selector"] = st.dictionaries(words, _small, min_size=1)
        some["strategy"] = st.fixed_dictionaries({}, optional={"type": words, "rolling": rolling})
    return st.builds(
        thing,
        st.fixed_dictionaries({}, optional=some),
        st.dictionaries(words, _small.map(str), max_size=3),
        st.lists(words, max_size=3, unique=True),
    )
