"""Names of images."""

from __future__ import annotations

import pytest

from workers.runtime import images
from workers.runtime.protocol import ContainerError

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "name", "tag", "digest", "registry"),
    [
        ("web", "web", "latest", "", "docker.io"),
        ("library/web:1.2", "library/web", "1.2", "", "docker.io"),
        ("localhost:5000/a/b_c:v1", "localhost:5000/a/b_c", "v1", "", "localhost:5000"),
        ("registry.example.com/a", "registry.example.com/a", "latest", "", "registry.example.com"),
        (f"web@{DIGEST}", "web", "", DIGEST, "docker.io"),
        (f"web:1@{DIGEST}", "web", "1", DIGEST, "docker.io"),
    ],
)
def test_a_name_is_taken_apart(text: str, name: str, tag: str, digest: str, registry: str) -> None:
    image = images.parse(text)
    assert (image.name, image.tag, image.digest, image.registry) == (name, tag, digest, registry)


@pytest.mark.parametrize(
    "text", ["", "Web", "web:", "web image", ":1", "a//b", "web:-x", "web@sha256:12", "x" * 300]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ContainerError) as refusal:
        images.parse(text)
    assert refusal.value.reason == "InvalidImageName"
