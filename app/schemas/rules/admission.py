"""Rules for webhooks and the rules by which requests are chosen
(k8s.io/kubernetes/pkg/apis/admissionregistration/validation)."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import dns_label_1035, dns_subdomain, path_segment, port_number, qualified_name
from app.schemas.types.admission_rule import OPERATIONS

REVIEW_VERSIONS = ("v1", "v1beta1")
SIDE_EFFECTS = ("None", "NoneOnDryRun")
CONDITIONS_LIMIT = 64
_FORM = "; desired format: https://host[:port]/path"


def webhooks(given: Object, path: str, faults: Faults) -> None:
    """A configuration of webhooks: no two of them have one name."""
    names: set[str] = set()
    for i, hook in enumerate(given.get("webhooks") or ()):
        where = f"webhooks[{i}]"
        _webhook(hook, where, faults)
        _review_versions(
            hook.get("admissionReviewVersions") or [], f"{where}.admissionReviewVersions", faults
        )
        name = hook.get("name")
        if name and name in names:
            faults.duplicate(f"{where}.name", name)
        names.add(name or "")


def _webhook(hook: Object, path: str, faults: Faults) -> None:
    _qualified(hook.get("name") or "", f"{path}.name", faults)
    for i, rule in enumerate(hook.get("rules") or ()):
        operations_rule(rule, f"{path}.rules[{i}]", faults)
    effects, seconds = hook.get("sideEffects"), hook.get("timeoutSeconds")
    if effects is None:
        faults.required(f"{path}.sideEffects", f"must specify one of {', '.join(SIDE_EFFECTS)}")
    elif effects not in SIDE_EFFECTS:
        faults.not_supported(f"{path}.sideEffects", effects, SIDE_EFFECTS)
    if seconds is not None and not 1 <= seconds <= 30:
        faults.invalid(
            f"{path}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds"
        )
    client(hook.get("clientConfig") or {}, f"{path}.clientConfig", faults)
    match_conditions(hook.get("matchConditions") or [], f"{path}.matchConditions", faults)


def _qualified(name: str, path: str, faults: Faults) -> None:
    if not name:
        faults.required(path)
    elif wrong := dns_subdomain(name):
        faults.invalid(path, name, ",".join(wrong))
    elif name.count(".") < 2:
        faults.invalid(path, name, "should be a domain with at least three segments separated by dots")


def client(config: Object, path: str, faults: Faults) -> None:
    """How a webhook is reached: by exactly one of address and service."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        faults.required(path, "exactly one of url or service is required")
    elif url is not None:
        _url(url, f"{path}.url", faults)
    elif service is not None:
        _service(service, f"{path}.service", faults)


