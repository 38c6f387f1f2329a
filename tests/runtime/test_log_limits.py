"""How much of a log is kept, as settings say it."""

from __future__ import annotations

import pytest

from app.base.errors import UserError
from workers.runtime.log_limits import LogLimits, limits_of


def test_kubelets_words_are_understood() -> None:
    assert limits_of("10Mi", 2) == LogLimits()
    assert limits_of("1500k", 5) == LogLimits(1_500_000, 5)


@pytest.mark.parametrize(("size", "files"), [("lots", 2), ("1", 2), ("10Mi", 0), ("10Mi", 101), ("-5Mi", 2)])
def test_what_makes_no_sense_is_refused_at_the_start(size: str, files: int) -> None:
    with pytest.raises(UserError, match="BEANPOLE_LOG_MAX"):
        limits_of(size, files)
