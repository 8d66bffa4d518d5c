"""Squares around actors: in the picture, about the actor, as large as asked for."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lilliput.watch.crops import cut, square_around
from lilliput.watch.scene import Box

SIZES = st.tuples(st.integers(1, 400), st.integers(1, 400))
SHARES = st.floats(0, 1)


@st.composite
def boxes_in_pictures(draw: st.DrawFn) -> tuple[Box, tuple[int, int]]:
    width, height = draw(SIZES)
    left, right = sorted(draw(st.tuples(SHARES, SHARES)))
    top, bottom = sorted(draw(st.tuples(SHARES, SHARES)))
    return Box(left * width, top * height, right * width, bottom * height), (width, height)


@pytest.mark.parametrize(
    ("box", "context", "square"),
    [
        (Box(40, 30, 60, 70), 1.0, Box(30, 30, 70, 70)),
        (Box(40, 30, 60, 70), 1.5, Box(20, 20, 80, 80)),
        (Box(0, 30, 20, 70), 1.0, Box(0, 30, 40, 70)),  # shifted to the right
        (Box(140, 80, 160, 100), 2.0, Box(120, 60, 160, 100)),  # shifted from the corner
        (Box(0, 0, 160, 100), 1.3, Box(30, 0, 130, 100)),  # as large as the picture allows
        (Box(-30, 40, -10, 50), 1.0, Box(0, 35, 20, 55)),  # an actor who has left
    ],
)
def test_hand_computed_squares(box: Box, context: float, square: Box) -> None:
    assert square_around(box, context, (160, 100)) == pytest.approx(square)


@given(boxes_in_pictures(), st.floats(1, 4))
def test_a_square_lies_in_the_picture_around_the_box(
    drawn: tuple[Box, tuple[int, int]], context: float
) -> None:
    box, (width, height) = drawn
    square = square_around(box, context, (width, height))
    assert square.width == pytest.approx(square.height)
    assert square.left >= 0 and square.right <= width + 1e-6
    assert square.top >= 0 and square.bottom <= height + 1e-6
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    assert square.left - 1e-6 <= x <= square.right + 1e-6
    assert square.top - 1e-6 <= y <= square.bottom + 1e-6
    longer = max(box.width, box.height)
    assert square.width == pytest.approx(max(1, min(context * longer, width, height)))
    if longer <= min(width, height):
        assert square.union(box) == pytest.approx(square, abs=1e-6)


@given(boxes_in_pictures(), st.floats(1, 4))
def test_what_is_cut_is_that_square(drawn: tuple[Box, tuple[int, int]], context: float) -> None:
    box, (width, height) = drawn
    assume(width * height <= 10_000)
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows, columns, rows], axis=2).astype(np.uint16)
    square = square_around(box, context, (width, height))
    crop = cut(pixels, square)
    side = len(crop)
    assert crop.shape == (side, side, 3)
    assert abs(side - square.width) <= 0.5 + 1e-6
    assert abs(int(crop[0, 0, 0]) - square.top) <= 1 + 1e-6
    assert abs(int(crop[0, 0, 1]) - square.left) <= 1 + 1e-6
    assert int(crop[-1, 0, 0]) - int(crop[0, 0, 0]) == side - 1
