"""What moves in rendered pictures whose every box is known."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from lilliput.errors import ConfigError
from lilliput.watch.detectors import DETECTORS, build_detector
from lilliput.watch.detectors.motion import (
    BACKGROUND_SHARE,
    MAX_CHANGED,
    MEMORY_SECONDS,
    WARM_UP_SECONDS,
    MotionDetector,
)
from lilliput.watch.scene import Box, Detection, Frame

FPS = 10
SIZES = [(16, 16), (64, 48), (160, 120), (768, 576)]


def ground(size: tuple[int, int]) -> np.ndarray:
    """A landscape of soft patches, float32."""
    width, height = size
    coarse = np.random.default_rng(2).uniform(60, 160, (max(2, height // 8), max(2, width // 8), 3))
    soft = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.clip(soft, 0, 255)


def watch(
    pictures: list[np.ndarray], noise: float = 4.0, detector: MotionDetector | None = None
) -> list[list[Detection]]:
    rng = np.random.default_rng(3)
    detector = detector or MotionDetector()
    height, width = pictures[0].shape[:2]
    grain = rng.normal(0, noise, (height + 40, width + 40, 3)).astype(np.float32)
    found = []
    for i, picture in enumerate(pictures):
        top, left = rng.integers(
            0, 41, 2
        )  # a new noise for every frame would take most of the time
        noisy = picture + grain[top : top + height, left : left + width]
        pixels = np.clip(noisy, 0, 255).astype(np.uint8)
        found.append(detector(Frame(i, i / FPS, pixels)))
    return found


def with_walker(picture: np.ndarray, share: float) -> tuple[np.ndarray, Box]:
    """A dark walker a fifth as tall as the picture, that far on its way from left to right."""
    height, width = picture.shape[:2]
    wide, tall = max(2, width // 16), max(4, height // 5)
    left, top = round(share * (width - wide)), round(0.4 * height)
    picture = picture.copy()
    picture[top : top + tall, left : left + wide] = 25
    return picture, Box(left, top, left + wide, top + tall)


@pytest.mark.parametrize("size", SIZES)
def test_a_walker_has_one_box_that_fits(size: tuple[int, int]) -> None:
    still = [ground(size)] * 20
    walk = [with_walker(still[0], i / 20) for i in range(1, 20)]
    found = watch(still + [picture for picture, _ in walk])
    assert not any(found[:20])
    # Px of the working size, and one for the filter that takes out the noise.
    tolerance = 1 + 2 * max(1.0, min(size) / 288)
    for boxes, (_, truth) in zip(found[20:], walk, strict=True):
        (only,) = boxes
        assert np.abs(np.subtract(only.box, truth)).max() <= tolerance
        assert only.score == 1.0


@pytest.mark.parametrize("noise", [0.0, 4.0, 15.0])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_moves_in_noise_alone(size: tuple[int, int], noise: float) -> None:
    assert not any(watch([ground(size)] * 40, noise))


def _sudden(i: int) -> float:
    return 1.0 if i < 30 else 1.4


def _dimming(i: int) -> float:
    return 1.0 if i < 30 else 0.8


def _evening(i: int) -> float:
    return 1.0 - 0.002 * i


@pytest.mark.parametrize("light", [_sudden, _dimming, _evening])
def test_light_that_changes_everywhere_is_nobody(light: Callable[[int], float]) -> None:
    pictures = [ground((160, 120)) * light(i) for i in range(100)]
    assert not any(watch(pictures))
    # And the new light is learnt: a walker is found in it.
    walk = [with_walker(pictures[-1], i / 20)[0] for i in range(20)]
    assert [len(boxes) for boxes in watch(pictures + walk)[-19:]] == [1] * 19


def test_a_walker_is_found_alone_while_the_exposure_hunts() -> None:
    walk = [with_walker(ground((160, 120)), i / 30) for i in range(30)]
    gains = 1 + 0.15 * np.sin(np.arange(30) / 4)
    pictures = [picture * gain for (picture, _), gain in zip(walk, gains, strict=True)]
    found = watch([ground((160, 120))] * 20 + pictures)
    for boxes, (_, truth) in zip(found[20:], walk, strict=True):
        (only,) = boxes
        assert np.abs(np.subtract(only.box, truth)).max() <= 3


def test_another_view_is_learnt_anew() -> None:
    other = 255 - ground((160, 120))
    detector = MotionDetector()
    found = watch([ground((160, 120))] * 30 + [other] * 30, detector=detector)
    assert not any(found)
    changed = np.abs(other - ground((160, 120))).max(2) > 20
    assert changed.mean() > MAX_CHANGED  # else this would test nothing


def test_nothing_is_told_before_the_background_is_known() -> None:
    pictures = [with_walker(ground((160, 120)), i / 40)[0] for i in range(40)]
    found = watch(pictures)
    assert not any(found[: int(WARM_UP_SECONDS * FPS)])
    assert all(found[int(WARM_UP_SECONDS * FPS) + 5 :])


def test_the_shadow_of_a_walker_is_left_out() -> None:
    still = [ground((320, 240))] * 20
    found, truths = [], []
    for i in range(5, 35):
        picture, truth = with_walker(still[0], i / 40)
        left, bottom = int(truth.left), int(truth.bottom)
        picture[bottom - 6 : bottom, left + 20 : left + 60] *= 0.8
        found.append(picture)
        truths.append(truth)
    for boxes, truth in zip(watch(still + found)[20:], truths, strict=True):
        (only,) = boxes
        assert np.abs(np.subtract(only.box, truth)).max() <= 3


def test_head_and_legs_are_one_person_and_neighbours_are_two() -> None:
    still = [ground((320, 240))] * 20
    picture = still[0].copy()
    picture[100:112, 96:104] = 25  # a head,
    picture[118:150, 94:106] = 25  # 6 px of a shirt like the wall behind it, and legs
    picture[100:150, 120:132] = 25  # someone 14 px beside
    found = sorted(detection.box for detection in watch([*still, picture])[-1])
    assert np.abs(np.subtract(found, [(94, 100, 106, 150), (120, 100, 132, 150)])).max() <= 3


def test_who_stands_still_is_seen_for_many_seconds() -> None:
    still = [ground((64, 48))] * 120
    walk = [with_walker(still[0], i / 40)[0] for i in range(20)]
    found = watch(still + walk + [walk[-1]] * 300)
    seen = np.array([len(boxes) for boxes in found[120:]])
    absorbed = 2.0 + MEMORY_SECONDS * -np.log(BACKGROUND_SHARE)  # and 2 s of walking
    assert (seen[: int((absorbed - 3) * FPS)] == 1).all()
    assert (seen[int((absorbed + 3) * FPS) :] == 0).all()


def test_who_was_there_at_first_leaves_no_ghost() -> None:
    here = with_walker(ground((160, 120)), 0.1)[0]
    found = watch(
        [here] * 20 + [with_walker(ground((160, 120)), 0.1 + i / 50)[0] for i in range(40)]
    )
    assert [len(boxes) for boxes in found[-20:]] == [1] * 20


def test_names_of_detectors() -> None:
    assert set(DETECTORS) == {"motion", "people"}
    assert isinstance(build_detector("motion"), MotionDetector)
    with pytest.raises(ConfigError, match="detector 'radar' is not known; take one of motion, p"):
        build_detector("radar")


def test_the_background_is_learnt_anew_after_a_cut() -> None:
    """A cut changes less than the share above which a picture counts as changed."""
    one = ground((160, 120))
    other = one.copy()
    other[:60] = 255 - other[:60]
    detector = MotionDetector()
    found = [
        detector(Frame(i, i / FPS, (one if i < 30 else other).astype(np.uint8), is_cut=i == 30))
        for i in range(60)
    ]
    assert found[29] == []
    assert found[30] is None and found[30 + FPS - 1] is None
    assert all(boxes == [] for boxes in found[30 + FPS :])
