"""The tables of what limits and changes requests: quotas, classes of priority and runtime, admission."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.columns.column import AGE, NAME, UNSET
from app.schemas.kind import Column


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _usage(quota: Object, *, limits: bool) -> str:
    """`cpu: 1/4, pods: 3/10`, of limits or of everything else."""
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    names = sorted(name for name in hard if name.startswith("limits") is limits)
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)


def _webhooks(configuration: Object) -> int:
    return len(configuration.get("webhooks") or ())


def _param_kind(policy: Object) -> str:
    kind = _spec(policy).get("paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET


def _param_ref(binding: Object) -> str:
    ref = _spec(binding).get("paramRef")
    if not ref:
        return UNSET
    if not ref.get("name"):
        return "*"
    return f"{ref['namespace']}/{ref['name']}" if ref.get("namespace") else ref["name"]


LIMIT_RANGE = (
    NAME,
    Column(
        "Created At",
        "string",
        lambda obj, _: obj["metadata"].get("creationTimestamp", ""),
        description="When it was made.",
    ),
)

RESOURCE_QUOTA = (
    NAME,
    Column(
        "Request",
        "string",
        lambda obj, _: _usage(obj, limits=False),
        description="What is used of what may be requested.",
    ),
    Column(
        "Limit",
        "string",
        lambda obj, _: _usage(obj, limits=True),
        description="What is used of what limits may sum up to.",
    ),
    AGE,
)

PRIORITY_CLASS = (
    NAME,
    Column("Value", "integer", lambda obj, _: obj.get("value", 0), description="The priority."),
    Column(
        "Global-Default",
        "boolean",
        lambda obj, _: bool(obj.get("globalDefault")),
        description="Whether pods that name no class are of this one.",
    ),
    AGE,
    Column(
        "PreemptionPolicy",
        "string",
        lambda obj, _: obj.get("preemptionPolicy", ""),
        description="Whether its pods may take the place of others.",
    ),
)

RUNTIME_CLASS = (
    NAME,
    Column(
        "Handler", "string", lambda obj, _: obj.get("handler", ""), description="What the runtime calls it."
    ),
    AGE,
)

WEBHOOK_CONFIGURATION = (
    NAME,
    Column("Webhooks", "integer", lambda obj, _: _webhooks(obj), description="How many webhooks it has."),
    AGE,
)

VALIDATING_POLICY = (
    NAME,
    Column(
        "Validations",
        "integer",
        lambda obj, _: len(_spec(obj).get("validations") or ()),
        description="How many rules it has.",
    ),
    Column("ParamKind", "string", lambda obj, _: _param_kind(obj), description="Where parameters come from."),
    AGE,
)

MUTATING_POLICY = (
    NAME,
    Column(
        "Mutations",
        "integer",
        lambda obj, _: len(_spec(obj).get("mutations") or ()),
        description="How many changes it makes.",
    ),
    Column("ParamKind", "string", lambda obj, _: _param_kind(obj), description="Where parameters come from."),
    AGE,
)

POLICY_BINDING = (
    NAME,
    Column(
        "PolicyName", "string", lambda obj, _: _spec(obj).get("policyName", ""), description="What it binds."
    ),
    Column("ParamRef", "string", lambda obj, _: _param_ref(obj), description="Its parameters."),
    AGE,
)
