from __future__ import annotations

import pytest

from app.schemas.duration import human, since

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (10 * MINUTE + 30, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 30 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (48 * HOUR, "2d"),
        (49 * HOUR, "2d1h"),
        (8 * DAY + HOUR, "8d"),
        (700 * DAY, "700d"),
        (730 * DAY, "2y"),
        (731 * DAY, "2y1d"),
        (9 * 365 * DAY, "9y"),
    ],
)
def test_a_span_is_shown_with_about_three_digits(seconds, text):
    assert human(seconds) == text


def test_a_moment_that_is_not_known_has_no_age():
    assert since(None, 0.0) == "<unknown>"
    assert since("never", 0.0) == "<unknown>"
    assert since("1970-01-01T00:00:10Z", 25.0) == "15s"
