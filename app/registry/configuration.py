"""What a client sends to server-side apply: is it a configuration, and which part of it counts?"""

from __future__ import annotations

from typing import Any

from app.base.errors import BadRequest, Cause, Invalid
from app.objects.change import Object
from app.objects.managed import declared
from app.registry.request import Request
from app.schemas.decode import decode
from app.schemas.kinds import Kind
from app.schemas.rules.resize import of_resize, resized
from app.schemas.shapes import shape_of


def check_manager(request: Request) -> None:
    """Raises Invalid if the client does not say who applies."""
    if not request.field_manager:
        raise _invalid("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")


def check_not_forced(request: Request) -> None:
    """Raises Invalid if another patch than an apply says `force`."""
    if request.force is not None:
        raise _invalid("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")


def _invalid(field: str, reason: str, message: str) -> Invalid:
    return Invalid(
        f'PatchOptions.meta.k8s.io "" is invalid: {field}: {message}',
        group="meta.k8s.io",
        resource="PatchOptions",
        causes=[Cause(field, reason, message)],
    )


def check_config(kind: Kind, namespace: str, name: str, config: Any) -> None:
    """Raises BadRequest if a configuration is not one of this kind, in its version."""
    if not isinstance(config, dict):
        raise BadRequest("error decoding YAML: the configuration must be an object")
    version, called, metadata = config.get("apiVersion"), config.get("kind"), config.get("metadata")
    if version != kind.api_version:
        raise BadRequest(
            f"Incorrect version specified in apply patch. Specified patch version: {version or ''}, "
            f"expected: {kind.api_version}"
        )
    if called != kind.kind:
        raise BadRequest(f'{called or ""} in version "{kind.version}" cannot be handled as a {kind.kind}')
    if not isinstance(metadata, dict | None):
        raise BadRequest(f"{kind.kind} can't be applied: metadata must be an object")
    if (metadata or {}).get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    given = (metadata or {}).get("name")
    if given and given != name:
        raise BadRequest(f"the name of the object ({given}) does not match the name on the URL ({name})")
    # Nothing of a wrong type goes on to be merged.
    decode(kind, config)
    faults = declared.faults(config, shape_of(kind))
    if faults:
        about = f"({f'{namespace}/' if namespace else ''}{name}; {kind.api_version}, Kind={kind.kind})"
        listed = faults[0] if len(faults) == 1 else "\n  ".join(["errors:", *faults])
        raise BadRequest(f"failed to create typed patch object {about}: {listed}")


def part_of(kind: Kind, config: Object, subresource: str) -> Object:
    """The part of a configuration that the path takes: its status goes through `status`, and nothing else."""
    metadata = config.get("metadata") or {}
    if not subresource:
        left = {k: v for k, v in config.items() if k != "status" or "status" not in kind.subresources}
        return {**left, "metadata": metadata}
    kept = ("name", "namespace", "uid", "resourceVersion")
    named = {k: metadata[k] for k in kept if k in metadata}
    if subresource == "resize":
        return {**of_resize(config), "metadata": named}
    only: Object = {k: config[k] for k in ("apiVersion", "kind", "status") if k in config}
    return {**only, "metadata": named}


def reach(kind: Kind, subresource: str, live: Object, sent: Object) -> Object:
    """`sent` with what this path can't change as it is in `live`, so that nobody loses or gains it."""
    if subresource == "resize":
        return resized(live, sent)
    if subresource == "status":
        kept, taken = live, sent
    elif "status" in kind.subresources:
        kept, taken = sent, live
    else:
        return sent
    rest = {k: v for k, v in kept.items() if k != "status"}
    return {**rest, "status": taken["status"]} if "status" in taken else rest
