"""Rows of the ablation render something else than all parts together."""

import numpy as np
import pytest

from benchmarks.rendered_parts import PARTS, without
from lilliput.data.people.captured import Captured
from lilliput.data.people.render import render_clip


@pytest.mark.parametrize("row", [row for row in PARTS if not row.startswith(("every", "motions"))])
def test_a_part_that_is_left_out_changes_the_pictures(row: str) -> None:
    def clip() -> np.ndarray:
        frames: np.ndarray = render_clip(np.random.default_rng(5), Captured([])).frames
        return frames

    before = clip()
    with without(row):
        assert not np.array_equal(clip(), before)
    np.testing.assert_array_equal(clip(), before)
