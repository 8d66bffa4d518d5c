from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.data import read_dataset
from lilliput.data.preview import (
    augmentation_rows,
    choose_clips,
    draw_augmentations,
    draw_samplers,
    find_clip,
)
from lilliput.errors import DataError


def _frames(count: int, height: int = 12, width: int = 16) -> torch.Tensor:
    shape = (count, 3, height, width)
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_chosen_clips_are_spread(tiny: Path) -> None:
    clips = read_dataset(tiny).split("train")
    assert [clip.clip_id for clip in choose_clips(clips, 2)] == ["0", "3"]
    assert [clip.clip_id for clip in choose_clips(clips, 1)] == ["0"]
    assert choose_clips(clips, 99) == list(clips)


def test_find_clip(tiny: Path) -> None:
    splits = read_dataset(tiny).splits
    assert find_clip(splits, "1") is splits["train"][1]
    assert find_clip(splits, "val/1") is splits["val"][1]
    with pytest.raises(DataError, match="--clip 77: no clip has this id; ids look like 'train/0'"):
        find_clip(splits, "77")


@pytest.mark.parametrize("total", [1, 5, 40])
def test_sampler_sheet_marks_and_shows_the_same_frames(total: int) -> None:
    frames = _frames(total)
    figure = draw_samplers(frames, "a clip", num_frames=8, seed=3)
    timelines = [axes for axes in figure.axes if axes.containers]
    strips = [axes for axes in figure.axes if axes.images]
    assert len(timelines) == len(strips) == 4
    for timeline, strip in zip(timelines, strips, strict=True):
        everything, marked = timeline.containers
        assert len(everything) == total
        picks = [round(bar.get_x() + bar.get_width() / 2) for bar in marked]
        assert [int(text.get_text()) for text in strip.get_xticklabels()] == picks
        picture = np.asarray(strip.images[0].get_array())
        assert picture.shape[1] == 8 * 17  # 16 px and a gap of 1
        for tick, pick in zip(strip.get_xticks(), picks, strict=True):
            left = round(tick - 7.5)
            expected = frames[pick].permute(1, 2, 0).numpy()
            np.testing.assert_array_equal(picture[:, left : left + 16], expected)


def test_augmentations_do_what_they_are_called() -> None:
    frames = _frames(6, 30, 40)
    rows = augmentation_rows(frames, input_size=28, seed=1)
    assert torch.equal(rows["original"], frames)
    scaled, cropped = rows["short side scale (3.3.1)"], rows["random crop (3.3.2)"]
    assert 32 <= scaled.shape[-2] <= 40  # 8/7 and 10/7 of 28
    assert scaled.shape[-1] == pytest.approx(scaled.shape[-2] * 4 / 3, abs=1)
    windows = scaled.unfold(-2, 28, 1).unfold(-2, 28, 1)  # every 28×28 window
    matches = (windows == cropped[:, :, None, None]).all(dim=(0, 1, 4, 5))
    assert matches.any()
    mirrored, upended = rows["horizontal flip (3.3.3)"], rows["vertical flip"]
    assert torch.equal(mirrored[..., 0], cropped[..., -1])
    assert torch.equal(upended[..., 0, :], cropped[..., -1, :])
    assert torch.equal(rows["quarter turn"][..., 0, :], cropped[..., -1])
    assert all(pictures.dtype == torch.uint8 for pictures in rows.values())
    assert sum(name.startswith("RandAugment") for name in rows) == 5
    draws = [pictures for name, pictures in rows.items() if name.startswith("all of them")]
    assert all(tuple(draw.shape) == (6, 3, 28, 28) for draw in draws)
    assert not torch.equal(draws[0], draws[1])


def test_augmentations_repeat_and_leave_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = augmentation_rows(_frames(2), input_size=14, seed=9)
    assert torch.equal(torch.get_rng_state(), before)
    second = augmentation_rows(_frames(2), input_size=14, seed=9)
    other = augmentation_rows(_frames(2), input_size=14, seed=10)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(
        first[name].shape != other[name].shape or not torch.equal(first[name], other[name])
        for name in first
    )


def test_augmentation_sheet_draws_every_row(tmp_path: Path) -> None:
    frames = _frames(3, 10, 10)
    rows = augmentation_rows(frames, input_size=14, seed=1)
    figure = draw_augmentations(frames, "a clip", input_size=14, seed=1)
    labels = [axes.get_ylabel().splitlines() for axes in figure.axes]
    assert [label[0] for label in labels] == list(rows)
    assert labels[0][1] == "10×10 px"
    figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0