def _url(text: str, path: str, faults: Faults) -> None:
    try:
        url = urlsplit(text)
    except ValueError as exc:
        faults.required(path, f"url must be a valid URL: {exc}{_FORM}")
        return
    if url.scheme != "https":
        faults.invalid(path, url.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not url.netloc:
        faults.invalid(path, url.netloc, f"host must be specified{_FORM}")
    user, at, _ = url.netloc.rpartition("@")
    if at:
        faults.invalid(path, user, "user information is not permitted in the URL")
    if url.fragment:
        faults.invalid(path, url.fragment, "fragments are not permitted in the URL")
    if url.query:
        faults.invalid(path, url.query, "query parameters are not permitted in the URL")


def _service(service: Object, path: str, faults: Faults) -> None:
    if not service.get("name"):
        faults.required(f"{path}.name", "service name is required")
    if not service.get("namespace"):
        faults.required(f"{path}.namespace", "service namespace is required")
    port = service.get("port")
    if port is not None:
        for wrong in port_number(port):
            faults.invalid(f"{path}.port", port, f"port is not valid: {wrong}")
    text = service.get("path")
    if text is None:
        return
    if text in ("/", ""):
        return
    if text == "//":
        faults.invalid(f"{path}.path", text, "segment[0] may not be empty")
        return
    if not text.startswith("/"):
        faults.invalid(f"{path}.path", text, "must start with a '/'")
    for i, segment in enumerate(text[1:].removesuffix("/").split("/")):
        if not segment:
            faults.invalid(f"{path}.path", text, f"segment[{i}] may not be empty")
        else:
            for wrong in dns_subdomain(segment):
                faults.invalid(f"{path}.path", text, f"segment[{i}]: {wrong}")


def _review_versions(versions: list[str], path: str, faults: Faults) -> None:
    known = ", ".join(REVIEW_VERSIONS)
    if not versions:
        faults.required(path, f"must specify one of {known}")
        return
    seen: set[str] = set()
    for i, version in enumerate(versions):
        if version in seen:
            faults.invalid(f"{path}[{i}]", version, "duplicate version")
            continue
        seen.add(version)
        faults.all_invalid(f"{path}[{i}]", version, dns_label_1035(version))
    if not seen & set(REVIEW_VERSIONS):
        faults.invalid(path, versions, f"must include at least one of {known}")


def operations_rule(rule: Object, path: str, faults: Faults) -> None:
    """Operations on resources. `*` stands alone in its list."""
    for i, name in enumerate(rule.get("resourceNames") or ()):
        where = f"{path}.resourceNames[{i}]"
        faults.all_invalid(where, name, path_segment(name))
        if name in rule["resourceNames"][:i]:
            faults.duplicate(where, name)
    for field, words in (
        ("operations", "operations"),
        ("apiGroups", "API groups"),
        ("apiVersions", "API versions"),
    ):
        given = rule.get(field) or ()
        if not given:
            faults.required(f"{path}.{field}")
        if len(given) > 1 and "*" in given:
            faults.invalid(f"{path}.{field}", given, f"if '*' is present, must not specify other {words}")
        for i, item in enumerate(given):
            if field == "operations" and item not in OPERATIONS:
                faults.not_supported(f"{path}.operations[{i}]", item, OPERATIONS)
            if field == "apiVersions" and not item:
                faults.required(f"{path}.apiVersions[{i}]")
    _resources(rule.get("resources") or [], f"{path}.resources", faults)


def _resources(given: list[str], path: str, faults: Faults) -> None:
    if not given:
        faults.required(path)
    whole: set[str] = set()
    everywhere: set[str] = set()
    for i, text in enumerate(given):
        if not text:
            faults.required(f"{path}[{i}]")
            continue
        name, slash, below = text.partition("/")
        if not slash:
            continue
        if name in whole:
            faults.invalid(f"{path}[{i}]", text, f"if '{name}/*' is present, must not specify {text}")
        if below in everywhere:
            faults.invalid(f"{path}[{i}]", text, f"if '*/{below}' is present, must not specify {text}")
        if below == "*":
            whole.add(name)
        if name == "*":
            everywhere.add(below)
    if len(given) > 1 and "*/*" in given:
        faults.invalid(path, given, "if '*/*' is present, must not specify other resources")
    if "*" in given and any("/" not in text and text not in ("", "*") for text in given):
        faults.invalid(
            path, given, "if '*' is present, must not specify other resources without subresources"
        )


def match_conditions(given: list[Object], path: str, faults: Faults) -> None:
    """Conditions in CEL. Whether they can be compiled is found out where they are used."""
    if len(given) > CONDITIONS_LIMIT:
        faults.too_many(path, len(given), CONDITIONS_LIMIT)
    names: set[str] = set()
    for i, condition in enumerate(given):
        where = f"{path}[{i}]"
        name = condition.get("name") or ""
        if not (condition.get("expression") or "").strip():
            faults.required(f"{where}.expression")
        if not name:
            faults.required(f"{where}.name")
        else:
            faults.all_invalid(f"{where}.name", name, qualified_name(name))
            if name in names:
                faults.duplicate(f"{where}.name", name)
        names.add(name)
