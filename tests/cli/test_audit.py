"""`beanpole audit` shows what was asked of a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.base.errors import UserError
from app.cli.audit import Wanted, entries, line, seconds
from app.cli.main import main


def entry(at: int, user: str = "ann", code: int = 200, verb: str = "create", **more: Any) -> dict[str, Any]:
    return {
        "kind": "Event",
        "auditID": f"{at:016x}",
        "verb": verb,
        "requestURI": "/api",
        "user": {"username": user},
        "objectRef": {
            "resource": "deployments",
            "apiGroup": "apps",
            "namespace": "shop",
            "name": f"web-{at}",
        },
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": f"2026-01-31T12:00:{at:02}.000000Z",
        **more,
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    other = {"impersonatedUser": {"username": "bob"}}
    parts = [
        (tmp_path / "audit.log.10", [entry(1)]),
        (tmp_path / "audit.log.2", [entry(2, "bob", verb="delete")]),
        (tmp_path / "audit.log.1", [entry(3, code=403, **other), entry(4, objectRef={"resource": "pods"})]),
        (path, [entry(5, objectRef=None)]),
    ]
    for file, found in parts:
        file.write_text("".join(json.dumps(each) + "\n" for each in found))
    with path.open("a") as file:
        file.write('{"kind": "Eve')
    return path


def shown(log: Path, **wanted: Any) -> list[int]:
    return [int(each["auditID"], 16) for each in entries(log, Wanted(**wanted))]


def test_all_files_are_read_from_the_oldest_and_a_torn_line_is_skipped(log: Path) -> None:
    assert shown(log) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"user": "bob"}, [2, 3]),
        ({"resource": "pods"}, [4]),
        ({"resource": "deployments.apps"}, [1, 2, 3]),
        ({"resource": "deployments"}, [1, 2, 3]),
        ({"namespace": "shop", "verb": "delete"}, [2]),
        ({"refused": True}, [3]),
        ({"since": 1769860804.0}, [4, 5]),
    ],
)
def test_entries_are_chosen(log: Path, wanted: dict[str, Any], found: list[int]) -> None:
    assert shown(log, **wanted) == found


def test_a_line_says_when_who_what_and_what_came_of_it() -> None:
    status = {"code": 403, "message": "no:\nnot allowed"}
    told = line(entry(3, responseStatus=status, impersonatedUser={"username": "bob"}))
    assert told.split() == [
        "2026-01-31T12:00:03.000000Z", "0000000000000003", "403", "ann", "as", "bob", "create", "deployments.apps",
        "shop/web-3", "no:", "not", "allowed",
    ]  # fmt: skip


def test_spans_of_time_are_read_and_others_refused() -> None:
    assert [seconds(text) for text in ("90s", "10m", "2h", "1d")] == [90, 600, 7200, 86400]
    with pytest.raises(UserError, match="write one like 90s"):
        seconds("yesterday")


def test_the_command_prints_text_or_json(log: Path) -> None:
    ran = CliRunner().invoke(main, ["audit", "--state", str(log.parent), "--user", "bob", "--verb", "delete"])
    assert (ran.exit_code, ran.output.count("\n")) == (0, 1)
    assert "shop/web-2" in ran.output
    ran = CliRunner().invoke(
        main, ["audit", "--file", str(log), "--user", "bob", "--verb", "delete", "-o", "json"]
    )
    assert json.loads(ran.output)["verb"] == "delete"
    ran = CliRunner().invoke(main, ["audit", "--state", str(log.parent / "no")])
    assert ran.exit_code == 1
    assert "there is no audit log" in ran.output
