"""What a pod asks for that its runtime can't give: nothing of it is ignored in silence.

The table is in `needs`. Here it is looked up, in one walk over the pod for fields that are in the table.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.objects.change import Object
from workers.agent.admitting.needs import NEEDS, Fate, Need
from workers.agent.configuring.resources import not_together
from workers.runtime.features import Feature
from workers.runtime.protocol import Unsupported

CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
EPHEMERAL = "spec.ephemeralContainers"
REASON = "UnsupportedByRuntime"


def lacks(pod: Object, features: frozenset[Feature], runtime: str) -> tuple[list[str], list[str]]:
    """What keeps the pod from running on this runtime at all, each naming its field and saying what of it; and the
    fields that have no effect, though the pod runs. Of its ephemeral containers only the latter."""
    refused, told = [], []
    for path, need in _asked(pod, features):
        if need.fate is Fate.TOLD:
            told.append(path)
        elif not path.startswith(EPHEMERAL):
            refused.append(f"{path}: {_message(need, runtime)}")
    told.extend(path for path in not_together(pod) if path not in told)
    return refused, told


def check_debugger(pod: Object, name: str, features: frozenset[Feature], runtime: str) -> None:
    """Refuse what an ephemeral container asks for in vain; the pod it looks into runs on.

    Raises:
        Unsupported: it does.
    """
    for index, container in enumerate(pod["spec"].get("ephemeralContainers") or ()):
        if container["name"] == name:
            found = [
                f"{path}: {_message(need, runtime)}"
                for path, need in _asked(pod, features)
                if need.fate is Fate.REFUSED and path.startswith(f"{EPHEMERAL}[{index}].")
            ]
            if found:
                raise Unsupported("; ".join(found))


def _message(need: Need, runtime: str) -> str:
    if need.feature is not None:
        lacks = f"the {runtime} runtime has no {need.feature.value} here"
        return f"{lacks}; {need.says}" if need.says else lacks
    if need.says.startswith("this "):
        return f"{need.says} is not supported"
    return f"not supported; {need.says}" if need.says else "not supported"


@dataclass(slots=True)
class _Node:
    """The table as a tree: what is said of the field here, and of those below."""

    needs: list[Need] = field(default_factory=list)
    below: dict[str, _Node] = field(default_factory=dict)


@functools.lru_cache(maxsize=16)
def _lacking(features: frozenset[Feature]) -> _Node:
    """What of the table a runtime with these features does not give."""
    root = _Node()
    for need in NEEDS:
        if need.feature in features:
            continue
        for path in {need.field.replace("{c}", each) for each in CONTAINERS}:
            node = root
            for part in path.replace("[]", ".[]").split("."):
                node = node.below.setdefault(part, _Node())
            node.needs.append(need)
    return root


def _asked(pod: Object, features: frozenset[Feature]) -> Iterator[tuple[str, Need]]:
    """What is in the table and lacking, with the paths in this very pod."""
    found: list[tuple[str, Any, Need]] = []
    _walk("spec", pod["spec"], _lacking(features).below["spec"], found)
    return ((path, need) for path, value, need in found if _asks(value, need))


def _walk(path: str, value: Any, node: _Node, found: list[tuple[str, Any, Need]]) -> None:
    for need in node.needs:
        found.append((path, value, need))
    if not value or not node.below:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            below = node.below.get(key)
            if below is not None:
                _walk(f"{path}.{key}", item, below, found)
    elif isinstance(value, list) and (items := node.below.get("[]")):
        for index, item in enumerate(value):
            _walk(f"{path}[{index}]", item, items, found)


def _asks(value: Any, need: Need) -> bool:
    if need.only:
        return value in need.only
    return value not in (None, False, "", []) and value not in need.but
