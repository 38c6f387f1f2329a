"""What an engine says of a pull, as bytes done and to do."""

from __future__ import annotations

from typing import Any

from workers.runtime.docker.transfer import Layers
from workers.runtime.image_store import Transfer


def line(layer: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
    detail = {"current": current, "total": total} if total else {}
    return {"id": layer, "status": status, "progressDetail": detail}


def heard(*lines: dict[str, Any]) -> Transfer:
    layers, transfer = Layers(), Transfer()
    for each in lines:
        layers.hear(each, transfer)
    return transfer


def test_layers_are_summed_and_those_that_are_here_do_not_count() -> None:
    transfer = heard(
        line("1", "Pulling from team/web"),
        line("a", "Pulling fs layer"),
        line("b", "Pulling fs layer"),
        line("c", "Already exists"),
        line("a", "Downloading", 10, 100),
        line("b", "Downloading", 20, 50),
        line("b", "Verifying Checksum"),
        line("b", "Download complete"),
    )
    assert (transfer.done, transfer.total) == (60, 150)


def test_unpacking_counts_nothing_twice_but_is_progress() -> None:
    before = [line("a", "Downloading", 100, 100), line("a", "Extracting", 10, 100)]
    assert (heard(*before).done, heard(*before).total) == (100, 100)
    assert heard(*before, line("a", "Extracting", 60, 100)).steps > heard(*before).steps


def test_tries_in_vain_are_no_progress() -> None:
    begun = [line("a", "Downloading", 10, 100)]
    tries = [line("a", f"Retrying in {n} seconds") for n in range(5, 0, -1)]
    again = line("a", "Downloading", 10, 100)
    assert heard(*begun, *tries, again).steps == heard(*begun).steps


def test_one_that_waits_for_others_is_not_busy() -> None:
    waits = [line("a", "Pulling fs layer"), line("a", "Waiting")]
    assert heard().busy
    assert not heard(*waits).busy
    assert heard(*waits, line("a", "Downloading", 1, 100)).busy
    assert not heard(*waits, line("a", "Downloading", 1, 100), line("a", "Download complete")).busy


def test_what_is_cancelled_before_it_can_be_ended_ends_as_soon_as_it_can() -> None:
    ended = []
    transfer = Transfer()
    transfer.cancel()
    transfer.open(lambda: ended.append(1))
    assert ended == [1]
    transfer.cancel()
    other = Transfer()
    other.open(lambda: ended.append(2))
    other.closed()
    other.cancel()
    assert ended == [1], "what is over is not ended again"
