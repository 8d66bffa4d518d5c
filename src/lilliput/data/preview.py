"""Contact sheets: what samplers pick and what augmentations do (figures 3.1 to 3.5)."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lilliput.data.clips import Clip
from lilliput.errors import DataError
from lilliput.video import sampling
from lilliput.video.crops import RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import Normalisation
from lilliput.video.rand_augment import draw_operations
from lilliput.video.transforms import TrainingTransform, scale_short_side

_PLAIN_PIXELS = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))  # leaves 0..1 as it is
_MAGNITUDES = (3, 9, 15, 21, 27)
_DRAWS = 3
_SHOWN_FRAMES = 8
_SHORT_SIDE = (8 / 7, 10 / 7)
_FRAME_INCHES = 1.1


def choose_clips(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Clips evenly spread over a split."""
    positions = np.linspace(0, len(clips) - 1, min(count, len(clips)))
    return [clips[round(position)] for position in positions]


def find_clip(splits: Mapping[str, Sequence[Clip]], clip_id: str) -> Clip:
    """The clip called ``<id>`` or ``<split>/<id>``; ids may restart in every split.

    Raises:
        DataError: No clip has this id.
    """
    for split, clips in splits.items():
        for clip in clips:
            if clip_id in (clip.clip_id, f"{split}/{clip.clip_id}"):
                return clip
    raise DataError(f"--clip {clip_id}: no clip has this id; ids look like '{_example(splits)}'")


def draw_samplers(frames: torch.Tensor, title: str, *, num_frames: int, seed: int) -> Figure:
    """A timeline per sampler with its picks marked, and the picked frames below it.

    Args:
        frames: ``(T, 3, H, W)`` uint8.
        title: Heads the figure.
        num_frames: Frames N that each sampler picks.
        seed: Fixes the random samplers.
    """
    total = len(frames)
    rng = np.random.default_rng(seed)
    rows = {
        "random clip, training (3.1.1)": sampling.random_clip(total, num_frames, rng),
        "centre clip, evaluation": sampling.centre_clip(total, num_frames),
        "random segments, training (3.1.2)": sampling.random_segments(total, num_frames, rng),
        "centre segments, evaluation": sampling.centre_segments(total, num_frames),
    }
    figure = Figure(
        (max(6.0, num_frames * 0.85), len(rows) * 1.6 + 0.4), layout="constrained", dpi=130
    )
    axes = figure.subplots(2 * len(rows), height_ratios=[0.4, 1.0] * len(rows), squeeze=False)
    for row, (name, picks) in enumerate(rows.items()):
        chunks = num_frames if "segments" in name else None
        _draw_timeline(axes[2 * row, 0], name, picks, total, chunks)
        _draw_strip(axes[2 * row + 1, 0], frames[torch.from_numpy(picks)])
        _number_strip(axes[2 * row + 1, 0], frames.shape[-1], picks)
    figure.suptitle(f"{title}: {total} frames, {num_frames} picked")
    return figure


def draw_augmentations(frames: torch.Tensor, title: str, *, input_size: int, seed: int) -> Figure:
    """A row per augmentation, several frames of the clip in each.

    Args:
        frames: ``(T, 3, H, W)`` uint8.
        title: Heads the figure.
        input_size: Side of the model's input, px.
        seed: Fixes every draw.
    """
    picks = sampling.centre_segments(len(frames), _SHOWN_FRAMES)
    rows = augmentation_rows(frames[torch.from_numpy(picks)], input_size, seed)
    size = (2.2 + _FRAME_INCHES * _SHOWN_FRAMES, 0.6 + _FRAME_INCHES * len(rows))
    figure = Figure(size, layout="constrained", dpi=110)
    all_axes = figure.subplots(len(rows), squeeze=False)[:, 0]
    for axes, (name, pictures) in zip(all_axes, rows.items(), strict=True):
        _draw_strip(axes, pictures)
        height, width = pictures.shape[-2:]
        label = f"{name}\n{width}×{height} px"
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
    _number_strip(all_axes[0], frames.shape[-1], picks)
    figure.suptitle(title)
    return figure


def augmentation_rows(frames: torch.Tensor, input_size: int, seed: int) -> dict[str, torch.Tensor]:
    """Each step of section 3.3 by name: (T, 3, H, W), every frame given the same draw."""
    generator = torch.Generator().manual_seed(seed)
    full = TrainingTransform(
        RandomCrop(input_size), _PLAIN_PIXELS, short_side=_SHORT_SIDE, flips=RandomFlips()
    )
    drawn = full.draw(frames.shape[-2], frames.shape[-1], generator)
    scaled = scale_short_side(frames, drawn.side)
    cropped = drawn.crop(scaled)
    rows = {
        "original": frames,
        "short side scale (3.3.1)": scaled,
        "random crop (3.3.2)": cropped,
        "horizontal flip (3.3.3)": cropped.flip(-1),
        "vertical flip": cropped.flip(-2),
        "quarter turn": cropped.rot90(1, (-2, -1)),
    }
    for magnitude in _MAGNITUDES:
        augmented = cropped
        generator.manual_seed(seed)  # the same two operations each time, as in figure 3.5
        for operate in draw_operations(2, magnitude, generator):
            augmented = operate(augmented)
        rows[f"RandAugment N=2 M={magnitude} (3.3.4)"] = augmented
    for draw in range(1, _DRAWS + 1):
        clip, _ = full(frames, torch.zeros(0), generator)
        rows[f"all of them, draw {draw}"] = (clip.transpose(0, 1) * 255).round().to(torch.uint8)
    return rows


def _draw_timeline(
    axes: Axes, name: str, picks: sampling.Indices, total: int, chunks: int | None
) -> None:
    axes.bar(np.arange(total), 1, 0.86, color="#d8dde3")
    axes.bar(picks, 1, 0.86, color="#2e8b57")
    if chunks is not None:
        edges = np.arange(chunks + 1) * total // chunks - 0.5
        axes.vlines(edges, -0.2, 1.2, color="#c0392b", linewidth=0.9)
    axes.set_ylim(-0.2, 1.2)
    axes.set_xlim(-0.7, total - 0.3)
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=6, length=2)
    axes.spines[:].set_visible(False)
    axes.set_title(name, fontsize=9, loc="left")


def _draw_strip(axes: Axes, frames: torch.Tensor) -> None:
    """Frames side by side in one picture, every pixel a sharp square."""
    gap = (0, _gap(frames.shape[-1]))
    cells = [np.pad(f, ((0, 0), gap, (0, 0)), constant_values=255) for f in _pixels(frames)]
    axes.imshow(np.concatenate(cells, axis=1), interpolation="nearest")
    axes.set_anchor("W")  # rows of unlike shape line up, and their labels keep their room
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _number_strip(axes: Axes, width: int, numbers: sampling.Indices) -> None:
    """Writes a frame number below each picture of a strip."""
    centres = np.arange(len(numbers)) * (width + _gap(width)) + (width - 1) / 2
    axes.set_xticks(centres, [str(number) for number in numbers], fontsize=7)
    axes.tick_params(axis="x", length=0, pad=2)


def _pixels(frames: torch.Tensor) -> np.ndarray:
    return frames.permute(0, 2, 3, 1).numpy()


def _gap(width: int) -> int:
    return max(1, width // 24)


def _example(splits: Mapping[str, Sequence[Clip]]) -> str:
    return next((f"{name}/{clips[0].clip_id}" for name, clips in splits.items() if clips), "")
