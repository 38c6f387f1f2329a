"""Logs in files that are moved aside as they grow, whatever happens meanwhile; in both formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.runtime import crilog, log_files
from workers.runtime.crilog import Cri
from workers.runtime.docker.json_log import JsonLog
from workers.runtime.protocol import LogOptions

Line = tuple[float, str]


def cri(at: float, text: str) -> bytes:
    part = b"F" if text.endswith("\n") else b"P"
    return crilog.stamp(at) + b" stdout " + part + b" " + text.removesuffix("\n").encode() + b"\n"


def engine(at: float, text: str) -> bytes:
    time = crilog.stamp(at).decode().removesuffix("Z").rstrip("0").rstrip(".") + "Z"
    entry = {"log": text, "stream": "stdout", "time": time}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


FORMATS = {"cri": (Cri(), cri), "engine": (JsonLog(), engine)}


class Log:
    """A log in one of the formats, of at most `files` files with `size` lines each."""

    def __init__(self, folder: Path, kind: str, size: int = 3, files: int = 3) -> None:
        self.path, self.size, self.files = folder / "log", size, files
        self.form, self._line = FORMATS[kind]
        self._lines = 0

    def write(self, *lines: Line) -> None:
        for at, text in lines:
            if self._lines == self.size:
                for number in range(self.files - 1, 0, -1):
                    older = self.path.with_name(f"log.{number - 1}") if number > 1 else self.path
                    if older.exists():
                        older.rename(self.path.with_name(f"log.{number}"))
                self._lines = 0
            with self.path.open("ab") as file:
                file.write(self._line(at, text))
            self._lines += 1

    def read(self, ended: Callable[[float], bool] = lambda seconds: True, **options: object) -> str:
        chunks = log_files.read(self.path, self.form, LogOptions(**options), ended)  # type: ignore[arg-type]
        return b"".join(chunks).decode()


@pytest.fixture(params=list(FORMATS))
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    return Log(tmp_path, request.param)


def test_the_oldest_file_comes_first(log: Log) -> None:
    log.write(*[(float(n), f"{n}\n") for n in range(8)])
    assert log.read() == "0\n1\n2\n3\n4\n5\n6\n7\n"
    assert log.read(tail=4) == "4\n5\n6\n7\n"
    assert log.read(since=5.0) == "5\n6\n7\n"
    assert log.read(tail=0) == ""
    log.write(*[(float(n), f"{n}\n") for n in range(8, 16)])
    assert log.read() == "9\n10\n11\n12\n13\n14\n15\n"


def test_a_line_in_parts_over_several_files_is_one_line(log: Log) -> None:
    log.write((0.0, "a\n"), (1.0, "b\n"), (2.0, "th"), (3.0, "e en"), (4.0, "d\n"), (5.0, "x"))
    assert log.read() == "a\nb\nthe end\nx"
    assert log.read(tail=1) == "the end\nx"
    assert log.read(tail=2, timestamps=True) == (
        "1970-01-01T00:00:01.000000000Z b\n"
        "1970-01-01T00:00:02.000000000Z the end\n"
        "1970-01-01T00:00:05.000000000Z x"
    )


@pytest.mark.parametrize("since", [3.25, 3.2, 3.1999999])
def test_since_counts_parts_of_seconds(log: Log, since: float) -> None:
    log.write((3.0, "a\n"), (3.1, "b\n"), (3.25, "c\n"), (4.0, "d\n"))
    assert log.read(since=since) == "c\nd\n"


def test_who_follows_misses_nothing_that_is_moved_aside(log: Log) -> None:
    """Between two looks a file is written to its end, moved aside, and so is the next."""
    log.write((0.0, "0\n"))
    steps: Iterator[list[Line]] = iter(
        [[(1.0, "1\n")], [(float(n), f"{n}\n") for n in range(2, 8)], [], [(8.0, "8\n"), (9.0, "9\n")]]
    )

    def ended(seconds: float) -> bool:
        lines = next(steps, None)
        log.write(*(lines or []))
        return lines is None

    assert log.read(ended, follow=True) == "".join(f"{n}\n" for n in range(10))


def test_who_is_too_slow_goes_on_with_the_oldest_that_there_is(log: Log) -> None:
    log.write((0.0, "0\n"))
    steps = iter([list(range(1, 30)), []])

    def ended(seconds: float) -> bool:
        numbers = next(steps, None)
        log.write(*[(float(n), f"{n}\n") for n in numbers or []])
        return numbers is None

    said = log.read(ended, follow=True).split()
    assert said[:3] == ["0", "1", "2"]
    assert said[-9:] == [str(n) for n in range(21, 30)]


def test_what_was_printed_before_the_end_is_read_though_the_end_was_seen_first(log: Log) -> None:
    def ended(seconds: float) -> bool:
        log.write((1.0, "last words\n"))
        return True

    log.write((0.0, "first\n"))
    assert log.read(ended, follow=True) == "first\nlast words\n"


def test_a_line_that_is_still_being_written_waits_for_its_end(log: Log) -> None:
    log.write((0.0, "a\n"), (1.0, "b\n"))
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[:-5])
    assert log.read() == "a\n"
    assert log.read(tail=1) == "a\n"

    def ended(seconds: float) -> bool:
        log.path.write_bytes(whole)
        return True

    assert log.read(ended, follow=True) == "a\nb\n"


def test_no_log_yet_is_an_empty_log(log: Log) -> None:
    assert log.read() == ""
    assert log.read(follow=True, tail=3) == ""


def test_a_line_of_the_engine_s_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    log = Log(tmp_path, "engine", size=9)
    log.write((0.0, "a\n"))
    with log.path.open("ab") as file:
        file.write(b'{"log":"lost by a full di\n')
    log.write((1.0, "b\n"))
    assert log.read() == "a\nb\n"


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=9), max_size=25),
    ends=st.lists(st.booleans(), min_size=25, max_size=25),
    size=st.integers(1, 5),
    tail=st.one_of(st.none(), st.integers(0, 12)),
    kind=st.sampled_from(sorted(FORMATS)),
)
def test_the_tail_is_the_end_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    ends: list[bool],
    size: int,
    tail: int | None,
    kind: str,
) -> None:
    log = Log(tmp_path_factory.mktemp("log"), kind, size, files=99)
    said = [text + ("\n" if end else "") for text, end in zip(texts, ends, strict=False)]
    log.write(*[(float(n), text) for n, text in enumerate(said)])
    whole = "".join(said).split("\n")
    kept = whole if tail is None else whole[max(0, len(whole) - 1 - tail) :]
    assert log.read(tail=tail) == "\n".join(kept)


def test_large_logs_are_read_in_large_pieces(tmp_path: Path) -> None:
    path = tmp_path / "log"
    long = b"x" * (3 * log_files.BLOCK)
    path.write_bytes(b"".join(cri(1.0, f"{n:099}\n") for n in range(20000)) + cri(2.0, "") + b"")
    with path.open("ab") as file:
        file.write(crilog.stamp(3.0) + b" stdout F " + long + b"\n")
    chunks = list(crilog.read(path, LogOptions(), lambda seconds: True))
    assert len(chunks) < 40
    assert sum(map(len, chunks)) == 20000 * 100 + len(long) + 1
    assert (
        b"".join(crilog.read(path, LogOptions(tail=2), lambda seconds: True))
        == b"%099d\n" % 19999 + long + b"\n"
    )
