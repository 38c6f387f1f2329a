"""Values that software trips over."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def nested(depth: int, inner: Any = "x") -> Any:
    """A value inside so many lists and maps."""
    for level in range(depth):
        inner = [inner] if level % 2 else {"a": inner}
    return inner


NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 80, 65535, 65536, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64,
    10**30, 0.5, -0.0, 1.0, 1e21, 1e308, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
TEXTS: tuple[str, ...] = (
    "", " ", "a", "A", "seed", "web", "default", "-a", "a.", "a/b", "a/b/c", "a" * 63, "a" * 64, "a" * 254, "é", "\u202e",
    "😀", "\x00", "a\nb", "\x7f", "\ud800", "x\udfff", "\ufffe", "..", "../..", "/", "/etc/../x", "%2e%2e", "*", "**", "~",
    "10.0.0.1", "10.96.0.1", "300.1.1.1", "010.0.0.1", "::1", "fe80::1%eth0", "10.0.0.0/8", "10.0.0.0/99", "10.0.0.1/8",
    "1", "0", "-1", "1e3", "1Ei", "9999999999999999999Ei", "1e999999999", "0.0000000001", "1.5.5", "١", "100%", "101%", "-5%", "%",
    "2026-01-31T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z",
    "2026-01-31T12:00:00.123456789Z", "1h", "99999999999999h", "* * * * *", "@every 1s", "0 0 31 2 *", "TZ=Mars * * * * *",
    "$(NAME)", "$(", "{{", "YQ==", "YQ", "!!!!", "self.x > 1", "self.all(x, x)", "(", "[", "(a+)+$", "{.spec", ".spec[0]",
    "TCP", "tcp", "Always", "Never", "None", "NodePort", "LoadBalancer", "ExternalName", "ClusterIP", "v1", "apps/v1", "/", "a/b/c/d",
    "kubernetes.io/service-account-token", "kubernetes.io/tls", "foregroundDeletion", "orphan", "metadata.name", "system:masters",
    '[{"type": 5}]', '{"scaleUp": 5}', '{"a": {"b": []}}', '[{"type": "Pods", "pods": []}]',
    "true", "false", "null", "{}", "[]", "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
)  # fmt: skip
SHAPES: tuple[Any, ...] = (
    None, True, False, [], {}, [None], [[]], [{}], [{}, {}], {"": ""}, {"a": None}, {"a": {}}, {"a": "b"}, {"a/b/c": "d"},
    {"a": 1}, {"\x00": 1}, {"\ud800": 1}, {"$patch": "delete"}, {"$patch": "replace"}, {"$retainKeys": ["a"]},
    [{"$patch": "replace"}], [{"name": "a"}, {"name": "a"}], [{"name": None}], [{"name": {}}], ["a", "a"], [1, "a", None],
    {"apiVersion": "v1", "kind": "List", "items": []}, {"metadata": {}}, {"metadata": None}, {"a" * 300: "b" * 5000},
    {"kind": "Pod", "apiVersion": "v1"}, nested(50), nested(190), nested(400), ["a"] * 1000,
    {"matchLabels": {"app": "web"}}, {"matchExpressions": [{"key": "a", "operator": "In"}]},
)  # fmt: skip
ABSURD = st.sampled_from((*NUMBERS, *TEXTS, *SHAPES))
ANY_TEXT = st.text(max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
VALUES = ABSURD | ABSURD | ABSURD | JSON
