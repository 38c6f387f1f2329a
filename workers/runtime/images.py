"""Names of images: `registry.example:5000/team/web:1.2@sha256:...`.

The rule is the grammar of github.com/distribution/reference, which Docker and Kubernetes both follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workers.runtime.protocol import ContainerError

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.[a-zA-Z0-9-]+)*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[a-z0-9+._-]+:[0-9a-fA-F]{32,}))?"
)
_NAME_MAX = 255

PRESENT = "already present on machine"
PULLED = "pulled"


@dataclass(frozen=True, slots=True)
class Image:
    """A parsed reference. `tag` is `latest` if neither tag nor digest was given."""

    name: str
    tag: str
    digest: str

    @property
    def registry(self) -> str:
        """The host that serves it; Docker Hub if the name gives none."""
        first, slash, _ = self.name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            return first
        return "docker.io"


def parse(text: str) -> Image:
    """The parts of an image's name.

    Raises:
        ContainerError: reason InvalidImageName, as kubelet's.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None or len(match["name"]) > _NAME_MAX:
        raise ContainerError(
            "InvalidImageName", f'couldn\'t parse image name "{text}": invalid reference format'
        )
    digest = match["digest"] or ""
    return Image(match["name"], match["tag"] or ("" if digest else "latest"), digest)
