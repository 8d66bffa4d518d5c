"""Blurred scenes: coarse blocks where people are, untouched elsewhere."""

import numpy as np
import pytest

from lilliput.watch.blur import blur_people
from lilliput.watch.scene import Box, Detection, Frame, Scene, TrackedBox

PIXELS = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
PERSON = Box(50, 30, 70, 80)
ENLARGED = np.s_[25:85, 48:72]  # by a tenth of its sides on each side


def scene(*boxes: Box, tracked: bool = True) -> Scene:
    frame = Frame(3, 0.3, PIXELS.copy())
    if tracked:
        return Scene(frame, tuple(TrackedBox(i + 1, box) for i, box in enumerate(boxes)))
    return Scene(frame, (), tuple(Detection(box) for box in boxes))


def num_colours(part: np.ndarray) -> int:
    return len(np.unique(part.reshape(-1, 3), axis=0))


@pytest.mark.parametrize("tracked", [True, False])
def test_few_blocks_remain_of_a_person_and_all_of_the_rest(tracked: bool) -> None:
    before = scene(PERSON, tracked=tracked)
    blurred = blur_people(before).frame.pixels
    assert num_colours(PIXELS[ENLARGED]) > 1000
    # 20×50 px enlarged are 24×60: blocks of 60/8 = 7.5 px fit 3 times across and 8 times down.
    assert num_colours(blurred[ENLARGED]) == 3 * 8
    assert np.array_equal(blurred[25:32, 48:56], np.broadcast_to(blurred[25, 48], (7, 8, 3)))
    elsewhere = np.ones(PIXELS.shape[:2], bool)
    elsewhere[ENLARGED] = False
    assert np.array_equal(blurred[elsewhere], PIXELS[elsewhere])


def test_a_block_is_the_mean_of_what_it_hides() -> None:
    blurred = blur_people(scene(Box(0, 0, 160, 120))).frame.pixels
    # The enlarged box has 192×144 px and blocks of 36: 4 times 3 of them fit into the picture.
    assert num_colours(blurred) == 4 * 3
    mean = PIXELS[:40, :40].reshape(-1, 3).mean(0)
    assert np.abs(blurred[0, 0] - mean).max() < 1


def test_the_given_scene_keeps_its_picture() -> None:
    before = scene(PERSON)
    before.frame.pixels.flags.writeable = False
    after = blur_people(before)
    assert np.array_equal(before.frame.pixels, PIXELS)
    assert after.tracks == before.tracks
    assert (after.frame.index, after.frame.seconds) == (3, 0.3)


def test_whoever_is_half_out_of_the_picture_gets_no_finer_blocks() -> None:
    blurred = blur_people(scene(Box(-18, 30, 2, 80))).frame.pixels
    assert num_colours(blurred[25:85, :4]) == 8  # one column of blocks


def test_boxes_outside_the_picture_or_without_an_area_are_no_trouble() -> None:
    blurred = blur_people(scene(Box(-50, 0, -20, 40), Box(200, 10, 220, 40), Box(5, 5, 5, 5)))
    assert np.array_equal(blurred.frame.pixels, PIXELS)
