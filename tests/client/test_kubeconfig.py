from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from app.base.errors import UserError
from app.client.kubeconfig import Access, load, path_from

CONFIG = {
    "current-context": "here",
    "contexts": [
        {"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
        {"name": "lost", "context": {"cluster": "elsewhere", "user": "u"}},
    ],
    "clusters": [{"name": "c", "cluster": {"server": "https://h:6443", "certificate-authority": "ca.crt"}}],
    "users": [{"name": "u", "user": {"token": "t", "client-key-data": base64.b64encode(b"KEY").decode()}}],
}


def _write(path: Path, config: object) -> Path:
    path.write_text(yaml.safe_dump(config))
    return path


def test_the_current_context_grants_server_namespace_and_token(tmp_path: Path) -> None:
    access = load(_write(tmp_path / "config", CONFIG))
    assert access == Access(
        "https://h:6443", namespace="shop", token="t", ca_file=str(tmp_path / "ca.crt"), key_data="KEY"
    )


@pytest.mark.parametrize(
    ("context", "words"), [("nowhere", "no context 'nowhere'"), ("lost", "no cluster 'elsewhere'")]
)
def test_a_name_that_the_file_lacks_is_named(tmp_path: Path, context: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(_write(tmp_path / "config", CONFIG), context)


@pytest.mark.parametrize("text", ["{", "- a", "x: 1"])
def test_what_is_no_kubeconfig_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(UserError) as caught:
        load(tmp_path / "config")
    assert "\n" not in str(caught.value)


def test_the_first_existing_file_of_kubeconfig_is_in_force(tmp_path: Path) -> None:
    there = _write(tmp_path / "b", CONFIG)
    assert path_from({"KUBECONFIG": f"{tmp_path / 'a'}:{there}"}) == there
