"""Forms of paths inside volumes, in Kubernetes's words (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.schemas.faults import Faults


def no_backsteps(path: str, where: str, faults: Faults) -> None:
    """A path that doesn't lead out of its folder again."""
    if ".." in path.split("/"):
        faults.invalid(where, path, "must not contain '..'")


def descending(path: str, where: str, faults: Faults) -> None:
    """A relative path into a folder."""
    if path.startswith("/"):
        faults.invalid(where, path, "must be a relative path")
    no_backsteps(path, where, faults)


def own_file(path: str, where: str, faults: Faults) -> None:
    """A relative path to a file of a volume; names with `..` in front are kept for the volume's own use."""
    descending(path, where, faults)
    if path.startswith("..") and ".." not in path.split("/"):
        faults.invalid(where, path, "must not start with '..'")
