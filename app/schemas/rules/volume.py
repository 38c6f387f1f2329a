"""Rules for what volumes are filled with (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.quantity import nanos
from app.schemas import paths
from app.schemas.faults import Faults
from app.schemas.rules.field_path import OF_FILES, field_ref, resource_ref

HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
LEAST_TOKEN_SECONDS = 600
MOST_TOKEN_SECONDS = 1 << 32


def config_map(source: Object, path: str, faults: Faults) -> None:
    if not source.get("name"):
        faults.required(f"{path}.name")


def secret(source: Object, path: str, faults: Faults) -> None:
    if not source.get("secretName"):
        faults.required(f"{path}.secretName")


def key_to_path(item: Object, path: str, faults: Faults) -> None:
    paths.own_file(item.get("path") or "", f"{path}.path", faults)


def host_path(source: Object, path: str, faults: Faults) -> None:
    paths.no_backsteps(source.get("path") or "", f"{path}.path", faults)
    kind = source.get("type")
    if kind and kind not in HOST_PATH_TYPES:
        faults.not_supported(f"{path}.type", kind, HOST_PATH_TYPES)


def empty_dir(source: Object, path: str, faults: Faults) -> None:
    limit = source.get("sizeLimit")
    if limit is not None and nanos(limit) < 0:
        faults.forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def nfs(source: Object, path: str, faults: Faults) -> None:
    where = source.get("path") or ""
    if not where.startswith("/"):
        faults.invalid(f"{path}.path", where, "must be an absolute path")


def image(source: Object, path: str, faults: Faults) -> None:
    if not source.get("reference"):
        faults.required(f"{path}.reference")


def ephemeral(source: Object, path: str, faults: Faults) -> None:
    if source.get("volumeClaimTemplate") is None:
        faults.required(f"{path}.volumeClaimTemplate")


def downward_api(source: Object, path: str, faults: Faults) -> None:
    """Kubernetes names the source in messages, and not the file."""
    for file in source.get("items") or ():
        name = file.get("path") or ""
        if not name:
            faults.required(f"{path}.path")
        paths.own_file(name, f"{path}.path", faults)
        field, resource = file.get("fieldRef"), file.get("resourceFieldRef")
        if field is not None:
            field_ref(field, OF_FILES, f"{path}.fieldRef", faults)
            if resource is not None:
                faults.invalid(
                    path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"
                )
        elif resource is not None:
            resource_ref(resource, f"{path}.resourceFieldRef", faults, of_file=True)
        else:
            faults.required(path, "one of fieldRef and resourceFieldRef is required")


def projected(source: Object, path: str, faults: Faults) -> None:
    taken: set[str] = set()
    for i, part in enumerate(source.get("sources") or ()):
        where = f"{path}.sources[{i}]"
        given = [name for name, value in part.items() if value is not None]
        if not given:
            faults.required(where, "must specify a volume type")
        if len(given) > 1:
            faults.forbidden(where, "may not specify more than 1 volume type")
        for name in given:
            _part(name, part[name], taken, where, path, faults)


def _part(name: str, part: Object, taken: set[str], path: str, whole: str, faults: Faults) -> None:
    where = f"{path}.{name}"
    if name in ("secret", "configMap") and not part.get("name"):
        faults.required(f"{where}.name")
    if name == "serviceAccountToken":
        _token(part, where, whole, faults)
    if name == "clusterTrustBundle":
        _trust(part, where, faults)
    files = part.get("items") or ([part] if name != "podCertificate" else ())
    for file in files:
        target = file.get("path") or ""
        if target and target in taken:
            shown = target if name not in ("secret", "configMap") else part.get("name", "")
            faults.invalid(whole, shown, "conflicting duplicate paths")
        taken.add(target)


def _token(part: Object, path: str, whole: str, faults: Faults) -> None:
    seconds = part.get("expirationSeconds")
    if seconds is not None and seconds < LEAST_TOKEN_SECONDS:
        faults.invalid(
            f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"
        )
    if seconds is not None and seconds > MOST_TOKEN_SECONDS:
        faults.invalid(
            f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"
        )
    paths.own_file(part.get("path") or "", f"{whole}.path", faults)


def _trust(part: Object, path: str, faults: Faults) -> None:
    name, signer = part.get("name"), part.get("signerName")
    if name is not None and signer is not None:
        faults.invalid(path, part, "only one of name and signerName may be used")
    elif name is None and signer is None:
        faults.required(path, "either name or signerName must be specified")
    elif name is not None and part.get("labelSelector") is not None:
        faults.invalid(
            f"{path}.labelSelector",
            part["labelSelector"],
            "labelSelector must be unset if name is specified",
        )
    paths.own_file(part.get("path") or "", f"{path}.path", faults)
