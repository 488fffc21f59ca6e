"""Frames come out as they went in, however the bytes are cut."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.wiring.frames import (
    Frame,
    Frames,
    Kind,
    Standing,
    Told,
    numbered,
    pack_family,
    split_family,
    split_number,
)

FRAMES = st.lists(st.builds(Frame, st.sampled_from(Kind), st.binary(max_size=40)), max_size=6)


@given(FRAMES, st.integers(1, 7))
def test_frames_survive_any_cut(frames, size):
    data = b"".join(frame.encode() for frame in frames)
    reader = Frames()
    found = [f for at in range(0, len(data), size) for f in reader.feed(data[at : at + size])]
    assert found == frames


def test_bytes_that_are_no_frame_are_an_error():
    with pytest.raises(ValueError, match="Kind"):
        Frames().feed(b"\x00\x00\x00\x00\xff")


@given(st.lists(st.builds(Told, st.sampled_from(Standing), st.binary(max_size=30)), max_size=5))
def test_a_family_survives(family):
    assert split_family(pack_family(family)) == family


def test_a_family_that_is_cut_off_is_an_error():
    with pytest.raises(struct.error):
        split_family(b"\x01\x00")


def test_a_number_stands_before_the_rest():
    assert split_number(numbered(7, b"rest")) == (7, b"rest")
