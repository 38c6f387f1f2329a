"""Large answers are compressed for those who ask."""

from __future__ import annotations

import gzip
import json

import pytest

CONFIGS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def large(api):
    """ConfigMaps of more than 128 KiB together."""
    return [
        api.create(CONFIGS, {"metadata": {"name": name}, "data": {"x": "y" * 90_000}}) for name in ("a", "b")
    ]


def test_a_large_list_is_compressed_for_who_takes_gzip(api, large):
    answer = api.ask("GET", CONFIGS, Accept_Encoding="br, gzip")

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) == int(answer.headers["Content-Length"]) < 10_000
    assert json.loads(gzip.decompress(answer.data))["items"] == large


@pytest.mark.parametrize("asked", ["", "identity", "gzip;q=0", "br"])
def test_a_large_answer_is_plain_for_others(api, large, asked):
    answer = api.ask("GET", CONFIGS, Accept_Encoding=asked)

    assert "Content-Encoding" not in answer.headers
    assert answer.json["items"] == large


def test_a_small_answer_is_never_compressed(api):
    made = api.config("small")

    answer = api.ask("GET", f"{CONFIGS}/small", Accept_Encoding="gzip")

    assert "Content-Encoding" not in answer.headers
    assert answer.json == made
