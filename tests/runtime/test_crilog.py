"""Reading logs in the format of the CRI."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.runtime import crilog
from workers.runtime.process.shim import LINE_MAX, Log
from workers.runtime.protocol import LogOptions


def over(seconds: float) -> bool:
    return True


def put(path: Path, *lines: tuple[float, str, str]) -> Path:
    path.write_bytes(
        b"".join(crilog.stamp(at) + f" stdout {part} {text}\n".encode() for at, part, text in lines)
    )
    return path


def read(path: Path, **options: object) -> bytes:
    return b"".join(crilog.read(path, LogOptions(**options), over))  # type: ignore[arg-type]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    put(tmp_path / "log.1", (1.0, "F", "one"), (2.0, "P", "tw"))
    return put(tmp_path / "log", (2.5, "F", "o"), (3.25, "F", "three"))


def test_the_older_file_comes_first_and_parts_are_joined(log: Path) -> None:
    assert read(log) == b"one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"tail": 1}, b"three\n"),
        ({"tail": 2}, b"two\nthree\n"),
        ({"tail": 9}, b"one\ntwo\nthree\n"),
        ({"tail": 0}, b""),
        ({"since": 3.0}, b"three\n"),
        ({"since": 3.25}, b"three\n"),
        ({"since": 3.3}, b""),
        ({"limit_bytes": 6}, b"one\ntw"),
        ({"limit_bytes": 0}, b""),
        ({"tail": 1, "timestamps": True}, b"1970-01-01T00:00:03.250000000Z three\n"),
        ({"timestamps": True, "tail": 2, "limit_bytes": 35}, b"1970-01-01T00:00:02.000000000Z two\n"),
    ],
)
def test_what_is_asked_for_is_read(log: Path, options: dict[str, object], expected: bytes) -> None:
    assert read(log, **options) == expected


def test_following_reads_what_comes_and_what_is_rotated(log: Path) -> None:
    moments = iter([False, False, True])

    def ended(seconds: float) -> bool:
        moment = next(moments)
        if not moment and log.stat().st_size < 200:
            with log.open("ab") as file:
                file.write(crilog.stamp(4.0) + b" stdout F " + b"four" * 50 + b"\n")
            log.rename(log.with_name("log.1"))
            put(log, (5.0, "F", "five"))
            with log.open("ab") as file:
                file.write(b"#" * 300)
        return moment

    lines = b"".join(crilog.read(log, LogOptions(follow=True, tail=0), ended)).splitlines()
    assert lines == [b"four" * 50, b"five"]


def test_no_log_yet_is_an_empty_log(tmp_path: Path) -> None:
    assert read(tmp_path / "log", follow=True) == b""


@given(chunks=st.lists(st.binary(max_size=2 * LINE_MAX), max_size=6))
def test_what_a_container_prints_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = Log(str(folder), 1 << 20, 2)
    for chunk in chunks:
        log.write(b"stdout", chunk)
    log.finish()
    assert read(folder / "log") == b"".join(chunks)
