"""Frames between an agent and the API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.frames import HEADER, LONGEST, Decoder, Frame, Part, encode

frames = st.builds(
    Frame, st.sampled_from([int(part) for part in Part]), st.binary(max_size=40), st.integers(0, 2**32 - 1)
)


@given(st.lists(frames, max_size=20), st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_frames_come_out_as_they_went_in_however_they_were_cut(sent: list[Frame], cuts: list[int]) -> None:
    data = b"".join(encode(*frame) for frame in sent)
    decoder, found, at = Decoder(), [], 0
    for cut in cuts:
        found += decoder.feed(data[at : at + cut])
        at += cut
    found += decoder.feed(data[at:])
    assert found == sent


def test_what_is_too_long_for_a_frame_travels_in_several() -> None:
    data = bytes(range(256)) * (LONGEST // 128)
    found = list(Decoder().feed(encode(Part.DATA, data, 7)))
    assert [len(frame.data) for frame in found] == [LONGEST, LONGEST]
    assert b"".join(frame.data for frame in found) == data


def test_a_frame_that_claims_to_be_endless_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        list(Decoder().feed(HEADER.pack(Part.DATA, 0, LONGEST + 1)))
