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
DOCKER_HUB = "docker.io"

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
        return DOCKER_HUB

    @property
    def reference(self) -> str:
        """The name that says which content is meant: by digest if there is one, whatever the tag is now."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"

    @property
    def repository(self) -> str:
        """The name without tag, in full: `docker.io/library/web` for `web`."""
        if self.registry != DOCKER_HUB or self.name.startswith(f"{DOCKER_HUB}/"):
            path = self.name.removeprefix(f"{self.registry}/")
        else:
            path = self.name
        if self.registry == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return f"{self.registry}/{path}"

    @property
    def shown(self) -> str:
        """As statuses show it: with the tag `latest` if neither tag nor digest was asked for."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Image:
    """The parts of an image's name.

    Raises:
        ContainerError: reason InvalidImageName, in kubelet's words.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None or len(match["name"]) > _NAME_MAX:
        why = "invalid reference format"
        lowered = _REFERENCE.fullmatch(text.lower())
        if match is None and lowered is not None:
            why += f": repository name ({text[: len(lowered['name'])]}) must be lowercase"
        message = f'Failed to apply default image tag "{text}": couldn\'t parse image name "{text}": {why}'
        raise ContainerError("InvalidImageName", message)
    digest = match["digest"] or ""
    return Image(match["name"], match["tag"] or ("" if digest else "latest"), digest)
