from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.base.errors import UserError
from app.base.settings import PREFIX, Settings, as_environ, load

RUNNING = Path(__file__).parents[2] / "docs" / "running.md"
# | `BEANPOLE_LEASE` | `30` | s | ... |
ROW = re.compile(r"^\| `(BEANPOLE_\w+)` \| (.*?) \|", re.MULTILINE)


def told() -> dict[str, str]:
    """The settings in the table of docs/running.md, with the defaults it tells."""
    return {name: default.strip("`") for name, default in ROW.findall(RUNNING.read_text())}


def test_every_setting_is_in_the_documentation_and_nothing_else():
    assert set(told()) == {PREFIX + field.name.upper() for field in fields(Settings)}


def test_the_documentation_tells_the_real_defaults():
    environ = {name: "" if text == "empty" else text for name, text in told().items()}

    assert load(environ) == Settings()


def test_what_the_environment_says_replaces_the_default():
    assert load({"BEANPOLE_NODE_GRACE": "7.5", "BEANPOLE_LOG_LENGTH": "9"}) == Settings(
        node_grace=7.5, log_length=9
    )


def test_settings_come_through_the_environment_of_a_child_unchanged():
    settings = Settings(cluster="a", state_dir=Path("/x"), nodes=3, exchange=0.5)

    assert load(as_environ(settings)) == settings


def test_a_value_of_the_wrong_type_is_named():
    with pytest.raises(UserError, match="BEANPOLE_NODES='many'"):
        load({"BEANPOLE_NODES": "many"})
