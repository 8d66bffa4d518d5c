import base64
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lilliput.data import Clip, read_dataset, targets_matrix
from lilliput.errors import VideoError
from lilliput.evaluation.rendering import write_report
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.evaluation.scored import ScoredClips
from lilliput.evaluation.strips import CLASSES, choose_rows, film_strips, join_frames
from tests.evaluation.page import Page
from tests.evaluation.single import make_scored


class _StandIn:
    """A clip of given frames."""

    def __init__(self, clip_id: str, frames: np.ndarray) -> None:
        self.clip_id = clip_id
        self._frames = torch.from_numpy(frames).permute(0, 3, 1, 2)

    def read(self) -> torch.Tensor:
        return self._frames


def _pixels(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


@pytest.mark.parametrize("task", ["single", "multi"])
def test_the_clips_that_are_chosen(task: str) -> None:
    scored = replace(make_scored(num_unreadable=10), task=task)
    thresholds = np.full(7, 0.3)
    labels = scored.label(thresholds)
    for index, (lowest, wrong) in choose_rows(scored, thresholds).items():
        scores = scored.scores[:, index]
        own = [row for row in range(110) if scored.targets[row, index]]
        false = [row for row in range(110) if labels[row, index] and not scored.targets[row, index]]
        assert lowest == sorted(own, key=lambda row: scores[row])[:3]
        assert wrong == sorted(false, key=lambda row: -scores[row])[:3]


def test_of_many_classes_those_of_the_lowest_f1_are_chosen() -> None:
    num_classes = CLASSES + 14
    targets = np.eye(num_classes, dtype=bool)
    scores = targets * 0.9
    scores[::2] = 0.1  # every other class is not found
    several = np.array([str(index) for index in range(num_classes)])
    none = np.array([], str)
    sides = np.zeros(num_classes, int)
    scored = ScoredClips(several, several, sides, scores, targets, several, none)
    chosen = list(choose_rows(scored, np.full(num_classes, 0.5)))
    assert chosen == sorted(chosen)
    assert set(chosen) >= set(range(0, num_classes, 2))
    assert len(chosen) == CLASSES
    clips = [_StandIn(str(index), _noise(2, 8, 8)) for index in range(num_classes)]
    assert film_strips(clips, scored, 0.5).left_out == 14


def _noise(frames: int, height: int, width: int) -> np.ndarray:
    shape = (frames, height, width, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "shown"),
    [(10, 10, (70, 70)), (16, 16, (64, 64)), (24, 32, (72, 96)), (40, 71, (80, 142))],
)
def test_small_frames_grow_pixel_by_pixel(height: int, width: int, shown: tuple[int, int]) -> None:
    frames = _noise(6, height, width)
    strip = np.asarray(join_frames(frames))
    assert strip.shape == (shown[0], 6 * shown[1] + 5 * 3, 3)
    factor = shown[0] // height
    for index, frame in enumerate(frames):
        cell = strip[:, index * (shown[1] + 3) :][:, : shown[1]]
        np.testing.assert_array_equal(cell, frame.repeat(factor, axis=0).repeat(factor, axis=1))


@pytest.mark.parametrize(("height", "width"), [(55, 60), (128, 128), (120, 160), (720, 1280)])
def test_large_frames_keep_their_shape(height: int, width: int) -> None:
    strip = join_frames(_noise(2, height, width))
    shown = (strip.width - 3) / 2
    assert strip.height == pytest.approx(72, abs=1)
    assert shown / strip.height == pytest.approx(width / height, rel=0.03)


@pytest.mark.parametrize(("height", "width"), [(14, 14), (40, 71), (128, 128), (128, 228)])
def test_a_strip_is_bounded_whatever_it_shows(height: int, width: int) -> None:
    frames = _noise(9, height, width)
    scored = ScoredClips(
        *(np.array(["a"]), np.array(["a"]), np.array([height])),
        *(np.array([[0.2]]), np.array([[True]]), np.array(["walk"]), np.array([], str)),
    )
    (walk,) = film_strips([_StandIn("a", frames)], scored, 0.5).classes
    (strip,) = walk.lowest
    assert len(base64.b64decode(strip.picture.uri.partition(",")[2])) <= 20_000
    assert (strip.picture.size, strip.picture.num_frames) == ((width, height), 9)
    assert (strip.score, strip.threshold) == (0.2, 0.5)
    assert (strip.true, strip.given) == (("walk",), ())


