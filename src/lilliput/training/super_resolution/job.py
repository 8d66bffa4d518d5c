"""The whole job of ``lilliput train-sr``: a data set to a file of weights and its scores."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from rich.progress import Progress

from lilliput.builders import FRONT_ENDS
from lilliput.builders.front_ends import save_front_end
from lilliput.data import Clip, read_dataset
from lilliput.data.loading import FrameSource
from lilliput.errors import ConfigError
from lilliput.models.super_resolution.span import Span, read_span_weights
from lilliput.scoring.pictures import LEAST_SIDE
from lilliput.training.super_resolution.patches import Patches
from lilliput.training.super_resolution.train import (
    PictureScores,
    SuperResolutionSettings,
    compare_front_ends,
    train_front_end,
)
from lilliput.video.degradation import Degradation

_CACHE_BYTES = 2 * 2**30
_TOLD = 10  # lines of progress


def train_and_compare(
    data: Path,
    out: Path,
    front_end: tuple[str, int],
    splits: tuple[str, str],
    square: tuple[int, int],
    degradation: Degradation,
    settings: SuperResolutionSettings,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Mapping[str, PictureScores]:
    """Trains, measures, writes.

    Args:
        data: The data set.
        out: The file.
        front_end: Its name and scale.
        splits: To learn from, and to measure on.
        square: Side of the large squares, px, 0 to fit most clips; and frames of a clip.
        degradation: What makes clips small.
        settings: Of the training.
        tell: Given a line now and then.

    Returns:
        Scores on the held-out split, of this front end and of those that learn nothing.

    Raises:
        ConfigError: The squares are too small, or SPAN's weights are not installed.
        DataError: There are no such data, or no clips as large as the squares.
        CheckpointError: The file cannot be written.
    """
    name, scale = front_end
    torch.manual_seed(settings.seed)
    enlarge = FRONT_ENDS[name](scale)
    if isinstance(enlarge, Span):  # goes on from its published weights
        enlarge.load_state_dict(read_span_weights(scale))
    dataset = read_dataset(data)
    size, num_frames = square
    train = _read(dataset.split(splits[0]), size, num_frames, splits[0], tell)
    if train.size < LEAST_SIDE:
        raise ConfigError(
            f"squares of {train.size} px are too small to compare; give clips of {LEAST_SIDE} px "
            "or more"
        )
    held_out = _read(dataset.split(splits[1]), train.size, num_frames, splits[1], tell)
    losses: list[float] = []

    def advance(loss: float) -> None:
        losses.append(loss)
        every = max(1, settings.steps // _TOLD)
        if len(losses) % every == 0:
            tell(f"step {len(losses)} of {settings.steps}: loss {sum(losses[-every:]) / every:.4f}")

    train_front_end(enlarge, train, degradation, settings, advance)
    scores = compare_front_ends(enlarge, name, held_out, degradation)
    facts = {
        "size": train.size,
        "num_frames": num_frames,
        "degradation": dataclasses.asdict(degradation),
        "training": dataclasses.asdict(settings),
        "scores": {each: dataclasses.asdict(score) for each, score in scores.items()},
    }
    save_front_end(enlarge, name, scale, out, facts)
    return scores


def _read(
    clips: Sequence[Clip], size: int, num_frames: int, split: str, tell: Callable[[str], None]
) -> Patches:
    source = FrameSource(clips, _CACHE_BYTES)
    with Progress(transient=True) as progress:
        task = progress.add_task(f"decoding {split}", total=2 * len(source))
        source.fill(lambda: progress.advance(task))
        patches = Patches(source, size, num_frames, lambda: progress.advance(task))
    tell(f"{split}: squares of {patches.size} px of {len(patches.used)} of {len(source)} clips")
    return patches
