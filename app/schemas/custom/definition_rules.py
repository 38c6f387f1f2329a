"""What a CustomResourceDefinition must fulfil (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.custom import version_rules
from app.schemas.custom.naming import APPROVAL, APPROVAL_URL, is_protected
from app.schemas.faults import Faults
from app.schemas.formats import dns_label_1035, dns_subdomain

IMMUTABLE = "field is immutable"
REVIEW_VERSIONS = ("v1", "v1beta1")


def definition(given: Object, path: str, faults: Faults) -> None:
    """A whole definition."""
    spec, meta = given.get("spec") or {}, given.get("metadata") or {}
    names = spec.get("names") or {}
    wanted = f"{names.get('plural', '')}.{spec.get('group', '')}"
    if meta.get("name") and meta["name"] != wanted:
        faults.invalid("metadata.name", meta["name"], 'must be spec.names.plural+"."+spec.group')
    _approval(meta, spec.get("group") or "", faults)
    _group(spec.get("group") or "", faults)
    _names(names, "spec.names", faults)
    _versions(spec.get("versions") or [], faults)
    _conversion(spec.get("conversion") or {}, "spec.conversion", faults)
    if spec.get("preserveUnknownFields"):
        faults.invalid(
            "spec.preserveUnknownFields", True,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        )  # fmt: skip


def definition_update(old: Object, new: Object, faults: Faults) -> None:
    """What a change may not change: group, scope and, once it is established, plural and kind."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    for field in ("group", "scope"):
        if before.get(field) != after.get(field):
            faults.invalid(f"spec.{field}", after.get(field), IMMUTABLE)
    for field in ("plural", "kind"):
        was, wanted = ((spec.get("names") or {}).get(field) for spec in (before, after))
        if was != wanted:
            faults.invalid(f"spec.names.{field}", wanted, IMMUTABLE)
    names = [version.get("name") for version in after.get("versions") or ()]
    stored = (new.get("status") or {}).get("storedVersions") or []
    for i, name in enumerate(stored):
        if name not in names:
            faults.invalid(
                f"status.storedVersions[{i}]", name,
                "missing from spec.versions; " f"{name} was previously a storage version, and must remain in "
                "spec.versions until a storage migration ensures no data remains persisted in "
                f"{name} and removes {name} from status.storedVersions",
            )  # fmt: skip
    now = [v.get("name") for v in after.get("versions") or () if v.get("storage")]
    if len(now) == 1 and now[0] not in stored:
        faults.invalid("status.storedVersions", stored, f"must have the storage version {now[0]}")


def _approval(meta: Object, group: str, faults: Faults) -> None:
    if not is_protected(group):
        return
    where, given = f"metadata.annotations[{APPROVAL}]", (meta.get("annotations") or {}).get(APPROVAL, "")
    if not given:
        detail = f'protected groups must have approval annotation "{APPROVAL}", see {APPROVAL_URL}'
        faults.required(where, detail)
    elif not given.startswith(("https://", "http://", "unapproved")):
        detail = f'protected groups must have approval annotation "{APPROVAL}" with either a URL or a reason'
        faults.invalid(where, given, f'{detail} starting with "unapproved", see {APPROVAL_URL}')


def _group(group: str, faults: Faults) -> None:
    if not group:
        return
    faults.all_invalid("spec.group", group, dns_subdomain(group))
    if "." not in group:
        faults.invalid("spec.group", group, "should be a domain with at least one dot")


def _names(names: Object, path: str, faults: Faults) -> None:
    for field in ("plural", "singular"):
        if names.get(field):
            faults.all_invalid(f"{path}.{field}", names[field], dns_label_1035(names[field]))
    for field in ("kind", "listKind"):
        value = names.get(field)
        for fault in dns_label_1035(value.lower()) if value else ():
            text = f"may have mixed case, but should otherwise match: {fault}"
            faults.invalid(f"{path}.{field}", value, text)
    for field in ("shortNames", "categories"):
        for i, value in enumerate(names.get(field) or ()):
            faults.all_invalid(f"{path}.{field}[{i}]", value, dns_label_1035(value))
    if names.get("kind") and names["kind"] == names.get("listKind"):
        faults.invalid(f"{path}.listKind", names["listKind"], "kind and listKind may not be the same")


def _versions(versions: list[Object], faults: Faults) -> None:
    names = [version.get("name") for version in versions]
    if not versions:
        return
    if len(set(names)) < len(names):
        faults.invalid("spec.versions", names, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        faults.invalid("spec.versions", names, "must have exactly one version marked as storage version")
    for i, version in enumerate(versions):
        version_rules.version(version, f"spec.versions[{i}]", faults)


def _conversion(conversion: Object, path: str, faults: Faults) -> None:
    strategy, webhook = conversion.get("strategy"), conversion.get("webhook")
    if strategy != "Webhook":
        if webhook is not None:
            faults.forbidden(f"{path}.webhook", "should not be set when strategy is not set to Webhook")
        return
    config = (webhook or {}).get("clientConfig")
    if config is None:
        faults.required(f"{path}.webhook.clientConfig", "required when strategy is set to Webhook")
    else:
        _client(config, f"{path}.webhook.clientConfig", faults)
    known = (webhook or {}).get("conversionReviewVersions") or []
    where = f"{path}.webhook.conversionReviewVersions"
    if not known:
        faults.required(where)
    elif not set(known) & set(REVIEW_VERSIONS):
        faults.invalid(where, known, f"must include at least one of {', '.join(REVIEW_VERSIONS)}")


def _client(config: Object, path: str, faults: Faults) -> None:
    if (config.get("url") is None) == (config.get("service") is None):
        faults.required(path, "exactly one of url or service is required")
    url = config.get("url")
    if url is not None and not url.startswith("https://"):
        faults.invalid(
            f"{path}.url", url, "'https' is the only allowed URL scheme; desired format: https://host[/path]"
        )
    service = config.get("service") or {}
    if service.get("path") and not service["path"].startswith("/"):
        faults.invalid(f"{path}.service.path", service["path"], "must start with a '/'")
    port = service.get("port")
    if port is not None and not 1 <= port <= 65535:
        faults.invalid(
            f"{path}.service.port", port, "port is not valid: must be between 1 and 65535, inclusive"
        )