def test_frames_are_evenly_spread() -> None:
    frames = np.zeros((51, 10, 10, 3), np.uint8)
    frames += np.arange(51, dtype=np.uint8)[:, None, None, None] * 5
    scored = ScoredClips(
        *(np.array(["a"]), np.array(["a"]), np.array([10])),
        *(np.array([[0.2]]), np.array([[True]]), np.array(["walk"]), np.array([], str)),
    )
    (walk,) = film_strips([_StandIn("a", frames)], scored, 0.5).classes
    pixels = _pixels(walk.lowest[0].picture.uri)
    assert pixels[0, 35::73, 0].tolist() == [0, 50, 100, 150, 200, 250]
    (walk,) = film_strips([_StandIn("a", frames[:2])], scored, 0.5).classes
    assert _pixels(walk.lowest[0].picture.uri).shape == (70, 143, 3)


@pytest.fixture
def clips(tiny_folder: Path) -> list[Clip]:
    return list(read_dataset(tiny_folder).split("val"))


@pytest.fixture
def scored(clips: list[Clip]) -> ScoredClips:
    """Six clips of three classes; the last one is given the first class."""
    scores = np.full((6, 3), 0.1)
    scores[np.arange(6), [0, 0, 1, 1, 2, 0]] = 0.8
    return ScoredClips(
        clip_ids=np.array([clip.clip_id for clip in clips]),
        recordings=np.array([clip.recording for clip in clips]),
        sides=np.full(6, 16),
        scores=scores,
        targets=targets_matrix(clips, 3),
        class_names=np.array(["[Sit]", "turn_left", "turn_right"]),
        unreadable=np.array([], str),
        task="single",
    )


def test_strips_of_videos_on_the_page(
    clips: list[Clip], scored: ScoredClips, tmp_path: Path
) -> None:
    strips = film_strips(clips[::-1], scored, 0.0)  # matched by id, not by position
    sit, left, right = strips.classes
    assert [len(one.wrong) for one in strips.classes] == [1, 0, 0]
    assert sit.wrong[0].clip_id == clips[5].clip_id == right.lowest[0].clip_id
    assert (sit.wrong[0].true, sit.wrong[0].given) == (("turn_right",), ("[Sit]",))
    frames = clips[5].read()[:].permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(
        _pixels(sit.wrong[0].picture.uri), np.asarray(join_frames(frames))
    )
    assert len(left.lowest) == 2
    report = evaluate_report(scored, np.zeros(3), ReportContext("Run", "", {}))
    path = write_report(report, tmp_path, strips)
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    text = " ".join(page.text.split())
    assert "Clips to look at" in text
    assert "0.800 · true: turn_right · given: [Sit]" in text
    assert page.source.count('<figure class="strip">') == 2 + 2 + 2 + 1
    without = write_report(report, tmp_path / "without").read_text(encoding="utf-8")
    assert "Clips to look at" not in without


def test_a_clip_that_cannot_be_read_is_left_out_and_listed(
    clips: list[Clip], scored: ScoredClips, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[[Clip], object] = Clip.read

    def fail(clip: Clip) -> object:
        if clip.clip_id == clips[5].clip_id:
            raise VideoError("5.mp4: damaged since")
        return read(clip)

    monkeypatch.setattr(Clip, "read", fail)
    strips = film_strips(clips, scored, 0.0)
    assert strips.unreadable == ("5.mp4: damaged since",)
    shown = {strip.clip_id for one in strips.classes for strip in (*one.lowest, *one.wrong)}
    assert shown == {clip.clip_id for clip in clips[:5]}
